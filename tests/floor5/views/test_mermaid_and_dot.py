"""Mermaid (N1) and DOT (N2): every text is read back with a small parser of the language, whatever is in the names."""

from __future__ import annotations

import doctest
import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepwell.views import dot as dot_room
from stepwell.views import mermaid as mermaid_room
from stepwell.views.diagram import Arrow, Node, Picture
from stepwell.views.dot import dot
from stepwell.views.mermaid import mermaid

NASTY = [
    'say "no"',
    "a -->|b| c",
    "1. first",
    "- item",
    "end",
    "<b>&#35;</b>",
    "back\\slash",
    "`code`",
    "日本",
    "x\ny",
    "}",
]
NODE = re.compile(r'    s(\d+)@\{ shape: (rounded|processes|diamond), label: "([^"\\]*)" \}')
ARROW = re.compile(r'    s(\d+) (-->|-\.->|==>)(?:\|"([^"\\|]*)"\|)? s(\d+)')
STYLE = re.compile(
    r"    (linkStyle [\d,]+ opacity:0\.35|classDef \w+ fill:#\w{6},stroke:#\w{6},color:#\w{6}|class s[\ds,]+ \w+)"
)
DOT_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|->|[{}\[\];,=]|[A-Za-z0-9_.]+')


def sample(texts: list[str]) -> Picture:
    nodes = (
        Node("a", texts[0]),
        Node("b", texts[1], "map", "failed", (texts[2],)),
        Node("c", texts[3], "switch", "pending"),
    )
    arrows = (
        Arrow(0, 1, "trigger"), Arrow(1, 2, "wait"), Arrow(2, 0, "goto", "goto"),
        Arrow(2, 1, "route", texts[4], untaken=True),
    )  # fmt: skip
    return Picture(texts[5], nodes, arrows)


def unescaped(text: str) -> str:
    return re.sub(r"#(\d+);", lambda match: chr(int(match[1])), text)


def check_mermaid(picture: Picture) -> None:
    """The text as Mermaid reads it says what the picture does."""
    fence, title, also, head, *body = mermaid(picture).split("\n")
    assert (fence, also, head) == ("---", "---", "flowchart TD")
    assert unescaped(title.removeprefix('title: "').removesuffix('"')) == " ".join(picture.title.split())
    nodes = [found for line in body if (found := NODE.fullmatch(line))]
    arrows = [found for line in body if (found := ARROW.fullmatch(line))]
    rest = [line for line in body if not NODE.fullmatch(line) and not ARROW.fullmatch(line)]
    assert all(STYLE.fullmatch(line) for line in rest), rest
    assert [unescaped(found[3]).split("<br/>")[0] for found in nodes] == [
        " ".join(n.label.split()) for n in picture.nodes
    ]
    assert [(int(found[1]), int(found[4]), unescaped(found[3] or "")) for found in arrows] == [
        (arrow.source, arrow.target, " ".join(arrow.label.split())) for arrow in picture.arrows
    ]


def read_dot(text: str) -> list[str]:
    """The tokens of a DOT text; a character that begins none of them fails."""
    tokens: list[str] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found = DOT_TOKEN.match(text, at)
        assert found is not None, text[at:]
        tokens.append(found[0])
        at = found.end()
    return tokens


def check_dot(picture: Picture) -> None:
    tokens = read_dot(dot(picture))
    assert tokens[0] == "digraph"
    assert tokens.count("{") == tokens.count("}") == 1
    assert tokens.count("->") == len(picture.arrows)
    assert tokens.count("[") == tokens.count("]") == len(picture.nodes) + len(picture.arrows) + 2


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(mermaid_room).failed == doctest.testmod(dot_room).failed == 0


@pytest.mark.parametrize("text", NASTY)
def test_no_name_breaks_out_of_its_quotes(text: str) -> None:
    """N1, N2: labels are escaped."""
    picture = sample([text] * 6)
    check_mermaid(picture)
    check_dot(picture)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12), min_size=6, max_size=6))
def test_any_text_can_be_drawn(texts: list[str]) -> None:
    picture = sample([text if text.strip() and "<br/>" not in text else "x" for text in texts])
    check_mermaid(picture)
    check_dot(picture)


def test_forms_and_lines_tell_what_they_are() -> None:
    """N1: maps are stacked, switches diamonds; waits are dashed, jumps back thick; what was left is pale."""
    lines = mermaid(sample(["A", "B", "1/2 items", "C", "small", "t"])).split("\n")
    assert '    s1@{ shape: processes, label: "B<br/>1/2 items, failed" }' in lines
    assert '    s2@{ shape: diamond, label: "C<br/>pending" }' in lines
    assert "    s1 -.-> s2" in lines
    assert '    s2 ==>|"goto"| s0' in lines
    assert "    linkStyle 3 opacity:0.35" in lines
    assert "    class s1 failed" in lines
    drawn = dot(sample(["A", "B", "1/2 items", "C", "small", "t"]))
    assert 's1 [label="B\\n1/2 items, failed", shape=box3d, style=filled' in drawn
    assert "s1 -> s2 [style=dashed];" in drawn
    assert "constraint=false" in drawn


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed here")
@pytest.mark.parametrize("text", NASTY)
def test_graphviz_itself_reads_it(text: str) -> None:
    """N2."""
    done = subprocess.run(
        ["dot", "-Tplain"], input=dot(sample([text] * 6)), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
