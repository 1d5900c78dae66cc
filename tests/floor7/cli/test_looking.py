"""`ls`, `show`, `resume`, `cancel`, `version` and the help: what people and programs are told (O1, O2, O6)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stepwell.api.app import App
from stepwell.cli.terminal import Column, Terminal, cells, cut, look, table, wrapped

FLAKY = """from pathlib import Path
from stepwell import Pipeline
pipe = Pipeline("flaky")
@pipe.step
def items() -> list[str]:
    return ["a", "b"]
@pipe.map(over=items, key=lambda item: item, concurrency=1)
def each(item: str) -> int:
    if item == "b" and not Path("mended").exists():
        raise ValueError("b is broken")
    return 1
@pipe.step
def total(each: list[int]) -> int:
    return sum(each)
"""


@pytest.fixture
def failed(desk: Any) -> Any:
    desk.write("flaky.py", FLAKY)
    return desk("run", "flaky.py")


# --- ls ---------------------------------------------------------------------------------------------------------------


def test_ls_lists_the_latest_first_and_takes_filters(desk: Any, digest: Path, failed: Any) -> None:
    """O1."""
    desk("run", digest, "--folder", "x")
    lines = desk("ls").out.splitlines()
    assert lines[0].split() == ["RUN", "PIPELINE", "STATUS", "STARTED", "TIME", "STEPS"]
    assert [line.split()[1] for line in lines[1:]] == ["digest", "flaky"]
    assert lines[2].split()[0] == failed.run_id
    assert "flaky" not in desk("ls", "--status", "completed").out
    assert "digest" not in desk("ls", "--pipeline", "flaky").out
    few = desk("ls", "-n", "1")
    assert len(few.out.splitlines()) == 2
    assert "and more" in few.err


def test_ls_of_a_pipeline_that_can_have_no_such_name_lists_none(desk: Any, failed: Any) -> None:
    """Bytes that are no text come as halves of characters, which no store holds."""
    asked = desk("ls", "--pipeline", "\ud8ff")
    assert (asked.code, asked.out) == (0, "")
    assert "no runs like that" in asked.err


def test_ls_json_is_one_document(desk: Any, failed: Any) -> None:
    found = desk("ls", "--json").document
    (run,) = found["runs"]
    assert found["schema_version"] == 1
    assert (run["run_id"], run["status"], run["steps_total"], run["steps_done"]) == (failed.run_id, "failed", 3, 1)
    assert run["target"] == f"{desk.folder / 'flaky.py'}:pipe"


def test_ls_without_runs_says_so_on_stderr(desk: Any) -> None:
    done = desk("ls")
    assert (done.code, done.out) == (0, "")
    assert "no runs in .stepwell/stepwell.db" in done.err
    assert desk("ls", "--json").document["runs"] == []
    assert list(desk.folder.iterdir()) == []


@pytest.mark.parametrize("tokens", [["--status", "done"], ["-n", "0"], ["-n", "x"], ["extra"]])
def test_ls_refuses_what_makes_no_sense(desk: Any, tokens: list[str]) -> None:
    done = desk("ls", *tokens)
    assert done.code == 2
    assert done.err.startswith("stepwell: ")


def test_a_table_gives_up_columns_before_it_breaks_its_lines() -> None:
    columns = (
        Column("RUN"),
        Column("PIPELINE", shrinks=True),
        Column("STARTED", gives_way=1),
        Column("TIME", gives_way=2),
    )
    rows = [("01ABC", "a-rather-long-pipeline", "2 min ago", "1.2s")]
    assert table(columns, rows, None)[0][1] == "01ABC  a-rather-long-pipeline  2 min ago  1.2s"
    assert table(columns, rows, 45)[0][1] == "01ABC  a-rather-long-pipeline  2 min ago"
    assert table(columns, rows, 30)[0][1] == "01ABC  a-rather-long-pipeline"
    narrow = table(columns, rows, 20)[0]
    assert all(cells(line) <= 20 for line in narrow)
    assert narrow[1] == "01ABC  a-rather-lon…"


def test_a_text_goes_on_behind_its_head_or_below_it() -> None:
    """Where the column would be too narrow to read, the lines stand below; none is wider than the terminal."""
    roomy = Terminal(is_terminal=True, live=False, colour=False, unicode=True, width=40)
    text = "one two three four five six seven"
    assert wrapped("head", text, roomy) == ["head  one two three four five six seven"]
    assert wrapped("head  ", text, roomy) == ["head    one two three four five six", "        seven"]
    assert wrapped("error:", "short", roomy) == ["error: short"]
    assert wrapped("a-head-that-is-long", text, roomy) == [
        "a-head-that-is-long",
        "      one two three four five six seven",
    ]
    assert wrapped("", "", roomy) == [""]
    endless = Terminal(is_terminal=False, live=False, colour=False, unicode=True, width=None)
    assert wrapped("head", text * 9, endless) == [f"head  {text * 9}"]


# --- show -------------------------------------------------------------------------------------------------------------


def test_show_tells_steps_items_and_the_line_that_failed(desk: Any, failed: Any) -> None:
    """O2."""
    out = desk("show", failed.run_id).out
    assert out.startswith(f"run {failed.run_id}  flaky  failed\n")
    assert "  [OK] items" in out
    assert "[FAIL] each" in out
    assert "1 of 2 items, 1 failed" in out
    assert "[FAIL] each[b]: ValueError: b is broken" in out
    assert "flaky.py:10 in each" in out
    assert out.rstrip().endswith(f"stepwell resume {failed.run_id}")
    assert "[b]  failed" in desk("show", failed.run_id, "--items").out


def test_show_needs_no_code_of_the_pipeline(desk: Any, failed: Any) -> None:
    (desk.folder / "flaky.py").unlink()
    assert "each[b]" in desk("show", "last").out


def test_show_json_has_everything(desk: Any, digest: Path, failed: Any) -> None:
    found = desk("show", failed.run_id[:12].lower(), "--json").document
    steps = {step["step"]: step for step in found["steps"]}
    assert steps["each"]["items"] == {"total": 2, "completed": 1, "failed": 1}
    assert list(steps["each"]["listed"]) == ["b"]
    assert steps["total"]["status"] == "pending"
    (failure,) = found["failures"]
    assert (failure["item"], failure["line"], failure["type"]) == ("b", 10, "ValueError")
    desk("run", digest, "--folder", "x", "--tags", "t")
    assert desk("show", "last", "--json").document["inputs"] == {
        "folder": "x", "suffix": ".md", "tags": ["t"], "deep": False, "top": None,
    }  # fmt: skip


MANY_FAIL = """from stepwell import Pipeline
pipe = Pipeline("many")
@pipe.step
def numbers() -> list[int]:
    return list(range(1200))
