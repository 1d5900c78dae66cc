"""A pipeline as a picture (N1, N2, N3): of a plan, of a run's record alone, and of both laid over each other."""

from __future__ import annotations

from stepwell import Pipeline
from stepwell import events as ev
from stepwell.events import BranchChosen
from stepwell.graph import Edge, build
from stepwell.state.fold import apply
from stepwell.state.state import State
from stepwell.views.diagram import Arrow, Mark, document, marks, of_plan, of_record

CHOICE = BranchChosen("r", 7, 1.0, "size", 1, "small", ("brief",))


def sample() -> Pipeline:
    pipe = Pipeline("sample")

    @pipe.step(label="All of them")
    def collect() -> list[str]:
        return ["a"]

    @pipe.map(over=collect)
    def measure(item: str) -> int:
        return len(item)

    @pipe.switch(to={"small": "brief", "tiny": "brief"}, default="survey")
    def size(measure: list[int]) -> str:
        return "small"

    @pipe.step
    def brief() -> int:
        return 1

    @pipe.step(to="end", after=brief)
    def survey() -> int:
        return 2

    @pipe.step
    def end() -> int:
        return 3

    return pipe


def test_a_plan_becomes_nodes_and_arrows_by_what_they_are() -> None:
    """N1: maps and switches have forms of their own; routes carry their values; waits are told from triggers."""
    picture = of_plan(sample().compile())
    assert [(node.name, node.kind) for node in picture.nodes] == [
        ("collect", "step"), ("measure", "map"), ("size", "switch"), ("brief", "step"), ("survey", "step"),
        ("end", "step"),
    ]  # fmt: skip
    assert picture.nodes[0].label == "All of them"
    assert set(picture.arrows) == {
        Arrow(0, 1, "wait"), Arrow(1, 2, "wait"), Arrow(2, 3, "route", "small, tiny"), Arrow(2, 4, "route", "default"),
        Arrow(3, 4, "wait"), Arrow(4, 5, "trigger"),
    }  # fmt: skip


def test_a_run_shows_what_became_of_each_step_and_which_routes_it_left() -> None:
    """N1: the status of a run laid over its plan."""
    steps = {
        "measure": Mark("failed", ("1/2 items",), is_map=True),
        "collect": Mark("completed", ("3 attempts", "visit 2")),
    }
    picture = of_plan(sample().compile(), steps, {"size": CHOICE})
    assert (picture.nodes[0].status, picture.nodes[0].notes) == ("completed", ("3 attempts", "visit 2"))
    assert (picture.nodes[1].status, picture.nodes[1].notes) == ("failed", ("1/2 items",))
    assert {(one.source, one.target): one.untaken for one in picture.arrows if one.kind == "route"} == {
        (2, 3): False, (2, 4): True,
    }  # fmt: skip


def test_a_record_alone_gives_a_picture_without_the_code() -> None:
    graph = build(["a", "size", "brief", "survey"], [
        Edge(0, 1, needs=True), Edge(1, 2, trigger=True, route=True), Edge(1, 3, trigger=True, route=True),
    ])  # fmt: skip
    steps = {"a": Mark("completed", is_map=True)}
    picture = of_record("sample", graph, steps, {"size": CHOICE})
    assert [node.kind for node in picture.nodes] == ["map", "switch", "step", "step"]
    assert picture.arrows[1:] == (Arrow(1, 2, "route", "small"), Arrow(1, 3, "route", "", untaken=True))


def test_the_marks_of_a_run_come_from_its_state() -> None:
    state = State(build(["a", "b"], [Edge(0, 1, needs=True)]))
    facts: list[ev.Event] = [
        ev.RunStarted("r", 1, 1.0),
        ev.StepStarted("r", 2, 1.0, "a", 1),
        ev.StepRetrying("r", 3, 1.0, "a", 1, retry_at=2.0),
        ev.StepStarted("r", 4, 2.0, "a", 2),
        ev.MapExpanded("r", 5, 2.0, "a", 2, count=3),
        ev.ItemCompleted("r", 6, 2.0, "a[0]", 1, index=0),
        ev.ItemCompleted("r", 7, 2.0, "a[1]", 1, index=1, skipped=True),
    ]
    for fact in facts:
        apply(state, fact)
    assert marks(state) == {"a": Mark("running", ("2/3 items", "2 attempts"), is_map=True), "b": Mark("pending")}


def test_joins_and_jumps_of_the_graph_are_in_the_picture() -> None:
    """B11, B12: a jump back is an arrow of its own kind; a join that waits for some says so."""
    graph = build(["draft", "other", "judge"], [Edge(0, 2), Edge(1, 2)], quorums={2: 1}, jumps=[(2, 0)])
    picture = of_record("loop", graph, {}, {})
    assert (picture.nodes[2].join, picture.nodes[2].words) == (1, ("joins any",))
    assert picture.nodes[0].join is None
    assert picture.arrows[-1] == Arrow(2, 0, "goto", "goto")


def test_as_json_arrows_name_their_steps() -> None:
    """N3, A22: the same picture as data."""
    found = document(of_plan(sample().compile()))
    assert found["pipeline"] == "sample"
    edges = found["edges"]
    assert isinstance(edges, list)
    assert {"source": "size", "target": "survey", "kind": "route", "label": "default", "untaken": False} in edges
