"""What was checked, what was found and what to do about it; for `doctor` and `db check` alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from stepwell.cli import exits
from stepwell.cli.closing import command
from stepwell.cli.streams import output
from stepwell.cli.terminal import Colour, Terminal, look
from stepwell.views.words import plural

_TOLD = 5
"""So many runs are named at most."""

Status = Literal["ok", "warn", "fail"]
_TAGS: dict[str, tuple[str, Colour]] = {
    "ok": ("[OK]", "green"),
    "warn": ("[WARN]", "yellow"),
    "fail": ("[FAIL]", "red"),
}


@dataclass(frozen=True, slots=True)
class Check:
    """What one check has found, and what to do where that is not well."""

    name: str
    status: Status
    text: str
    way_out: str = ""

    def document(self) -> dict[str, object]:
        """As JSON has it."""
        return asdict(self)


def of_owners(live: Sequence[tuple[str, str]], interrupted: Sequence[str], named: str | None) -> Iterator[Check]:
    """Which runs go on, and in which process; which have lost theirs. `named` is the store, where an option says it."""
    if live:
        told = _some([f"{run_id} {process}" for run_id, process in live])
        yield Check("live", "ok", f"{plural(len(live), 'run')} live: {told}")
    else:
        yield Check("live", "ok", "no run is live")
    if interrupted:
        text = f"{plural(len(interrupted), 'run')} interrupted, for the process is gone: {_some(interrupted)}"
        yield Check("interrupted", "warn", text, f"`{command('resume', interrupted[0], named)}` goes on with it")


def _some(words: Sequence[str]) -> str:
    more = f" and {len(words) - _TOLD:,} more" if len(words) > _TOLD else ""
    return ", ".join(words[:_TOLD]) + more


def tell_all(checks: Sequence[Check], *, json: bool, more: Mapping[str, object] | None = None) -> int:
    """Print them, or one document with `more` in it; gives the exit code."""
    counts: Counter[str] = Counter(check.status for check in checks)
    out = output()
    if json:
        out.versioned({"ok": not counts["fail"], **(more or {}), "checks": [check.document() for check in checks]})
    else:
        terminal = look(out.stream)
        out.text("\n".join(line for check in checks for line in _lines(check, terminal)))
        out.text(_sum(counts))
    return exits.FAILED if counts["fail"] else exits.OK


def _lines(check: Check, terminal: Terminal) -> Iterator[str]:
    tag, colour = _TAGS[check.status]
    first, *more = check.text.split("\n")
    yield f"{terminal.paint(f'{tag:>6}', colour)} {first}"
    yield from (f"       {line}" for line in more)
    if check.way_out:
        yield f"       {terminal.paint(f'-> {check.way_out}', 'bold')}"


def _sum(counts: Counter[str]) -> str:
    said = [f"{plural(counts['fail'], 'thing')} to mend"] if counts["fail"] else []
    said += [f"{plural(counts['warn'], 'thing')} to know"] if counts["warn"] else []
    return ", ".join(said) or "all is well"