@pipe.map(over=numbers, min_success=1)
async def borne(number: int) -> int:
    if number < 1100:
        raise ValueError(f"no {number}")
    return number
@pipe.map(over=numbers, after=borne, min_success=1200)
async def fatal(number: int) -> int:
    if number >= 1185:
        raise ValueError(f"no {number}")
    return number
"""


def test_show_counts_the_failures_that_it_does_not_list(desk: Any) -> None:
    """O2, K9: the first of each kind are told, whatever their number, and all with --items."""
    desk.write("many.py", MANY_FAIL)
    assert desk("run", "many.py", "-q").code == 1
    out = desk("show", "last").out
    assert "100 of 1,200 items, 1,100 failed" in out
    assert out.count("[FAIL] fatal[") == out.count("[WARN] borne[") == 10
    fatal, borne = out.index("       and 5 more\n"), out.index("       and 1,090 more\n")
    assert out.index("[FAIL] fatal[") < fatal < out.index("[WARN] borne[") < borne
    found = desk("show", "last", "--json").document
    assert len(found["failures"]) == 1000 + 15
    assert found["failures_left_out"] == 100
    steps = {step["step"]: step for step in found["steps"]}
    assert steps["borne"]["items"] == {"total": 1200, "completed": 100, "failed": 1100}
    assert len(steps["borne"]["listed"]) == 1000
    whole = desk("show", "last", "--json", "--items").document
    assert (len(whole["failures"]), "failures_left_out" in whole) == (1115, False)
    assert len({step["step"]: step for step in whole["steps"]}["borne"]["listed"]) == 1200


def test_show_says_that_the_inputs_are_lost(desk: Any, digest: Path) -> None:
    """S3, K10: rather than nothing."""
    desk("run", digest, "--folder", "x" * 20_000)
    for blob in (path for path in desk.folder.rglob("*.blobs/**/*") if path.is_file()):
        blob.unlink()
    assert "its inputs are lost: " in desk("show", "last").out


def test_show_of_a_long_pipeline_lists_what_matters(desk: Any) -> None:
    desk.write(
        "p.py",
        "from stepwell import Pipeline\npipe = Pipeline('p')\ndef noop() -> None: ...\n"
        "for n in range(150):\n    pipe.add_step(f's{n}', noop)\n",
    )
    desk("run", "p.py", "-q")
    assert "[OK] 150 steps" in desk("show", "last").out
    assert desk("show", "last", "--items").out.count("[OK]") == 150


@pytest.mark.parametrize("command", ["show", "resume", "cancel"])
def test_a_run_is_found_by_last_or_by_a_unique_prefix(desk: Any, failed: Any, command: str) -> None:
    """O1: Docker style."""
    none = desk(command, "01ZZZZ")
    assert none.code == 4
    assert "there is no run 01ZZZZ" in none.err
    assert "(the store is .stepwell/stepwell.db)" in none.err
    assert desk(command, failed.run_id[:2]).code == 4
    desk("run", "flaky.py")
    both = desk(command, failed.run_id[:6])
    assert both.code == 4
    assert "could be" in both.err
    assert failed.run_id in both.err


def test_in_an_empty_store_there_is_no_last_run(desk: Any) -> None:
    assert desk("show", "last").code == 4


# --- resume -----------------------------------------------------------------------------------------------------------


def test_resume_runs_what_failed_and_works_from_another_folder(
    desk: Any, failed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F6, O6: the target is kept with the run."""
    desk.write("elsewhere/mended", "")
    monkeypatch.chdir(desk.folder / "elsewhere")
    done = desk("resume", failed.run_id, "--store", "../.stepwell/stepwell.db")
    assert (done.code, done.out) == (0, "2\n")
    assert done.run_id == failed.run_id
    assert "[OK] each" in done.err
    assert "Items..." not in done.err


