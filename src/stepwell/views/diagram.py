"""A pipeline as a picture: steps and what leads to what, of a plan or of a run's record; `mermaid`, `dot` draw it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from stepwell.events import BranchChosen
from stepwell.graph import Graph
from stepwell.plan.plan import Plan
from stepwell.state.state import STATUS, State
from stepwell.views.outline import routes
from stepwell.views.records import StepRecord, records

ArrowKind = Literal["trigger", "route", "wait", "goto"]
NodeKind = Literal["step", "map", "switch"]


@dataclass(frozen=True, slots=True)
class Node:
    """One step: its name, the text that people see, its form, and what became of it, if this is of a run.

    `notes` are short words beside the label, such as `40/120 items`; `join` is how many of the steps before it are
    enough, where that is not all of them.
    """

    name: str
    label: str
    kind: NodeKind = "step"
    status: str = ""
    notes: tuple[str, ...] = ()
    join: int | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """All that is written below the label, but the status."""
        if self.join is None:
            return self.notes
        return ("joins any" if self.join == 1 else f"joins {self.join}", *self.notes)


@dataclass(frozen=True, slots=True)
class Arrow:
    """That one step leads to another, by number; `label` is the value of a switch that chooses it.

    A `trigger` starts its target, a `route` does if it is chosen, a `wait` only holds it up (for a value or the order),
    a `goto` may lead back.
    `untaken`: a route that the run did not choose.
    """

    source: int
    target: int
    kind: ArrowKind
    label: str = ""
    untaken: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """What became of a step in a run, as far as a picture shows it; `is_map`: it has items."""

    status: str
    notes: tuple[str, ...] = ()
    is_map: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A whole pipeline; nodes by number, in the order of definition."""

    title: str
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]


def marks(state: State, steps: Mapping[str, StepRecord] | None = None) -> dict[str, Mark]:
    """What became of each step of a run, by name; of its items, what the records of the steps say."""
    steps = records(state) if steps is None else steps
    return {name: _mark(state, number, steps[name].counts) for number, name in enumerate(state.graph.names)}


def _mark(state: State, number: int, counts: Mapping[str, int]) -> Mark:
    notes: list[str] = []
    items = state.maps.get(number)
    if items is not None:
        done = counts.get("completed", 0) + counts.get("skipped", 0)
        notes.append(f"{done:,}/{items.total:,} items")
    if state.attempts[number] > 1:
        notes.append(f"{state.attempts[number]} attempts")
    if number in state.visits:
        notes.append(f"visit {state.visits[number]}")
    return Mark(STATUS[state.steps[number]], tuple(notes), items is not None)


def of_plan(
    plan: Plan, steps: Mapping[str, Mark] | None = None, chosen: Mapping[str, BranchChosen] | None = None
) -> Picture:
    """The picture of a plan; with the marks and choices of a run, also what became of its steps."""
    nodes: list[Node] = []
    for step in plan.steps:
        mark = (steps or {}).get(step.name, Mark(""))
        notes = (*(("ephemeral",) if step.ephemeral else ()), *mark.notes)
        join = plan.graph.quorums.get(step.number)
        nodes.append(Node(step.name, step.label, step.kind, mark.status, notes, join))
    labels: dict[tuple[int, int], list[str]] = {}
    for step in plan.steps:
        for value, targets in routes(plan, step).items():
            for target in targets:
                labels.setdefault((step.number, plan.graph.number[target]), []).append(value)
    joined = {pair: ", ".join(found) for pair, found in labels.items()}
    return Picture(plan.name, tuple(nodes), _arrows(plan.graph, joined, chosen or {}))


def of_record(title: str, graph: Graph, steps: Mapping[str, Mark], chosen: Mapping[str, BranchChosen]) -> Picture:
    """The picture of a run, without the code of its pipeline; `chosen`: what each switch chose, by its name.

    What the record does not say is missing: labels, and the values of routes that were not taken.
    """
    switches = {edge.source for edge in graph.edges if edge.route}
    nodes: list[Node] = []
    for number, name in enumerate(graph.names):
        mark = steps.get(name, Mark(""))
        kind: NodeKind = "switch" if number in switches else "map" if mark.is_map else "step"
        nodes.append(Node(name, name, kind, mark.status, mark.notes, graph.quorums.get(number)))
    taken = {
        (graph.number[name], graph.number[target]): fact.value
        for name, fact in chosen.items()
        for target in fact.chosen
    }
    return Picture(title, tuple(nodes), _arrows(graph, taken, chosen))


def _arrows(
    graph: Graph, labels: Mapping[tuple[int, int], str], chosen: Mapping[str, BranchChosen]
) -> tuple[Arrow, ...]:
    found: list[Arrow] = []
    for edge in graph.edges:
        kind: ArrowKind = "route" if edge.route else "trigger" if edge.trigger else "wait"
        choice = chosen.get(graph.names[edge.source]) if edge.route else None
        untaken = choice is not None and graph.names[edge.target] not in choice.chosen
        label = labels.get((edge.source, edge.target), "as they come" if edge.live else "")
        found.append(Arrow(edge.source, edge.target, kind, label, untaken))
    found += [Arrow(source, target, "goto", "goto") for source, target in graph.jumps]
    return tuple(found)


def document(picture: Picture) -> dict[str, object]:
    """The picture as JSON has it; arrows name their steps."""
    names = [node.name for node in picture.nodes]
    return {
        "pipeline": picture.title,
        "nodes": [
            {
                "name": node.name, "label": node.label, "kind": node.kind, "status": node.status or None,
                "notes": list(node.notes), "join": node.join,
            }
            for node in picture.nodes
        ],
        "edges": [
            {
                "source": names[one.source], "target": names[one.target], "kind": one.kind, "label": one.label or None,
                "untaken": one.untaken,
            }
            for one in picture.arrows
        ],
    }  # fmt: skip
