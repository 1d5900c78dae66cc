"""What may come of a damaged store: the right answer, an older one where a WAL was damaged, or a clear error."""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from stepwell import RunNotFound, StepwellError
from stepwell.cli import exits

from . import damage, rows
from .looks import Looker, Seen, cancelled, facts, once_more, previewed, resumed, shown, target
from .looks import rows as listed
from .pipes import KEY
from .stores import HALF, Kit, kit

KINDS: Mapping[str, damage.Damage] = {
    "cut": damage.cut,
    "bits flipped": damage.flip,
    "zeroed": damage.zero,
    "noise": damage.noise,
    "pages swapped": damage.swap,
    "grown": damage.grow,
    "replaced": damage.replace,
    "WAL replaced": damage.replace_wal,
    "blob": damage.blob,
    "beside": damage.beside,
    "rows altered": rows.alter,
    "rows forged": rows.forge,
}
SUBTLE = frozenset({"rows forged"})
"""What leaves other values with the right checksums, as no disk does it; how often is counted."""
RUNS = (("broken", KEY), ("many", HALF), ("many", KEY))
_CODES = {
    exits.OK, exits.FAILED, exits.USAGE, exits.INVALID, exits.NOT_FOUND, exits.CANCELLED, exits.BLOCKED, exits.BUSY,
}  # fmt: skip
_STATES = {
    "same": "no harm to the facts",
    "older": "an older record, or none",
    "other": "other facts, unnoticed",
    "refused": "refused with a clear error",
}
_WAY_OUT = re.compile(r"[;`:—]|restore|start|give|name")
_PATH = re.compile(r"path='([^']*)'")


@dataclass(frozen=True)
class Right:
    """What an undamaged store says of one run."""

    run_id: str
    pipeline: str
    key: str
    answers: Mapping[str, Any]
    output: object


@cache
def right(stores: Kit) -> Mapping[tuple[str, str], Right]:
    """By pipeline and key, asked of the store itself."""
    folder = stores.live.parent / f"right-{random.random()}"
    store = stores.copy("whole", folder)
    looker = Looker(store, folder / "witness")
    found: dict[tuple[str, str], Right] = {}
    known = looker.look("rows", listed).answer
    assert isinstance(known, list)
    for run_id, pipeline, _, key in known:
        reads = [
            looker.look("facts", facts(run_id)),
            looker.look("shown", shown(run_id)),
            looker.look("preview", previewed(run_id, pipeline)),
        ]
        ended = looker.look("resume", resumed(run_id, pipeline))
        assert not any(seen.error for seen in (*reads, ended)), reads
        assert isinstance(ended.answer, tuple)
        answers = {seen.look: seen.answer for seen in reads}
        found[pipeline, key] = Right(run_id, pipeline, key, answers, ended.answer[2])
    shutil.rmtree(folder)
    assert sorted(found) == sorted(RUNS)
    return found


@dataclass
class Case:
    """One damaged copy, with all that was seen of it."""

    name: str
    kind: str
    which: str
    told: str
    run: Right
    seen: list[Seen]

    def by(self, look: str) -> Seen:
        """The first look of this name."""
        return next(seen for seen in self.seen if seen.look == look)

    @property
    def recorded(self) -> tuple[object, ...]:
        """The facts that were read from the damaged copy."""
        read = self.by("facts").answer
        return read if isinstance(read, tuple) else ()


def tried(kind: str, seed: int, folder: Path) -> Case:
    """Damage a copy, and look at it in every way."""
    chance = random.Random(f"{kind} {seed}")
    stores = kit()
    which = "whole" if kind.startswith("rows") else chance.choice(["live", "whole"])
    run = right(stores)[chance.choice(RUNS)]
    store = stores.copy(which, folder / "store")
    told = KINDS[kind](stores, store, chance)
    looker = Looker(store, folder / "witness")
    looker.look("rows", listed)
    looker.look("facts", facts(run.run_id))
    looker.look("shown", shown(run.run_id))
    looker.look("preview", previewed(run.run_id, run.pipeline))
    commands = [
        ["ls"], ["ls", "--json"], ["show", run.run_id], ["show", run.run_id, "--json", "--items"],
        ["events", run.run_id], ["events", run.run_id, "--json"], ["logs", run.run_id], ["plan", run.run_id],
        ["graph", run.run_id], ["doctor"],
    ]  # fmt: skip
    for tokens in chance.sample(commands, 4):
        looker.type_in(*tokens)
    writes = [
        lambda: looker.look("run", once_more(run.pipeline, run.key)),
        lambda: looker.look("resume", resumed(run.run_id, run.pipeline)),
        lambda: looker.look("cancel", cancelled(run.run_id)),
        lambda: looker.type_in("resume", run.run_id, "-q"),
        lambda: looker.type_in("run", target(run.pipeline), "--key", run.key, "-q", "--json"),
        lambda: looker.type_in("cancel", run.run_id),
    ]
    for write in chance.sample(writes, 3):
        write()
    looker.look("facts afterwards", facts(run.run_id))
    shutil.rmtree(folder / "store", ignore_errors=True)
    return Case(f"{kind} {seed}", kind, which, told, run, looker.seen)


