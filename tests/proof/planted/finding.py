"""Where each planted mistake is found: the smallest cases of a proof that must break, and the words of the breach."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from .. import counts
from ..faults.cases import Case as FaultCase
from ..faults.cases import chosen_cases
from ..faults.play import calm, play
from ..faults.theatre import theatre
from ..judge import environment
from ..kill_sweep.sweep import Case, Kill, sweep
from ..kill_sweep.sweep import undisturbed as swept_undisturbed
from ..power_loss.cuts import prove
from ..power_loss.recording import record
from ..random_kill import killing
from ..simulation.draw import case_of
from ..simulation.test_simulation import simulate
from . import mistakes

ROOT = Path(__file__).parents[3]
NEVER = Kill("engine.decide:before", 1_000)
"""An instant that no workload reaches so often: the second process is not killed."""
SEEDS = 3_000
"""So many cases of the simulation are tried at most."""
RUNS = 20
"""So many runs of the random kill are tried at most."""

Tried = Callable[[Path], None]
"""One case of a proof, in a folder of its own; raises AssertionError where a promise is broken."""


class NotFound(Exception):
    """The proof holds although the mistake was made."""


@dataclass(frozen=True)
class Place:
    """A proof, its cases of which one must break, and what it says then."""

    proof: str
    cases: Callable[[Path], AbstractContextManager[Iterable[Tried]]]
    breach: str
    here: bool
    """The code under test runs in this process, not in one that is started."""

    def find(self, name: str, folder: Path) -> int:
        """How many cases it took; the last one broke by this mistake, and holds without it. Raises NotFound."""
        with self.cases(folder) as cases:
            for number, case in enumerate(cases, 1):
                if self._breaks(name, case, _new(folder / str(number))):
                    case(_new(folder / "without"))
                    return number
        raise NotFound(f"{name}: {mistakes.MISTAKES[name].__doc__} The {self.proof} does not find it.")

    def _breaks(self, name: str, case: Tried, folder: Path) -> bool:
        with pytest.MonkeyPatch.context() as patch:
            if self.here:
                mistakes.plant(name, _putting(patch))
            else:
                patch.setenv("STEPWELL_PLANT", name)
            try:
                case(folder)
            except AssertionError as error:
                if not re.search(self.breach, str(error)):
                    raise AssertionError(f"it is found, but not as `{self.breach}`: {error}") from error
                return True
        return False


def _putting(patch: pytest.MonkeyPatch) -> mistakes.Put:
    """So that it can be undone."""

    def put(owner: Any, key: Any, thing: Any) -> None:
        (patch.setitem if isinstance(owner, dict) else patch.setattr)(owner, key, thing)

    return put


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def swept(workload: str, point: str, hit: int, breach: str) -> Place:
    """One case of the kill sweep, or one beside it."""

    @contextmanager
    def cases(folder: Path) -> Iterator[Iterable[Tried]]:
        swept_undisturbed(workload)
        # What has been committed together by the hit-th time is a matter of timing, so its neighbours are tried too.
        hits = [one for one in (hit, hit - 1, hit + 1, hit - 2, hit + 2, hit - 3) if one > 0]

        def run(place: Path, at: int) -> None:
            sweep(Case(workload, Kill(point, at), NEVER), place)

        yield [partial(run, at=at) for at in hits]

    return Place("kill sweep", cases, breach, here=False)


def killed_at_random(breach: str) -> Place:
    """Runs of the random kill."""

    @contextmanager
    def cases(folder: Path) -> Iterator[Iterable[Tried]]:
        calm = killing.undisturbed()

        def run(place: Path, seed: int) -> None:
            with killing.Nursery(calm.seconds) as nursery:
                killing.one_run(nursery, calm, seed, place)

        yield [partial(run, seed=seed) for seed in range(RUNS)]

    return Place("random kill", cases, breach, here=False)


def simulated(breach: str) -> Place:
    """Cases of the simulation."""

    @contextmanager
    def cases(folder: Path) -> Iterator[Iterable[Tried]]:
        def run(place: Path, seed: int) -> None:
            case = case_of(seed)
            simulate(case, case.seed)

        with mock.patch("stepwell.engine.feed._AHEAD", 3):
            yield (partial(run, seed=seed) for seed in range(SEEDS))

    return Place("simulation", cases, breach, here=True)


def powerless(breach: str) -> Place:
    """One recording of the power loss, cut everywhere."""

    @contextmanager
    def cases(folder: Path) -> Iterator[Iterable[Tried]]:
        def run(place: Path) -> None:
            told = prove(record(place / "store", {}), place / "shelf", 0).told(place)
            assert not told, told

        with mock.patch.object(counts, "LONG", False):  # a sample of the cuts is enough
            yield [run]

    return Place("power loss", cases, breach, here=True)


def refused(operation: str, breach: str) -> Place:
    """Cases of the I/O faults in which this is refused."""

    @contextmanager
    def cases(folder: Path) -> Iterator[Iterable[Tried]]:
        with theatre() as stage, mock.patch.object(counts, "LONG", False):
            known = {"chain": calm(stage, "chain")}

            def run(place: Path, case: FaultCase) -> None:
                play(stage, case, known[case.scene])

            yield [partial(run, case=one) for one in chosen_cases(known) if one.first.operation.startswith(operation)]

    return Place("I/O faults", cases, breach, here=True)


def in_the_suite(file: str, which: str, breach: str) -> Place:
    """A test of the suite, in a process of its own."""

    @contextmanager
    def cases(folder: Path) -> Iterator[Iterable[Tried]]:
        def run(place: Path) -> None:
            command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", file, "-k", which]
            command += ["-W", "ignore::pytest.PytestAssertRewriteWarning", f"--basetemp={place / 'base'}"]
            done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

        yield [run]

    return Place("contract of stores", cases, breach, here=False)


STORES = "tests/floor4/journal/test_sqlite.py"
PROCESSES = "tests/floor4/journal/test_processes.py"
FILES = "tests/floor4/journal/test_files.py"

FOUND: dict[str, tuple[Place, ...]] = {
    "acknowledged-before-commit": (
        swept("chain", "sqlite.commit:before", 2, r"before it has no recorded end \(S1\)"),
        killed_at_random(r"\(S1\)|\(S7\)"),
    ),
    "not-synced": (powerless(r"\(S1, S5\)"),),
    "no-unique-ends": (in_the_suite(STORES, "a_path_gets_one_end_only", "DID NOT RAISE LeaseLost"),),
    "no-epoch": (in_the_suite(PROCESSES, "taken_for_dead_cannot_write", "DID NOT RAISE LeaseLost"),),
    "blob-after-row": (
        swept("chain", "blob.write:before", 1, r"a value is recorded and lost.*\(S1\)"),
        killed_at_random(r"PayloadLost|a value is recorded and lost.*\(S1\)"),
    ),
    "attempts-counted-anew": (swept("retry", "sqlite.commit:after", 3, r"attempt 1 of \w+ after attempt 1"),),
    "items-named-by-a-counter": (
        swept("live", "sqlite.commit:after", 9, "has an end already and gets no second one"),
        killed_at_random("has an end already and gets no second one|is said to be item"),
    ),
    "items-begun-unrecorded": (
        swept("map", "engine.ends:before", 3, r"before its items were recorded \(S7\)"),
        killed_at_random(r"before its items were recorded \(S7\)"),
    ),
    "all-runs-again": (
        swept("chain", "sqlite.commit:after", 3, r"a resume has reset one, which has completed \(S3\)"),
    ),
    "blob-not-synced": (powerless("."),),
    "blob-name-not-synced": (powerless("."),),
    "failure-not-remembered": (refused("sync", r"after the sync of the"),),
    "failed-write-acknowledged": (refused("write", r"\(S[14]\)|fact \d+ is missing"),),
    "digest-not-checked": (in_the_suite(FILES, "damaged_or_missing_value_is_lost", "DID NOT RAISE PayloadLost"),),
    "skipped-counts-as-not-reached": (simulated("is pruned for .*, and must"),),
    "run-begun-unrecorded": (swept("chain", "engine.ends:before", 1, r"in a run that is not recorded \(S1\)"),),
    "row-in-a-transaction-of-its-own": (swept("chain", "sqlite.commit:after", 2, "the row says .* the fold"),),
    "request-dropped-when-read": (swept("cancel", "sqlite.taken:after", 1, r"knows nothing of it \(S10\)"),),
    "key-not-looked-at": (swept("chain", "sqlite.commit:after", 2, r"\(S15\)"),),
    "results-in-the-order-of-their-ends": (swept("map", "sqlite.commit:after", 9, "and undisturbed"),),
    "stop-forgotten": (swept("stop", "sqlite.commit:after", 2, "starts after the run was stopped|laws"),),
    "the-living-taken-for-dead": (in_the_suite(STORES, "a_run_has_one_owner", "DID NOT RAISE RunLive"),),
    "waits-forgotten": (simulated(r"tried again too early \(S9\)"),),
    "retries-counted-anew": (simulated("ends as completed, and must as failed"),),
    "one-item-too-many": (simulated("are counted as running, not"),),
}
"""Of each mistake the proofs that find it; the first ones are looked for in each run of the suite."""
EACH_RUN = 9
