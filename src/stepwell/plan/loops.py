"""Rules of loops, joins and ephemeral steps: where a step may jump back to, how many edges there are to wait for."""

from __future__ import annotations

from collections.abc import Iterator

from stepwell.definition.spec import StepSpec
from stepwell.graph import build, followers, reached
from stepwell.plan.draft import Draft
from stepwell.plan.reach import choices_of, exclude

Found = Iterator[tuple[StepSpec | None, str]]


def jumps_lead_back(draft: Draft) -> Found:
    """A jump to what does not come before it; or over a step that would run each visit and no one waits for."""
    jumping = [step for step in draft.steps if step.goto]
    if not jumping:
        return
    graph = build([step.spec.name for step in draft.steps], draft.edges)
    before_of, after_of = graph.before.__getitem__, followers(graph)
    possible = choices_of(draft)
    for step in jumping:
        before, after = reached([step.number], before_of), reached([step.number], after_of)
        for target in dict.fromkeys(step.goto):
            if target not in before:
                name = draft.steps[target].spec.name
                yield step.spec, f"goto names `{name}`, which does not lead to it; a jump leads back, or to itself"
                continue
            for stray in sorted(reached([target], after_of) - before - after):
                if exclude(possible.get(stray, {}), possible.get(step.number, {})):
                    continue  # a switch leads to one or the other, so it runs after the last visit only
                name = draft.steps[stray].spec.name
                yield step.spec, f"`{name}` would run each visit of the loop; add `after={step.spec.name}` to it"


def joins_can_be_reached(draft: Draft) -> Found:
    """A join that waits for more live edges than it has, and a timeout where nothing is waited for."""
    for step in draft.steps:
        spec = step.spec
        if not spec.join and spec.join_timeout is None:
            continue
        edges = [edge for edge in draft.edges if edge.target == step.number]
        if not edges:
            yield spec, "it waits for no step, so there is nothing to join; leave join and join_timeout out"
            continue
        triggers = {edge.source for edge in edges if edge.trigger}
        needed = {edge.source for edge in edges if edge.needs}
        counted = triggers or {edge.source for edge in edges} - needed
        if spec.join and not counted:
            yield (
                spec,
                "join counts steps that lead to it by `to`, `after` or a parameter with a default, and it has none; "
                "give the parameters defaults, or leave join out",
            )
        elif spec.join > len(counted):
            yield spec, f"join={spec.join} can never be reached: {len(counted)} of the edges before it count"


def ephemeral_steps_keep_to_themselves(draft: Draft) -> Found:
    """An ephemeral step whose output somebody may want later: the items of a map, or the run's own."""
    kept = 'give it durability="strict"'
    for step in draft.steps:
        if step.over is not None and draft.steps[step.over].ephemeral:
            name = draft.steps[step.over].spec.name
            yield draft.steps[step.over].spec, f"`{name}` feeds the map `{step.spec.name}` and is ephemeral; {kept}"
    if draft.output is not None and draft.steps[draft.output].ephemeral:
        yield draft.steps[draft.output].spec, f"its output is that of the pipeline, and it is ephemeral; {kept}"


def live_sources(draft: Draft) -> set[tuple[int, int]]:
    """Pairs of a generator and a map over it that takes the items as they come.

    A map that also waits for something that comes after the generator has to wait for its end, as for any list.
    """
    pairs = [(step.over, step.number) for step in draft.steps if step.over is not None]
    pairs = [(source, number) for source, number in pairs if draft.steps[source].shape.streams]
    if not pairs:
        return set()
    following: list[list[int]] = [[] for _ in draft.steps]
    before: list[list[int]] = [[] for _ in draft.steps]
    for edge in draft.edges:
        following[edge.source].append(edge.target)
        before[edge.target].append(edge.source)
    return {
        (source, number)
        for source, number in pairs
        if before[number].count(source) == 1 and not _also_by_another_way(source, number, following, before)
    }


def _also_by_another_way(source: int, number: int, following: list[list[int]], before: list[list[int]]) -> bool:
    others = {one for one in before[number] if one != source}
    return bool(others) and not others.isdisjoint(reached([source], following.__getitem__))
