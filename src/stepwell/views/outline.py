"""What a pipeline would do, step by step: a plan told in words and data, for a preview before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stepwell.clock import seconds
from stepwell.graph import Graph
from stepwell.plan.plan import Plan, PlanStep
from stepwell.views.words import duration, plural

NOT_KEPT = "its output is not kept"


@dataclass(frozen=True, slots=True)
class Outlined:
    """One step of a plan: `level` is 1 for those that start at once, else one more than the latest before it.

    `waits_for` names the steps before it (`join`: how many of them are enough, None: all), `goto` those it may jump
    back to, `max_visits` times at most; `inputs` are those of the run that it receives; `routes` is where a switch
    leads: each value as text, with the steps. `ephemeral`: its output is not kept; `streams`: it yields; `live`: it
    takes items as they are yielded. Times are in seconds. The order of fields is that of `--json`.
    """

    name: str
    label: str
    kind: str
    level: int
    waits_for: tuple[str, ...]
    inputs: tuple[str, ...]
    join: int | None = None
    join_timeout: float | None = None
    goto: tuple[str, ...] = ()
    max_visits: int | None = None
    streams: bool = False
    ephemeral: bool = False
    when: str = ""
    over: str = ""
    live: bool = False
    concurrency: int | None = None
    min_success: float | int | None = None
    routes: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    attempts: int = 1
    delay: float = 0.0
    timeout: float | None = None
    critical: bool = True
    tags: tuple[str, ...] = ()
    file: str = ""
    line: int = 0


def outline(plan: Plan) -> tuple[Outlined, ...]:
    """The steps of a plan in the order in which they may start; those of one level may run side by side."""
    level = levels(plan.graph)
    order = sorted(range(len(plan.steps)), key=lambda number: (level[number], number))
    return tuple(_outlined(plan, plan.steps[number], level[number]) for number in order)


def levels(graph: Graph) -> list[int]:
    """How far each step is from the beginning, counted along the longest way, from 1; O(steps + edges).

    >>> from stepwell.graph import Edge, build
    >>> levels(build(["a", "b", "c"], [Edge(0, 1), Edge(1, 2), Edge(0, 2)]))
    [1, 2, 3]
    """
    missing = [len(sources) for sources in graph.before]
    level = [1] * len(graph.names)
    free = [number for number, count in enumerate(missing) if count == 0]
    while free:
        number = free.pop()
        for link in graph.after[number]:
            level[link.target] = max(level[link.target], level[number] + 1)
            missing[link.target] -= 1
            if missing[link.target] == 0:
                free.append(link.target)
    return level


def _outlined(plan: Plan, step: PlanStep, level: int) -> Outlined:
    names = plan.graph.names
    asked = (*step.parameters, *(step.guard.parameters if step.guard else ()))
    fan, retry = step.fan, step.retry
    return Outlined(
        name=step.name,
        label=step.label,
        kind=step.kind,
        level=level,
        waits_for=tuple(names[source] for source in sorted(plan.graph.before[step.number])),
        inputs=tuple(dict.fromkeys(one.input for one in asked if one.source == "input")),
        join=plan.graph.quorums.get(step.number),
        join_timeout=step.join_timeout,
        goto=tuple(names[target] for target in step.goto),
        max_visits=step.max_visits if step.goto else None,
        streams=step.streams,
        ephemeral=step.ephemeral,
        when=step.guard.text if step.guard else "",
        over=names[fan.over] if fan else "",
        live=fan.live if fan else False,
        concurrency=fan.concurrency if fan else None,
        min_success=fan.min_success if fan else None,
        routes=routes(plan, step),
        attempts=retry.attempts if retry else 1,
        delay=seconds(retry.delay) if retry else 0.0,
        timeout=step.timeout,
        critical=step.critical,
        tags=step.tags,
        file=step.file,
        line=step.line,
    )


def routes(plan: Plan, step: PlanStep) -> dict[str, tuple[str, ...]]:
    """Where a switch leads: the text of each value, and `default`, with the names of the steps."""
    if step.routes is None:
        return {}
    names = plan.graph.names
    found = {_value(value): tuple(names[number] for number in numbers) for value, numbers in step.routes.by_value}
    if step.routes.default is not None:
        key = "default" if "default" not in found else "(default)"
        found[key] = tuple(names[number] for number in step.routes.default)
    return found


def _value(value: object) -> str:
    return value if isinstance(value, str) else str(value)


def details(step: Outlined) -> list[str]:
    """What is worth saying of a step, in words: what it waits for and takes, its condition, retry and timeout."""
    said: list[str] = []
    if step.over:
        said.append(
            f"once for each item of {step.over}{' as they come' if step.live else ''}, {step.concurrency} at a time"
        )
    others = [name for name in step.waits_for if name != step.over]
    if others:
        number = "" if step.join is None else "any of " if step.join == 1 else f"{step.join} of "
        patience = f", waits {_limit(step.join_timeout)} at most" if step.join_timeout is not None else ""
        said.append(f"after {number}{', '.join(others)}{patience}")
    if step.inputs:
        said.append(f"takes {', '.join(step.inputs)}")
    if step.when:
        said.append(f"if {step.when}")
    if step.routes:
        ways = [f"{value}: {', '.join(names) or 'nothing'}" for value, names in step.routes.items()]
        said.append(f"leads to {'; '.join(ways)}")
    if step.goto:
        said.append(f"may go back to {', '.join(step.goto)}, {plural(step.max_visits or 0, 'visit')} at most")
    if step.attempts > 1:
        said.append(f"{plural(step.attempts, 'attempt')}")
    if step.timeout is not None:
        said.append(f"{_limit(step.timeout)} at most{' each' if step.over or step.attempts > 1 else ''}")
    if step.min_success is not None:
        share = step.min_success
        said.append(f"fails below {share if isinstance(share, int) else f'{share:.0%}'} of its items")
    if step.ephemeral:
        said.append(NOT_KEPT)
    if not step.critical:
        said.append("its failure is tolerated")
    return said


def _limit(seconds: float) -> str:
    """A time that somebody set, as exactly as they did."""
    return f"{seconds:g}s" if seconds < 60 else duration(seconds)
