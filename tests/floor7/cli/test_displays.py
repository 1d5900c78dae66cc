"""The live view and the plain lines, drawn from facts with a clock that the test sets (J1, J3)."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from stepwell import events as ev
from stepwell.cli.live import LiveView
from stepwell.cli.plain import HEARTBEAT, PlainLines
from stepwell.cli.terminal import Terminal
from stepwell.cli.watch import Watch
from stepwell.events import Failure
from stepwell.journal.memory import MemoryStore
from stepwell.views.progress import Progress

PLAIN = Terminal(is_terminal=False, live=False, colour=False, unicode=True, width=None)


def failed(path: str) -> Failure:
    return Failure(path, path.partition("[")[0], None, "error", "user", "exception", "ValueError", "no", "", True, 1)


class Story:
    """A run as its facts tell it."""

    def __init__(self, *steps: str) -> None:
        self.progress = Progress()
        self.seq = 0
        self.fact(ev.RunStarted, 0.0, pipeline="tale", fingerprints=dict.fromkeys(steps, ""))

    def fact(self, kind: type[ev.Event], at: float, path: str = "", attempt: int = 1, **fields: object) -> Any:
        self.seq += 1
        return self.progress.apply(kind("01RUN", self.seq, at, path, attempt, **fields))


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the live view has drawn last, at a width."""
    monkeypatch.setattr(sys, "stderr", io.StringIO())

    def draw(progress: Progress, now: float, *, width: int = 80, height: int = 24, unicode: bool = True) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("LINES", str(height))
        terminal = Terminal(is_terminal=True, live=True, colour=False, unicode=unicode, width=width)
        view = LiveView(progress, terminal)
        view._now = now
        lines = [line.plain for line in view._lines(height - 2)]
        view.tick(now)
        view.close()
        assert all(len(line) < width for line in lines), lines
        assert len(lines) <= height - 2
        return lines

    return draw


def test_the_view_shows_each_step_with_its_state(screen: Any) -> None:
    """J3."""
    story = Story("fetch", "measure", "report", "side")
    story.fact(ev.StepStarted, 1, "fetch")
    story.fact(ev.StepCompleted, 3, "fetch")
    story.fact(ev.StepStarted, 3, "measure")
    story.fact(ev.MapExpanded, 3, "measure", count=200)
    for index in range(50):
        story.fact(ev.ItemCompleted, 4, f"measure[{index}]", index=index)
    story.fact(ev.ItemFailed, 4, "measure[50]", index=50, failure=failed("measure[50]"))
    story.fact(ev.StepStarted, 3, "side")
    story.fact(ev.StepRetrying, 4, "side", retry_at=12.0, failure=failed("side"))
    lines = screen(story.progress, 5.0)
    assert lines[0] == "tale  01RUN  1/4 steps  5.0s"
    assert lines[1] == "  ✓ Fetch             2.0s"
    assert "━━━━━━╌" in lines[2]
    assert lines[2].endswith("51/200  1 failed  2.0s")
    assert lines[3] == "  · Report          "
    assert lines[4] == "  ↻ Side              2.0s  again in 7.0s  ValueError: no"


def test_a_narrow_terminal_gets_less_and_never_a_broken_line(screen: Any) -> None:
    """J3: 40 columns, and 20."""
    story = Story("a_step_with_a_very_long_name_indeed", "other")
    story.fact(ev.StepStarted, 1, "a_step_with_a_very_long_name_indeed")
    story.fact(ev.MapExpanded, 1, "a_step_with_a_very_long_name_indeed", count=1000)
    for width in (40, 20):
        lines = screen(story.progress, 5.0, width=width)
        assert "01RUN" not in lines[0]
        assert lines[1].endswith("…")


def test_a_terminal_without_unicode_gets_ascii(screen: Any) -> None:
    story = Story("a", "b")
    story.fact(ev.StepStarted, 1, "a")
    story.fact(ev.MapExpanded, 1, "a", count=2)
    story.fact(ev.ItemCompleted, 2, "a[0]", index=0)
    for line in screen(story.progress, 5.0, unicode=False):
        assert line.isascii(), line


