"""`stepwell db check` says what it has gone through, what is not right and what to do; and changes nothing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import apsw
import pytest

LARGE = """
from stepwell import Pipeline

pipe = Pipeline("large")

@pipe.step
def text(size: int = 50_000) -> str:
    return "x" * size

@pipe.step
def length(text: str) -> int:
    return len(text)
"""


@pytest.fixture
def store(desk: Any) -> Path:
    """A store with one run that has a value in a file."""
    assert desk("run", desk.write("large.py", LARGE), "--store", "a.db").code == 0
    place: Path = desk.folder / "a.db"
    return place


def checks(done: Any) -> dict[str, dict[str, str]]:
    return {one["name"]: one for one in done.document["checks"]}


def test_a_store_that_is_whole_is_said_to_be(desk: Any, store: Path) -> None:
    done = desk("db", "check", "--store", "a.db")
    assert done.code == 0
    assert done.out.splitlines() == [
        f"  [OK] a.db ({store.stat().st_size / 1024:.1f} kB, schema 1): the database is whole",
        "  [OK] 1 run with 6 facts: no number is missing, no path has two ends, each row is what they say",
        "  [OK] 1 value in files (48.8 kB), each with the content that was recorded",
        "  [OK] no run is live",
        "all is well",
    ]
    assert done.err == ""


def test_the_same_is_there_for_programs(desk: Any, store: Path) -> None:
    found = desk("db", "check", "--store", "a.db", "--json").document
    assert (found["ok"], found["schema_version"], found["schema"], found["store"]) == (True, 1, 1, str(store))
    assert found["runs"] == {"runs": 1, "facts": 6, "broken": 0, "faults": [], "strays": 0}
    assert (found["values"]["files"], found["values"]["lost"]) == (1, 0)
    assert [one["status"] for one in found["checks"]] == ["ok"] * 4


def test_lost_values_fail_with_run_step_and_way_out(desk: Any, store: Path) -> None:
    """S21: and `PayloadLost` sends one here."""
    shutil.rmtree(store.with_name("a.db.blobs"))
    done = desk("db", "check", "--store", "a.db")
    assert done.code == 1
    assert "[FAIL] 1 value in files, of which 1 lost:" in done.out
    assert "the value of `text` (fact 3): " in done.out
    assert "-> restore what is lost of a.db.blobs from a backup" in done.out
    assert done.out.endswith("1 thing to mend\n")


def test_a_run_that_breaks_a_law_fails_with_its_id(desk: Any, store: Path) -> None:
    db = apsw.Connection(str(store))
    db.execute("UPDATE run SET done = 9; DELETE FROM journal WHERE seq = 2")
    db.close()
    found = checks(desk("db", "check", "--store", "a.db", "--json"))
    assert found["runs"]["status"] == "fail"
    assert "fact 2 is missing, 3 comes next" in found["runs"]["text"]
    assert "its row says done=9, its facts 2" in found["runs"]["text"]
    assert "start them anew" in found["runs"]["way_out"]


def test_damage_of_the_file_is_told_and_what_can_be_read_is_still_checked(desk: Any, store: Path) -> None:
    """O5."""
    db = apsw.Connection(str(store))
    ((page,),) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'journal_end'").fetchall()
    db.close()
    data = bytearray(store.read_bytes())
    data[(page - 1) * 1024 + 200 : page * 1024] = b"\xff" * 824
    store.write_bytes(data)
    done = desk("db", "check", "--store", "a.db")
    assert done.code == 1
    assert "schema 1) is damaged:" in done.out
    assert "-> keep a copy of it with all files beside it, and restore a backup" in done.out
    assert "1 run with 6 facts" in done.out
    assert "Traceback" not in done.err


def test_of_many_findings_the_first_are_told(desk: Any, digest: Path) -> None:
    for number in range(7):
        desk("run", digest, "--folder", str(number), "--store", "a.db", "--quiet")
    db = apsw.Connection(str(desk.folder / "a.db"))
    db.execute("UPDATE run SET steps = 99")
    db.close()
    done = desk("db", "check", "--store", "a.db")
    assert done.out.count("its row says steps=99, its facts 3") == 5
    assert "- and more, 7 in all; `--json` tells of them" in done.out
    assert len(desk("db", "check", "--store", "a.db", "--json").document["runs"]["faults"]) == 7


def test_an_interrupted_run_is_told_with_the_command_that_goes_on(desk: Any) -> None:
    desk.write("slow.py", LARGE.replace("return len(text)", "import os; os.kill(os.getpid(), 9)"))
    desk.apart("run", "slow.py", "--store", "a.db")
    found = checks(desk("db", "check", "--store", "a.db", "--json"))
    assert found["interrupted"]["status"] == "warn"
    assert found["interrupted"]["way_out"].endswith("--store a.db` goes on with it")
    assert found["leases"]["text"].startswith("1 lock file of processes that are gone")
    assert desk("db", "check", "--store", "a.db").code == 0


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("none.db", 4, "there is no store at none.db"),
        ("memory", 2, "name it with --store"),
        (".", 75, "is a folder"),
        ("/", 75, "is a folder"),
        ("other.db-wal", 75, "would be taken for a part of the store other.db"),
        ("notes.db", 1, "not an SQLite database"),
        ("other.db", 1, "not one of Stepwell's"),
        ("empty.db", 0, "is empty; the first run makes a store of it"),
    ],
)
def test_what_is_no_store_is_told_by_its_kind(desk: Any, name: str, code: int, told: str) -> None:
    desk.write("notes.db", "not a database " * 100)
    (desk.folder / "empty.db").touch()
    other = apsw.Connection(str(desk.folder / "other.db"))
    other.execute("CREATE TABLE x (y)")
    other.close()
    before = sorted(desk.folder.iterdir())
    done = desk("db", "check", "--store", name)
    assert (done.code, told in done.out + done.err) == (code, True)
    assert sorted(desk.folder.iterdir()) == before
    assert desk("db", "check", "--store", name, "--json").document


def test_progress_is_for_a_terminal_only(desk: Any, store: Path) -> None:
    assert "checking" not in desk("db", "check", "--store", "a.db").err
