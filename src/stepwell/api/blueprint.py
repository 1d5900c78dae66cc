"""`Blueprint`: a pipeline as it is written down: decorators, the sequential builder, and `compile`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Never, Self, TypeVar, Unpack, cast, overload

from msgspec.structs import replace

from stepwell.clock import Duration
from stepwell.codecs.values import Codecs
from stepwell.definition import later
from stepwell.definition.builder import built_step, group_members
from stepwell.definition.functions import caller, local_names
from stepwell.definition.options import Written, refuse_later, step_spec
from stepwell.definition.readers import at_least_one, checked_name, one_of, retry_policy, step_ref, text, wait
from stepwell.definition.spec import Definition, Durability, Kind, OnFailure, StepRef, StepSpec
from stepwell.errors import DefinitionError, Problem
from stepwell.ids import canonical
from stepwell.plan.compile import compile_plan
from stepwell.plan.plan import Plan
from stepwell.plan.ports import Condition
from stepwell.policy import RetryPolicy

if TYPE_CHECKING:
    from stepwell.definition.typed import MapOptions, StepOptions, StepRefs, SwitchOptions

F = TypeVar("F", bound=Callable[..., object])

_OPTIONS = Definition.__struct_fields__[2:]  # all but its name and its steps


class Blueprint:
    """A pipeline as you write it down: steps, what they need, what becomes of their failures.

    `output` is the step whose output is that of a run; without it, the single last step's. `retry`, `timeout` and
    `durability` are defaults of the steps; `on_failure` is `"stop"` (start nothing new, let what runs finish),
    `"cancel"` (cancel what runs) or `"finish"` (independent branches go on); `concurrency` is how many attempts run at
    once; `run_timeout` how long a run may take. Raises DefinitionError for what makes no sense.

    >>> from stepwell import Pipeline
    >>> pipe = Pipeline("greet")
    >>> @pipe.step
    ... def hello(name: str) -> str:
    ...     return f"hello {name}"
    >>> pipe.compile().inputs["name"].required
    True
    """

    def __init__(
        self,
        name: str,
        *,
        description: str = "",
        output: StepRef | None = None,
        version: str = "",
        retry: int | RetryPolicy | None = None,
        timeout: Duration | None = None,
        durability: Durability = "strict",
        on_failure: OnFailure = "stop",
        concurrency: int | None = None,
        run_timeout: Duration | None = None,
        **later_options: Never,
    ) -> None:
        refuse_later(later_options, later.PIPELINE_OPTIONS, _OPTIONS)
        try:
            self._settings = Definition(
                name=checked_name(name, "the pipeline's name"),
                steps=(),
                description=text("description")(description),
                version=text("version")(version),
                output=None if output is None else step_ref("output")(output),
                retry=None if retry is None else retry_policy(retry),
                timeout=None if timeout is None else wait("timeout")(timeout),
                durability=cast("Durability", one_of("durability", "strict", "ephemeral")(durability)),
                on_failure=cast("OnFailure", one_of("on_failure", "stop", "cancel", "finish")(on_failure)),
                concurrency=None if concurrency is None else at_least_one("concurrency")(concurrency),
                run_timeout=None if run_timeout is None else wait("run_timeout")(run_timeout),
            )
        except (ValueError, TypeError) as error:
            raise DefinitionError([Problem(f"pipeline {name!r}: {error}")]) from None
        self._steps: dict[str, StepSpec] = {}
        self._groups: dict[str, list[str]] = {}
        """By member, the names of a parallel group."""
        self._codecs: Codecs | None = None
        self._plan: Plan | None = None

    @property
    def name(self) -> str:
        """What the pipeline is called."""
        return self._settings.name

    @property
    def description(self) -> str:
        """What it is for, in the words of its author."""
        return self._settings.description

    def steps(self) -> tuple[str, ...]:
        """The names of its steps, in the order in which they were defined."""
        return tuple(spec.name for spec in self._steps.values())

    def has_step(self, function: object) -> bool:
        """Whether a step of it is this function."""
        return any(spec.function is function for spec in self._steps.values())

    def __repr__(self) -> str:
        """Name and number of steps."""
        return f"<{type(self).__name__} {self.name!r}, {len(self._steps)} steps>"

    @overload
    def step(self, function: F, /) -> F: ...

    @overload
    def step(self, named: str | None = None, /, **options: Unpack[StepOptions]) -> Callable[[F], F]: ...

    def step(self, function: object = None, /, **options: object) -> object:
        """Make a function a step: `@pipe.step`, or with options, `@pipe.step(retry=3, timeout="10s")`.

        The function comes back as it is, to be called, tested and referred to. Raises DefinitionError for options
        that make no sense, and for a second step of the same name.

        >>> from stepwell import Pipeline
        >>> pipe = Pipeline("words")
        >>> @pipe.step(retry=3)
        ... def count(text: str) -> int:
        ...     return len(text.split())
        >>> count("one two")
        2
        """
        if function is None or isinstance(function, str):
            return self._decorator("step", function, options)
        return self._add("step", cast("Callable[..., object]", function), options)

    def map(
        self,
        named: str | None = None,
        /,
        *,
        over: StepRef,
        key: Callable[[Any], object] | None = None,
        concurrency: int = 32,
        min_success: float | None = None,
        **options: Unpack[MapOptions],
    ) -> Callable[[F], F]:
        """Run a function once per item of another step's output, each item recorded by itself.

        `key` gives each item the name that it is known by on a resume, else its place is; `concurrency` is how many
        run at once; `min_success` is how many, or which share, must succeed for the others to be tolerated.

        >>> from stepwell import Pipeline
        >>> pipe = Pipeline("squares")
        >>> @pipe.step
        ... def numbers(until: int) -> list[int]:
        ...     return list(range(until))
        >>> @pipe.map(over=numbers, concurrency=8)
        ... def square(item: int) -> int:
        ...     return item * item
        """
        own = {"over": over, "key": key, "concurrency": concurrency, "min_success": min_success}
        return self._decorator("map", named, {**own, **options})

    def switch(
        self,
        named: str | None = None,
        /,
        *,
        to: Mapping[Any, StepRefs],
        default: StepRefs | None = None,
        **options: Unpack[SwitchOptions],
    ) -> Callable[[F], F]:
        """Let the value that a function returns choose which steps come next; the others are pruned.

        >>> from stepwell import Pipeline
        >>> pipe = Pipeline("triage")
        >>> @pipe.switch(to={"small": "quick"}, default="thorough")
        ... def size(rows: int) -> str:
        ...     return "small" if rows < 100 else "large"
        """
        return self._decorator("switch", named, {"to": to, "default": default, **options})

    def add_step(
        self,
        name: str,
        function: object,
        *,
        depends_on: StepRefs | None = None,
        kwargs: Mapping[str, object] | None = None,
        **options_and_kwargs: object,
    ) -> Self:
        """Add a step that follows the one added before it, unless `depends_on` names others; `[]`: it starts at once.

        Options are those of `step`; with `over=` it is a map, with a mapping as `to=` a switch. Other keywords are
        values for the function's parameters; `kwargs` takes those that are called like an option. The function may
        be any callable, or an object with `execute`. Gives the pipeline back, so that calls can be chained.

        >>> def fetch(url: str) -> str:
        ...     return url
        >>> from stepwell import Pipeline
        >>> Pipeline("site").add_step("home", fetch, url="/").add_step("news", fetch, url="/news", retry=3).steps()
        ('home', 'news')
        """
        before = self._before(name) if depends_on is None else depends_on
        built = built_step(name, function, before, kwargs or {}, options_and_kwargs)
        self._add(built.kind, built.function, built.options, built.bound)
        return self

    def add_parallel_group(
        self, members: Sequence[Callable[..., object] | tuple[str, Callable[..., object]]], /, **options: object
    ) -> Self:
        """Add steps that all follow the step added before them; what is added next follows all of them.

        A member is a function, or a pair of a name and a function; options are those of each of them. Gives the
        pipeline back. Raises DefinitionError for an empty group and for what is no step, and then adds none of them.

        >>> from stepwell import Pipeline
        >>> def fetch() -> int:
        ...     return 1
        >>> pipe = Pipeline("site").add_parallel_group([fetch, ("again", fetch)]).add_step("show", print)
        >>> pipe.compile().graph.before
        ((), (), (0, 1))
        """
        group = group_members(members)
        before, known = self._before(group[0][0]), dict(self._steps)
        try:
            for name, function in group:
                built = built_step(name, function, before, {}, options)
                self._add(built.kind, built.function, built.options, built.bound)
        except DefinitionError:
            self._steps = known
            raise
        names = [name for name, _ in group]
        self._groups.update((canonical(name), names) for name in names)
        return self

    def _before(self, name: str) -> list[str]:
        """The step added before this one, or the group; where it is defined again, what was before it then."""
        before = reversed(self._steps)
        if canonical(name) in self._steps:
            names = list(self._steps)
            own = [canonical(one) for one in self._groups.get(canonical(name), ())]
            before = (one for one in reversed(names[: names.index(canonical(name))]) if one not in own)
        last = next(before, None)
        return [] if last is None else self._groups.get(last, [self._steps[last].name])

    def compile(self) -> Plan:
        """The plan of the pipeline as it is now; raises DefinitionError with every problem that there is.

        It is made once and kept until another step is added. A run keeps the plan that it was started with.
        """
        if self._plan is None:
            definition = replace(self._settings, steps=tuple(self._steps.values()))
            in_words = any(isinstance(step.when, str) for step in definition.steps)
            self._plan = compile_plan(definition, self._all_codecs(), _conditions() if in_words else None)
        return self._plan

    def _all_codecs(self) -> Codecs:
        if self._codecs is None:
            # Only here: `import stepwell` is to load no adapter.
            from stepwell.libraries.every import every_adapter

            self._codecs = Codecs(every_adapter())
        return self._codecs

    def _decorator(self, kind: Kind, name: str | None, options: Mapping[str, object]) -> Callable[[F], F]:
        if name is not None and not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise DefinitionError(f"@pipe.{kind} takes its options by name: @pipe.{kind}({_EXAMPLES[kind]})")
        given = options if name is None else {**options, "name": name}

        def decorate(function: F) -> F:
            return self._add(kind, function, given)

        return decorate

    def _add(
        self, kind: Kind, function: F, options: Mapping[str, object], bound: Mapping[str, object] | None = None
    ) -> F:
        by = caller(__name__.partition(".")[0])
        names = local_names(function, by.names)
        spec = step_spec(Written(kind, function, options, by.file, by.line, bound or {}, names))
        known = self._steps.get(canonical(spec.name))
        if known is not None and not by.interactive:
            message = f"`{known.name}` is a step already, at {known.file}:{known.line}; rename one of the two"
            raise DefinitionError([Problem(message, spec.name, spec.file, spec.line)])
        self._steps[canonical(spec.name)] = spec
        self._plan = None
        return function


def _conditions() -> Condition:
    """How conditions in words are read; only where there are some is the library behind it loaded."""
    from stepwell.conditions.simple import compile_condition

    return compile_condition


_EXAMPLES: Mapping[Kind, str] = {"step": "retry=3", "map": "over=STEP", "switch": "to={value: STEP}"}

for _name in later.METHODS:
    setattr(Blueprint, _name, later.NotYet(_name))
