"""The live view and the plain lines, drawn from facts with a clock that the test sets (J1, J3)."""

from __future__ import annotations

import io
import re
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
    assert lines[3] == "  · Report"
    assert lines[4] == "  ↻ Side              2.0s  again in 7.0s  ValueError: no"


def test_a_narrow_terminal_gets_less_and_never_a_broken_line(screen: Any) -> None:
    """J3: 40 columns, and 20."""
    story = Story("a_step_with_a_very_long_name_indeed", "other")
    story.fact(ev.StepStarted, 1, "a_step_with_a_very_long_name_indeed")
    story.fact(ev.MapExpanded, 1, "a_step_with_a_very_long_name_indeed", count=1000)
    story.fact(ev.ItemFailed, 2, "a_step_with_a_very_long_name_indeed[1]", index=1, failure=failed("a"))
    for width in (60, 40, 20):
        lines = screen(story.progress, 5.0, width=width)
        assert ("01RUN" in lines[0]) == (width == 60)
        assert "…" in lines[1]
        assert "1/1,000" in lines[1]
        assert ("1 failed" in lines[1]) == (width > 20)


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


def mapped(total: int, ended: int, *, seconds: float, **fields: object) -> Story:
    """A run whose map has ended so many items, evenly, in so many seconds."""
    story = Story("measure", "report")
    story.fact(ev.StepStarted, 0, "measure")
    story.fact(ev.MapExpanded, 0, "measure", count=total, **fields)
    for index in range(ended):
        story.fact(ev.ItemCompleted, (index + 1) * seconds / ended, f"measure[{index}]", index=index)
    return story


def test_a_map_shows_its_rate_and_the_time_that_is_left(screen: Any) -> None:
    """J3, J5."""
    story = mapped(2000, 1000, seconds=20)
    assert screen(story.progress, 20.0, width=100)[1].endswith("1,000/2,000  50/s  20s left  20.0s")
    early = mapped(2000, 4, seconds=1)
    assert screen(early.progress, 1.0, width=100)[1].endswith("4/2,000  1.0s")


def test_a_map_whose_source_still_runs_has_no_bar_and_no_end(screen: Any) -> None:
    """J3."""
    story = mapped(1204, 200, seconds=20, more=True)
    line = screen(story.progress, 20.0)[1]
    assert [part.strip() for part in line.split("  ")][-3:] == ["200/1,204 so far", "10/s", "20.0s"]
    assert "━" not in line
    assert "left" not in line


def test_lines_are_drawn_below_each_other(screen: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """J3: what comes out at the terminal, not only what was meant."""
    story = mapped(10, 5, seconds=20)
    screen(story.progress, 20.0, width=50)
    drawn = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().err)
    head, measure, report, *_ = drawn.replace("\r", "").split("\n")
    assert head == "tale  0/2 steps  20.0s"
    assert measure.startswith("  ⠋ Measure  ")
    assert "5/10" in measure
    assert report.startswith("  · Report")


def test_a_second_visit_is_told_with_its_number_and_a_join_with_what_it_waits_for(screen: Any) -> None:
    story = Story("draft", "other", "judge")
    story.fact(ev.StepStarted, 1, "draft#2")
    story.fact(ev.JoinWaiting, 2, "judge", waiting_for=("draft", "other"))
    lines = screen(story.progress, 5.0)
    assert lines[1].split()[1:3] == ["Draft", "#2"]
    assert lines[3] == "  · Judge             waits for draft, other"


def test_hundreds_of_maps_take_no_more_rows_than_there_are(screen: Any) -> None:
    """J3."""
    story = Story(*(f"m{n}" for n in range(300)))
    for n in range(300):
        story.fact(ev.StepStarted, n, f"m{n}")
        story.fact(ev.MapExpanded, n, f"m{n}", count=100)
    for height in (40, 10, 5):
        lines = screen(story.progress, 600.0, height=height)
        assert len(lines) <= height - 2
    assert screen(story.progress, 600.0, height=24)[-2].endswith("more that run or wait")


def test_what_a_step_prints_stands_above_the_view_with_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    """J10 in part."""
    story = Story("a")
    view = LiveView(story.progress, Terminal(is_terminal=True, live=True, colour=False, unicode=True, width=80))
    view.log([("a", "one"), ("a", "\x1b[2Jtwo")], 1.0)
    view.close()
    shown = capsys.readouterr().err
    assert "a | one\n" in shown
    assert "a | two" in shown
    assert "\x1b[2J" not in shown


def test_plain_lines_tell_each_tenth_of_a_map_with_rate_and_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    """J1, J5: not more often than every five seconds."""
    story = mapped(1000, 50, seconds=5)
    lines = PlainLines(story.progress, PLAIN, 0.0)
    for second in range(6, 30):
        for index in range(10):
            story.fact(ev.ItemCompleted, second, f"measure[{second}.{index}]", index=index)
        lines.tick(float(second))
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "[0/2] Measure... 100/1,000 items, 10/s, 1m 30s left"
    assert [line.split()[2].partition("/")[0] for line in told] == ["100", "200"]


def test_the_heartbeat_of_a_map_has_its_rate_and_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    """J1, J5."""
    story = mapped(1000, 60, seconds=30)
    PlainLines(story.progress, PLAIN, 0.0).tick(30.0)
    said = "[0/2] still running: Measure (30.0s, 60/1,000 items, 2.0/s, 7m 50s left)\n"
    assert capsys.readouterr().err == said


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
