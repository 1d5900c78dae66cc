"""What must hold of a pipeline before it runs: one small function a rule, each gives what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from stepwell.definition.spec import StepSpec
from stepwell.graph import cycle
from stepwell.plan.draft import Draft, DraftStep
from stepwell.plan.loops import ephemeral_steps_keep_to_themselves, joins_can_be_reached, jumps_lead_back
from stepwell.plan.reach import no_step_needs_two_routes_at_once
from stepwell.plan.returns import all_values, item_type, plain_class, yielded

Found = Iterator[tuple[StepSpec | None, str]]
"""Problems, with the step each is about."""

_TOWER: tuple[tuple[type, type], ...] = ((int, float), (int, complex), (float, complex), (bool, float), (bool, complex))
"""What Python's types let pass though neither is a subclass of the other: source and parameter."""

_SINGLE = (int, float, complex, bool, type(None))
"""Of these there is nothing to run over."""


def there_is_a_step(draft: Draft) -> Found:
    """A pipeline without steps does nothing."""
    if not draft.steps:
        yield None, f"the pipeline `{draft.definition.name}` has no steps; add some with @pipe.step"


def nothing_leads_to_itself(draft: Draft) -> Found:
    """`to`, a route, `after` or `over` that names its own step."""
    for step in draft.steps:
        routed = chain.from_iterable(targets for _, targets in step.routes.by_value) if step.routes else ()
        default = step.routes.default or () if step.routes else ()
        for option, numbers in (("to", (*step.to, *routed, *default)), ("after", step.after), ("over", (step.over,))):
            if step.number in numbers:
                yield step.spec, f"{option} names the step itself, and it would wait for itself for ever"


def nothing_goes_round(draft: Draft) -> Found:
    """Steps that wait for each other in a circle."""
    names = [step.spec.name for step in draft.steps]
    circle = cycle(names, [edge for edge in draft.edges if edge.source != edge.target])
    if circle:
        spec = next(step.spec for step in draft.steps if step.spec.name == circle[0])
        yield spec, f"these steps wait for each other: {' -> '.join(circle)}; take one of these edges out"


def maps_have_something_to_run_over(draft: Draft) -> Found:
    """A map without `over`, or over what cannot be run over in a known order."""
    for step in draft.steps:
        if step.spec.kind != "map":
            continue
        if step.spec.over is None:
            yield step.spec, "a map needs over=STEP, the step whose output it runs over"
        source = None if step.over is None else draft.steps[step.over]
        if source is None or source.spec.kind == "map":
            continue
        kind = plain_class(source.value)
        if kind in (set, frozenset) and step.spec.key is None:
            yield (
                step.spec,
                f"`{source.spec.name}` gives a {_name(kind)}, which has another order in each process; "
                "give the map key=, a function of an item that tells it from the others, or let the step return a list",
            )
        elif kind in _SINGLE:
            yield step.spec, f"`{source.spec.name}` gives one {_name(kind)} and no list to run over"


def switches_have_routes(draft: Draft) -> Found:
    """A switch that leads nowhere, or to two places for one value."""
    for step in draft.steps:
        if step.routes is None:
            continue
        if not step.routes.by_value and step.routes.default is None:
            yield step.spec, "a switch needs to={value: step, …}"
        values = [value for value, _ in step.routes.by_value]
        for value in _repeated(values):
            yield step.spec, f"the value {value!r} has two routes; give it one, to a list of steps"


def routes_fit_the_values(draft: Draft) -> Found:
    """A route for what a switch never returns, or none for what it may; said only where its annotation tells all."""
    for step in draft.steps:
        values = None if step.routes is None else all_values(step.value)
        if step.routes is None or values is None:
            continue
        routed = [value for value, _ in step.routes.by_value]
        known = f"it returns {', '.join(map(repr, values))}"
        for value in routed:
            if value not in values:
                yield step.spec, f"the route {value!r} is never chosen: {known}"
        missing = [value for value in values if value not in routed]
        if missing and routed and step.routes.default is None:
            way_out = "give them routes, or a default (`default=[]`: to no step)"
            yield step.spec, f"there is no route for {', '.join(map(repr, missing))}, which it may return; {way_out}"


def modes_fit(draft: Draft) -> Found:
    """An async function that is told to run in a thread."""
    for step in draft.steps:
        if step.spec.runs_on == "thread" and step.shape.is_async:
            yield step.spec, 'an async function runs on the loop; leave runs_on="thread" out, or make it sync'


def generators_say_what_they_yield(draft: Draft) -> Found:
    """A generator whose annotation is that of no generator."""
    for step in draft.steps:
        if step.shape.streams and yielded(step.shape.returns) is None:
            kind = "AsyncIterator" if step.shape.is_async else "Iterator"
            yield step.spec, f"it is a generator, so its return annotation is {kind}[…], with the type that it yields"


def values_fit_their_parameters(draft: Draft) -> Found:
    """A data parameter of a class that what its step gives is certainly not of."""
    for step in draft.steps:
        declared = {asked.name: asked.annotation for asked in step.shape.asked}
        for parameter in step.parameters:
            wanted = declared.get(parameter.name)
            if parameter.source == "step":
                source = draft.steps[parameter.step]
                given, giver = source.value, f"step `{source.spec.name}` gives"
                if source.spec.kind == "map":
                    given, giver = list, f"map `{source.spec.name}` gives the results of its items as a"
            elif parameter.source == "item" and step.over is not None:
                given, giver = _items(draft.steps[step.over]), "the items are"
            else:
                continue
            if misfit := _misfit(given, wanted):
                yield step.spec, f"the parameter `{parameter.name}` is declared as {misfit[0]}, and {giver} {misfit[1]}"


def _items(source: DraftStep) -> object:
    return source.value if source.spec.kind == "map" else item_type(source.value)


def _misfit(given: object, wanted: object) -> tuple[str, str] | None:
    """The names of the two classes where one is certainly not the other: the wanted one first."""
    source, target = plain_class(given), plain_class(wanted)
    if source is None or target is None or (source, target) in _TOWER:
        return None
    try:
        fits = issubclass(source, target) or issubclass(target, source)
    except TypeError:  # a class may refuse to be asked
        return None
    return None if fits else (_name(target), _name(source))


def _name(kind: type | None) -> str:
    return "" if kind is None else kind.__qualname__.replace("NoneType", "None")


def _repeated(values: list[object]) -> list[object]:
    """Values that come up again; a value need not have a hash."""
    return [value for place, value in enumerate(values) if value in values[:place]]


RULES: tuple[Callable[[Draft], Found], ...] = (
    there_is_a_step,
    nothing_leads_to_itself,
    nothing_goes_round,
    maps_have_something_to_run_over,
    switches_have_routes,
    routes_fit_the_values,
    modes_fit,
    generators_say_what_they_yield,
    values_fit_their_parameters,
    no_step_needs_two_routes_at_once,
    jumps_lead_back,
    joins_can_be_reached,
    ephemeral_steps_keep_to_themselves,
)