def judged(case: Case, found: Counter[str]) -> Iterator[str]:
    """What breaks the law; what was found is counted."""
    for seen in case.seen:
        yield from _clear(case, seen)
    state = _standing(case)
    found[_STATES[state]] += 1
    if state == "other" and case.kind not in SUBTLE:
        yield f"other facts are read, and nothing is said: {_first_other(case)}"
    if state == "older" and not _may_be_older(case):
        yield "facts are gone, and nothing is said"
    if state == "same":
        for look in ("shown", "preview"):
            seen = case.by(look)
            if seen.error is None and seen.answer != case.run.answers[look] and not case.kind.startswith("rows"):
                yield f"{look}: another answer, though the facts are the same"
    yield from _written(case, state, found)


def _standing(case: Case) -> str:
    """How the facts that are read stand to those that were recorded."""
    read = case.by("facts")
    if read.error is not None and not isinstance(read.error, RunNotFound):
        return "refused"
    known, found = case.run.answers["facts"], case.recorded
    if found == known:
        return "same"
    return "older" if found == known[: len(found)] else "other"


def _first_other(case: Case) -> str:
    known, read = case.run.answers["facts"], case.recorded
    return next((f"{one} was {two}"[:600] for one, two in zip(read, known, strict=False) if one != two), f"{len(read)}")


def _may_be_older(case: Case) -> bool:
    """Nobody can miss the frames of a WAL that are gone; a store that was put back is another one.

    But a WAL without its store, or a store without a byte among what it has left, is what nobody wants deleted.
    """
    if case.kind in {"cut", "replaced"} and re.search("runs.db (cut|is an empty)", case.told):
        return False
    if "DELETE FROM run" in case.told:  # nobody is left who could miss them; but no other run gets their place
        return True
    if case.kind == "replaced" and case.which == "live":
        return "gone" not in case.told
    return case.which == "live" or case.kind in {"replaced", "WAL replaced"} or case.kind in SUBTLE


def _clear(case: Case, seen: Seen) -> Iterator[str]:
    """It ends in time, with an answer or an error that says what, of what, and what to do."""
    if seen.foreign:
        yield f"{seen.look}: {type(seen.error).__name__}: {seen.error} at {_place(seen.error)}"
    elif isinstance(seen.error, StepwellError) and not _says_it(str(seen.error), case):
        yield f"{seen.look}: the error does not say of what it speaks, or what to do: {seen.error}"
    if seen.seconds > 15:
        yield f"{seen.look} took {seen.seconds:.0f} s"
    if isinstance(seen.answer, tuple) and len(seen.answer) == 3 and isinstance(seen.answer[0], int):
        code, _, said = seen.answer
        if "mistake in Stepwell" in said:
            yield f"{seen.look}: a traceback: {said.partition('stepwell: this is')[0].strip()[-700:]}"
        elif code not in _CODES:
            yield f"{seen.look}: exit code {code}: {said}"
        elif code and "doctor" not in seen.look and not said.strip():
            yield f"{seen.look}: exit code {code}, and not a word"


def _says_it(message: str, case: Case) -> bool:
    named = case.run.run_id in message or "runs.db" in message or case.run.key in message or "store" in message
    return named and _WAY_OUT.search(message) is not None


def _place(error: BaseException | None) -> str:
    """The last frame of ours."""
    trace, found = None if error is None else error.__traceback__, "?"
    while trace is not None:
        code = trace.tb_frame.f_code
        if "stepwell" in code.co_filename and "/tests/" not in code.co_filename:
            found = f"{Path(code.co_filename).name}:{trace.tb_lineno} {code.co_name}"
        trace = trace.tb_next
    return found


def _written(case: Case, state: str, found: Counter[str]) -> Iterator[str]:
    """Nothing that is recorded as completed ran again; no other output; the run was not begun anew."""
    before = completed(case.run.answers["facts"])
    ended = before if state == "refused" else completed(case.recorded)
    for seen in case.seen:
        if (twice := seen.began & ended) and case.kind not in SUBTLE:  # a forged reset has it run again
            yield f"{seen.look}: ran again though it is recorded: {sorted(twice)}"
        if lost := seen.began & before - ended:
            found["ran again, its record lost unnoticed"] += 1
            if state == "same" or not (_may_be_older(case) or case.kind in SUBTLE):
                yield f"{seen.look}: ran again though it was recorded: {sorted(lost)}"
        if seen.look in {"run", "resume"} and isinstance(seen.answer, tuple):
            run_id, status, output = seen.answer
            if status == "completed" and output != case.run.output:
                found["another output, unnoticed"] += 1
                if case.kind not in SUBTLE or state == "same":
                    yield f"{seen.look}: the output is {output!r:.300}, not {case.run.output!r:.300}"
            if run_id != case.run.run_id:
                found["begun anew, unnoticed"] += 1
                if not (state == "older" and _may_be_older(case)) and case.kind not in SUBTLE:
                    yield f"{seen.look}: began anew, as {run_id}"


def completed(recorded: object) -> frozenset[str]:
    """The paths of what these facts say is completed."""
    assert isinstance(recorded, Iterable)
    ends = [str(fact) for fact in recorded if str(fact).startswith(("StepCompleted(", "ItemCompleted("))]
    return frozenset(match[1] for end in ends if (match := _PATH.search(end)) is not None)
