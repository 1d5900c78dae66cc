"""A picture drawn with characters (N1): readable where there is little room, whatever the pipeline's form."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from stepwell.views.diagram import Arrow, Node, Picture
from stepwell.views.drawing import draw


def picture(names: str, *arrows: str, **labels: str) -> Picture:
    """Arrows are written `ab`: from a to b."""
    at = {name: number for number, name in enumerate(names)}
    found = tuple(Arrow(at[one[0]], at[one[1]], "wait", labels.get(one, "")) for one in arrows)
    return Picture("p", tuple(Node(name, name) for name in names), found)


def lines(drawn: Picture, *, unicode: bool = True) -> list[str]:
    return [f"{line.lead}{drawn.nodes[line.number].name} {line.said}".rstrip() for line in draw(drawn, unicode=unicode)]


def test_a_chain_stays_in_its_column() -> None:
    assert lines(picture("abc", "ab", "bc")) == ["a", "b", "c"]


def test_branches_are_indented_and_what_joins_them_stands_below() -> None:
    drawn = picture("abcdef", "ab", "ac", "bd", "df", "cf", "ae", ab="small")
    assert lines(drawn) == ["a", "├─b [a: small]", "│ d", "├─c", "└─e", "f after c, d"]
    assert lines(drawn, unicode=False)[1:3] == ["|-b [a: small]", "| d"]


def test_an_arrow_that_says_nothing_new_is_left_out() -> None:
    """What comes before a step anyway is not named once more."""
    assert lines(picture("abc", "ab", "bc", "ac")) == ["a", "b", "c"]


def test_several_beginnings_are_branches_of_nothing() -> None:
    assert lines(picture("abc", "ac", "bc")) == ["├─a", "└─b", "c after a, b"]


def test_forms_notes_and_jumps_are_said_behind_the_name() -> None:
    """B11: where a step may go back to."""
    drawn = Picture(
        "p", (Node("draft", "D"), Node("judge", "J", "switch", "", ("2 attempts",))),
        (Arrow(0, 1, "wait"), Arrow(1, 0, "goto", "goto")),
    )  # fmt: skip
    assert lines(drawn) == ["draft", "judge (switch, 2 attempts)  back to draft"]


def test_a_join_that_waits_for_some_names_them_all() -> None:
    """B11: what comes before it anyway counts there too."""
    drawn = Picture(
        "p", (Node("a", "A"), Node("b", "B"), Node("c", "C", join=1), Node("d", "D", join=2)),
        (Arrow(0, 1, "wait"), Arrow(0, 2, "wait"), Arrow(1, 2, "wait"), Arrow(0, 3, "wait"), Arrow(1, 3, "wait")),
    )  # fmt: skip
    assert lines(drawn) == ["a", "└─b", "c after any of a, b", "d after 2 of a, b"]


def test_of_many_sources_a_few_are_named() -> None:
    wide = Picture("p", tuple(Node(f"n{i}", "") for i in range(8)), tuple(Arrow(i, 7, "wait") for i in range(7)))
    assert lines(wide)[-1] == "n7 after n0, n1, n2, n3 and 3 more"


@given(st.data())
def test_every_step_is_drawn_once_and_after_all_before_it(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 12))
    pairs = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(lambda pair: pair[0] < pair[1])
    chosen = data.draw(st.sets(pairs, max_size=20)) if size > 1 else set()
    drawn = Picture("p", tuple(Node(f"n{i}", "") for i in range(size)), tuple(Arrow(*pair, "wait") for pair in chosen))
    order = [line.number for line in draw(drawn)]
    assert sorted(order) == list(range(size))
    place = {number: at for at, number in enumerate(order)}
    assert all(place[source] < place[target] for source, target in chosen)


def test_ten_thousand_steps_are_drawn_without_recursion() -> None:
    size = 10_000
    chain = tuple(Arrow(i, i + 1, "wait") for i in range(size - 1))
    found = draw(Picture("p", tuple(Node(f"n{i}", "") for i in range(size)), chain))
    assert len(found) == size
    assert all(line.lead == "" for line in found)
