"""The machine that runs the manual notices what is wrong on a page: planted mistakes, one a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import page as pages
from . import story
from .normal import same
from .page import blocks
from .story import Story, commands
from .terminal import plain, screen


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """A story in a folder of its own; nothing is written into its pages."""
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    monkeypatch.setattr(story, "WRITE", False)
    (tmp_path / "work").mkdir()
    return Story(tmp_path / "work")


def tell(told: Story, text: str) -> list[str]:
    page = told.folder.parent / "page.md"
    page.write_text(text, encoding="utf-8")
    told.tell(page)
    return told.problems


def test_a_page_that_says_what_comes_has_no_problems(told: Story) -> None:
    """Files, commands, Python and what it prints, in order and in one folder."""
    page = """
```text title="name.txt"
Ann
```

```console
$ cat name.txt
Ann
```

```python
import asyncio
from pathlib import Path

name = Path("name.txt").read_text()
await asyncio.sleep(0)
```

```python
print("hello", name.strip())
```

<!-- prints -->
```text
hello Ann
```
"""
    assert tell(told, page) == []


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        ("```console\n$ echo one\ntwo\n```\n", "page.md:1: `echo one` shows"),
        ("```console\n$ exit 3\n```\n", "exits with 3"),
        ("```console\n$ true   # exit code 3\n```\n", "exits with 0"),
        ("```python\nassert False\n```\n", "AssertionError"),
        ("```python\nprint(1)\n```\n\n<!-- prints -->\n```text\n2\n```\n", "shows\n2"),
        ("```ruby\nputs 1\n```\n", "cannot be run"),
        ('```python title="x.py"\nraise SystemExit(1)\n```\n', "x.py exits with 1"),
        ("<!-- picture: gone.svg -->\n```console\n$ echo one\n```\n", "gone.svg is not what"),
    ],
)
def test_what_does_not_come_as_the_page_says_is_told_with_its_place(told: Story, block: str, complaint: str) -> None:
    """One planted mistake each."""
    problems = tell(told, block)
    assert len(problems) == 1
    assert complaint in problems[0]


def test_a_block_with_a_reason_is_not_run(told: Story) -> None:
    """The reason stands where the reader sees it."""
    text = "*Not run by the tests: it would hang.*\n\n```console\n$ exit 3\n```\n"
    assert tell(told, text) == []
    assert [block.reason for block in blocks(told.folder.parent / "page.md")] == ["it would hang."]


def test_what_came_is_written_into_all_blocks_where_one_differs(told: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """`?` asks for it; where a command went wrong, nothing is written."""
    monkeypatch.setattr(story, "WRITE", True)
    page = told.folder.parent / "page.md"
    problems = tell(told, "```console\n$ echo one\n?\n$ echo two; exit 1\nelse\n$ seq 3\n1\n...\n```\n")
    told.write()
    assert len(problems) == 1
    assert page.read_text(encoding="utf-8") == (
        "```console\n$ echo one\none\n$ echo two; exit 1\nelse\n$ seq 3\n1\n...\n```\n"
    )


def test_ids_times_and_durations_may_differ_and_nothing_else() -> None:
    """What is normalised is a short table; a status or a number of steps is not in it."""
    shown = "run 01M80RA4W338Z8N41G80HFHTP7 completed in 0.1s (3 of 3 steps)"
    came = "run 01M80TEH7AEXQPR6KYFWVT3WZ7 completed in 12.4s (3 of 3 steps)"
    assert same([shown], [came])
    assert not same([shown], [came.replace("completed", "failed")])
    assert not same([shown], [came.replace("3 of 3", "2 of 3")])
    assert same(["1", "...", "9"], ["1", "2", "3", "9"])
    assert not same(["1", "...", "9"], ["1", "2", "3"])


def test_the_screen_is_what_is_left_after_the_cursor_has_moved() -> None:
    """A line that is erased and written anew is there once; colours are kept, and can be taken off."""
    written = "\x1b[?25lone\r\ntwo\r\n\x1b[1A\x1b[2K\x1b[32mTWO\x1b[0m\r\nthree\r\n\r\n"
    assert [plain(line) for line in screen(written)] == ["one", "TWO", "three"]
    assert "\x1b[32m" in screen(written)[1]


def test_a_command_may_go_on_in_the_next_line() -> None:
    """`> ` continues it, as a shell would show."""
    assert commands("$ echo one \\\n> two\none two\n$ ls\n") == [("echo one \\\ntwo", "one two\n"), ("ls", "")]