def test_a_run_of_1000_steps_shows_what_runs_what_ended_last_and_counts(screen: Any) -> None:
    """J3: never a flood."""
    story = Story(*(f"s{n}" for n in range(1000)))
    for n in range(500):
        story.fact(ev.StepStarted, n, f"s{n}")
    for n in range(300):
        story.fact(ev.StepCompleted, n + 1, f"s{n}")
    lines = screen(story.progress, 600.0)
    assert lines[0].endswith("300/1,000 steps  10m 00s")
    assert [line.split()[1] for line in lines[1:4]] == ["S297", "S298", "S299"]
    assert lines[-2] == "  and 184 more that run or wait"
    assert lines[-1] == "  300 done, 500 pending"


def test_plain_lines_have_a_heartbeat_when_nothing_changes(capsys: pytest.CaptureFixture[str]) -> None:
    """J1."""
    story = Story("a", "b")
    lines = PlainLines(story.progress, PLAIN, 0.0)
    story.fact(ev.StepStarted, 0, "a")
    lines.tick(HEARTBEAT - 1)
    assert capsys.readouterr().err == ""
    lines.tick(HEARTBEAT)
    assert capsys.readouterr().err == "[0/2] still running: A (30.0s)\n"
    lines.tick(HEARTBEAT + 1)
    assert capsys.readouterr().err == ""
    lines.change(story.fact(ev.StepRetrying, 40, "a", retry_at=100.0, failure=failed("a")), 40)
    lines.tick(75)
    assert capsys.readouterr().err.splitlines()[1] == "[0/2] still running: A (1m 15s, tried again in 25.0s)"


def test_many_warnings_for_one_reason_are_told_a_few_times(capsys: pytest.CaptureFixture[str]) -> None:
    story = Story("a")
    lines = PlainLines(story.progress, PLAIN, 0.0)
    for _ in range(9):
        lines.change(story.fact(ev.WarningIssued, 1, reason="r", message="mind"), 1)
    assert capsys.readouterr().err.splitlines() == [
        "warning: mind", "warning: mind", "warning: mind; there are more like this, in `stepwell show`",
    ]  # fmt: skip


def test_the_past_of_a_run_that_goes_on_is_folded_and_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    store, progress = MemoryStore(), Progress()
    lease = store.create("R", "p", "")
    assert lease is not None
    store.append(lease, [
        ev.RunStarted("R", 1, 1.0, pipeline="p", fingerprints={"a": "", "b": ""}),
        ev.StepStarted("R", 2, 2.0, "a", 1),
        ev.StepCompleted("R", 3, 3.0, "a", 1),
        ev.StepStarted("R", 4, 10.0, "b", 1),
        ev.StepCompleted("R", 5, 11.0, "b", 1),
    ])  # fmt: skip
    with Watch(store, "R", progress, PlainLines(progress, PLAIN, 0.0), since=5.0, interrupted=str):
        pass
    assert capsys.readouterr().err == "[2/2] B... ok (1.0s)\n"
    assert progress.ended == 2


def test_an_interrupt_is_told_once_and_its_record_not_again(capsys: pytest.CaptureFixture[str]) -> None:
    store, progress = MemoryStore(), Progress()
    lease = store.create("R", "p", "")
    assert lease is not None
    store.append(lease, [ev.RunStarted("R", 1, 1.0, fingerprints={"a": ""})])
    with Watch(store, "R", progress, PlainLines(progress, PLAIN, 0.0), since=0.0, interrupted=lambda: "why") as watch:
        watch.say_interrupted()
        watch.say_interrupted()
        store.append(lease, [ev.RunCancelled("R", 2, 2.0, reason="why")])
    assert capsys.readouterr().err == "why; what runs is being ended. Once more kills it at once\n"