def test_resume_of_a_run_that_succeeded_prints_its_output_again(desk: Any, digest: Path) -> None:
    first = desk("run", digest, "--folder", "x")
    again = desk("resume", "last")
    assert (again.code, again.out) == (0, first.out)
    assert "printed by a step" not in again.err


def test_changed_code_blocks_until_somebody_decides(desk: Any) -> None:
    """F18."""
    desk.write("flaky.py", FLAKY)
    desk.apart("run", "flaky.py")
    desk.write("mended", "")
    desk.write("flaky.py", FLAKY.replace('["a", "b"]', '["a", "b"] + []'))
    refused = desk.apart("resume", "last")
    assert refused.code == 9
    assert "--on-change keep" in refused.err
    assert "is blocked" not in refused.err.splitlines()[0] or refused.err.startswith("stepwell: ")
    assert "blocked" in desk("ls").out
    assert "--on-change keep" in desk("show", "last").out
    kept = desk.apart("resume", "last", "--on-change", "keep")
    assert (kept.code, kept.out) == (0, "2\n")


def test_a_run_of_a_program_is_resumed_by_naming_its_target(desk: Any) -> None:
    desk.write("flaky.py", FLAKY)
    program = (
        "import asyncio, flaky\nfrom stepwell import App\nasync def main():\n"
        "    async with App('s.db') as app:\n        await app.run(flaky.pipe)\nasyncio.run(main())\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=desk.folder, check=True)
    refused = desk("resume", "last", "--store", "s.db")
    assert refused.code == 4
    assert "--target file.py" in refused.err
    desk.write("mended", "")
    assert desk("resume", "last", "--store", "s.db", "--target", "flaky.py").out == "2\n"


def test_a_target_that_has_moved_is_told(desk: Any, failed: Any) -> None:
    (desk.folder / "flaky.py").rename(desk.folder / "flakes.py")
    done = desk.apart("resume", "last")
    assert done.code == 4
    assert "there is no file" in done.err
    assert "did you mean" in done.err
    desk.write("mended", "")
    assert desk.apart("resume", "last", "--target", "flakes.py").code == 0


# --- the rest ---------------------------------------------------------------------------------------------------------


def test_cancel_of_a_run_that_has_ended_changes_nothing(desk: Any, failed: Any) -> None:
    done = desk("cancel", "last")
    assert done.code == 0
    assert "is failed: there is nothing to end" in done.err
    assert desk("cancel", "last", "--json").document["status"] == "failed"


def test_cancel_tells_when_the_owner_does_not_answer_in_time(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from stepwell.cli import cancel as room

    row = SimpleNamespace(run_id="01X", pipeline="p", status="running")
    monkeypatch.setattr(room, "find", lambda app, run: row)
    monkeypatch.setattr(App, "cancel", _nothing)
    done = desk("cancel", "last", "--wait", "60ms")
    assert done.code == 75
    assert "still runs" in done.err


async def _nothing(app: App, run_id: str, reason: str) -> None:
    return None


def test_version_is_told_in_both_ways(desk: Any) -> None:
    assert desk("version").out.startswith("stepwell ")
    assert desk("--version").out == desk("version").out
    assert desk("version", "--json").document["python"].startswith("3.")


def test_help_names_each_command(desk: Any) -> None:
    done = desk("--help")
    assert done.code == 0
    for name in (
        "run",
        "plan",
        "resume",
        "cancel",
        "ls",
        "show",
        "events",
        "validate",
        "graph",
        "completion",
        "version",
    ):
        assert f" {name} " in done.out
    for name in ("plan", "resume", "cancel", "ls", "show", "events", "validate", "graph"):
        assert "--json" in desk(name, "--help").out


def test_help_loads_neither_store_nor_models() -> None:
    program = (
        "import sys\nfrom stepwell.cli.main import command\ncommand(['--help'])\n"
        "print(*[name for name in sys.modules if name.split('.')[0] in ('apsw', 'pydantic', 'simpleeval', 'filelock')],"
        " file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""


def test_an_unknown_command_is_told_with_what_was_meant(desk: Any) -> None:
    done = desk("shwo")
    assert done.code == 2
    assert 'Did you mean "show"' in done.err
    assert json.loads(desk("shwo", "--json").out)["error"]["type"] == "UsageError"


# --- the terminal -----------------------------------------------------------------------------------------------------


class _Stream:
    encoding = "utf-8"

    def __init__(self, *, terminal: bool) -> None:
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


@pytest.mark.parametrize(
    ("terminal", "environ", "live", "colour"),
    [
        (True, {}, True, True),
        (False, {}, False, False),
        (True, {"TERM": "dumb"}, False, False),
        (True, {"CI": "true"}, False, True),
        (True, {"NO_COLOR": "1"}, True, False),
        (False, {"FORCE_COLOR": "1"}, False, True),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_a_live_view_and_colours_only_where_they_belong(
    terminal: bool, environ: dict[str, str], live: bool, colour: bool
) -> None:
    """J3: looked at on stderr, where the progress goes."""
    found: Terminal = look(_Stream(terminal=terminal), environ)  # type: ignore[arg-type]
    assert (found.live, found.colour) == (live, colour)


def test_text_is_cut_by_columns_not_by_characters() -> None:
    assert cut("日本語です", 6) == "日本…"
    assert cut("abc\ndef", 20) == "abc def"
