"""`stepwell graph TARGET|RUN`: a pipeline as a picture: in the terminal, or as text for Mermaid and Graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from cyclopts import Parameter

from stepwell import events as ev
from stepwell.api.app import App
from stepwell.api.glance import glance
from stepwell.cli import completions
from stepwell.cli.options import Json, Store, find, opened
from stepwell.cli.streams import guarded
from stepwell.cli.subject import Subject, run_meant, target_meant
from stepwell.cli.terminal import STATUS_COLOURS, Terminal, look
from stepwell.errors import InputError
from stepwell.graph import Graph
from stepwell.journal.port import RunRow, Wanted
from stepwell.plan.plan import Plan
from stepwell.views.diagram import Mark, Node, Picture, document, marks, of_plan, of_record
from stepwell.views.dot import dot
from stepwell.views.drawing import draw
from stepwell.views.mermaid import mermaid

_PAGE = 1000
_MARKS: Mapping[str, tuple[str, str]] = {
    "": ("○", "o"), "pending": ("○", "o"), "running": ("▶", ">"), "waiting": ("…", "."), "completed": ("✓", "+"),
    "tolerated": ("!", "!"), "failed": ("✗", "x"), "cancelled": ("✗", "x"), "skipped": ("–", "-"), "pruned": ("–", "-"),
}  # fmt: skip
_SILENT = ("", "completed", "pending")
"""What the mark alone says."""
Format = Annotated[
    Literal["text", "mermaid", "dot", "json"],
    Parameter(help="A drawing for the terminal, the text of another program, or data."),
]
RunOver = Annotated[
    str | None,
    Parameter(
        name="--run", metavar="RUN", completer=completions.runs, help="Of a target: show in it what became of this run."
    ),
]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run as far as a picture shows it."""

    row: RunRow
    graph: Graph
    steps: Mapping[str, Mark]
    chosen: Mapping[str, ev.BranchChosen]


def graph(
    subject: Subject,
    /,
    *,
    format: Format = "text",
    run: RunOver = None,
    json: Json = False,
    store: Store = None,
) -> int:
    """Draw a pipeline. Of a run, draw it with what became of each step; that needs no code."""
    row = run_meant(subject, store, "graph")
    recorded: Recorded | None = None
    with guarded() as out:
        if row is not None:
            if run is not None:
                raise InputError(f"graph: {subject} is a run already; --run is for a target")
            recorded = found = _recorded(row.run_id, store)
            picture = of_record(row.pipeline, found.graph, found.steps, found.chosen)
        else:
            plan = target_meant(subject).pipeline.compile()
            recorded = None if run is None else _recorded(run, store)
            picture = _laid_over(plan, subject, recorded)
        if json or format == "json":
            out.versioned({"run_id": recorded.row.run_id if recorded else None, **document(picture)})
        elif format == "text":
            out.text("\n".join(_lines(picture, recorded, look(out.stream))))
        else:
            out.text(mermaid(picture) if format == "mermaid" else dot(picture))
    return 0


def _laid_over(plan: Plan, target: str, recorded: Recorded | None) -> Picture:
    """The plan, with what became of its steps in a run where one was named; raises InputError for one of another."""
    if recorded is None:
        return of_plan(plan)
    row = recorded.row
    if row.pipeline != plan.name:
        raise InputError(f"run {row.run_id} is of pipeline `{row.pipeline}`, and {target} is `{plan.name}`")
    return of_plan(plan, recorded.steps, recorded.chosen)


def _recorded(run: str, store: str | None) -> Recorded:
    with opened(store, "graph") as app:
        row = find(app, run)
        found = glance(app.store, row, 0)
        chosen = {fact.path.partition("#")[0]: fact for fact in _choices(app, row)}
    return Recorded(row, found.state.graph, marks(found.state, found.steps), chosen)


def _choices(app: App, row: RunRow) -> Iterator[ev.BranchChosen]:
    """What the switches of a run have chosen, the latest of each last."""
    after, wanted = 0, Wanted(frozenset({ev.EventKind.BRANCH_CHOSEN}))
    while page := app.store.read(row.run_id, after, _PAGE, wanted):
        yield from (fact for fact in page if isinstance(fact, ev.BranchChosen))
        after = page[-1].seq


def _lines(picture: Picture, recorded: Recorded | None, terminal: Terminal) -> Iterator[str]:
    if recorded is None:
        yield terminal.paint(picture.title, "bold")
    else:
        row = recorded.row
        yield terminal.fit(f"{picture.title}  run {row.run_id}  {row.status}")
    for line in draw(picture, unicode=terminal.unicode):
        node = picture.nodes[line.number]
        status = f"  {node.status}" if node.status not in _SILENT else ""
        said = f"  {line.said}" if line.said else ""
        text = terminal.fit(f"{line.lead}{_mark(node, terminal)} {node.name}{status}{said}")
        yield _painted(text, line.lead, node, terminal)


def _mark(node: Node, terminal: Terminal) -> str:
    return _MARKS.get(node.status, _MARKS[""])[0 if terminal.unicode else 1]


def _painted(text: str, lead: str, node: Node, terminal: Terminal) -> str:
    """The line with its mark and name in the colour of the status."""
    colour = STATUS_COLOURS.get(node.status)
    end = len(lead) + 2 + len(node.name)
    return f"{text[: len(lead)]}{terminal.paint(text[len(lead) : end], colour)}{text[end:]}"
