"""Runs the proofs at their long sizes, one after the other, and writes down how much each has tried: `make crash`.

python -m tests.proof [TIER ...] [--scale 0.1 | --minutes 20 | --small] [--go-on] [--no-write] [-n WORKERS]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from . import counts
from .judge import SOURCE
from .tiers import TIERS, Tier

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).with_name("results.json")

Document = dict[str, dict[str, dict[str, object]]]
"""`long` and `each` (run of the suite), by proof; and `proofs`: what each is."""


@dataclass(frozen=True)
class Result:
    """What a proof has tried, how long it took, on what, and whether all laws held."""

    held: bool
    counts: dict[str, int]
    seconds: float
    cpu: float
    """Seconds of one core."""
    scale: float
    on: str
    source: str
    """A digest of the code under test."""


def main() -> int:
    """The exit code: 1 where a law was broken."""
    options = _options()
    known = earlier()
    tiers = [tier for tier in TIERS if not options.tiers or tier.name in options.tiers]
    scale = options.scale
    if options.minutes:
        scale = scale_for(options.minutes * 60, tiers, known)
    source = digest()
    size = "each" if options.small else "long"
    broken: list[str] = []
    for tier in tiers:
        before = known[size].get(tier.name, {})
        if options.go_on and before.get("held") and before.get("source") == source and _scale(before) >= scale:
            print(f"{tier.name}: held with this code already")
            continue
        result = run(tier, size, scale if tier.scales else 1.0, options.workers, source)
        told(tier, result)
        if not result.held:
            broken.append(tier.name)
        if not options.no_write:
            known = earlier()  # another proof may have ended meanwhile
            known[size][tier.name] = asdict(result)
            write(known)
    print(f"\n{len(broken)} of {len(tiers)} broken: {', '.join(broken)}" if broken else f"\nAll {len(tiers)} hold.")
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    names = [tier.name for tier in TIERS]
    parser = argparse.ArgumentParser(prog="python -m tests.proof", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tiers", nargs="*", metavar="TIER", help=f"of {', '.join(names)} (default: all)")
    parser.add_argument("--scale", type=float, default=1.0, metavar="SHARE", help="0.1: a tenth of each (default: 1)")
    parser.add_argument("--minutes", type=float, metavar="N", help="as much of each as fits, by the times of the last")
    parser.add_argument("--small", action="store_true", help="the sizes of `make test`")
    parser.add_argument("--go-on", action="store_true", help="leave out what held with this code at this size")
    parser.add_argument("--no-write", action="store_true", help="leave tests/proof/results.json as it is")
    parser.add_argument("-n", dest="workers", default=str(os.cpu_count() or 1), metavar="N", help="so many at once")
    options = parser.parse_args()
    if unknown := sorted(set(options.tiers) - set(names)):
        parser.error(f"no proof is called {', '.join(unknown)}; there are {', '.join(names)}")
    if options.scale <= 0 or (options.minutes is not None and options.minutes <= 0):
        parser.error("--scale and --minutes take a number above 0")
    return options


def run(tier: Tier, size: str, scale: float, workers: str, source: str) -> Result:
    """One proof, with what it prints."""
    print(f"\n=== {tier.name} {'' if scale == 1 or size == 'each' else f'({scale:.2g} of it)'}", flush=True)
    with tempfile.TemporaryDirectory(prefix="stepwell-proof-") as folder:
        env = {**os.environ, counts.PLACE: folder, "STEPWELL_PROOF_SCALE": str(scale)}
        env.pop("STEPWELL_PROOF", None)
        if size == "long":
            env["STEPWELL_PROOF"] = "long"
        command = [sys.executable, "-m", "pytest", "-q", f"tests/proof/{tier.folder}", "-n", workers, "--dist", "load"]
        before, began = _cpu(), time.monotonic()
        done = subprocess.run(command, cwd=ROOT, env=env, check=False)
        seconds, cpu = time.monotonic() - began, _cpu() - before
        counts.settle(Path(folder))
        found = counts.summed().get(tier.told, {})
    tried = found.get(tier.unit, 0) > 0
    return Result(done.returncode == 0 and tried, found, round(seconds), round(cpu), scale, machine(), source)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def told(tier: Tier, result: Result) -> None:
    """A line for who waits."""
    count = result.counts.get(tier.unit, 0)
    verdict = "all laws hold" if result.held else "BROKEN"
    print(f"{tier.name}: {count:,} {tier.unit} in {result.seconds:,.0f} s ({result.cpu:,.0f} s of one core), {verdict}")


def scale_for(seconds: float, tiers: Sequence[Tier], known: Document) -> float:
    """Which share of these proofs takes so long, by what they took the last time."""
    whole = fixed = 0.0
    for tier in tiers:
        last = known["long"].get(tier.name)
        if last is None:
            raise SystemExit(f"nobody has run {tier.name} at its long size yet, so nobody knows its time; use --scale")
        took = float(str(last["seconds"]))
        if tier.scales:
            whole += took / _scale(last)
        else:
            fixed += took
    return min(1.0, max(0.001, (seconds - fixed) / whole)) if whole else 1.0


def _scale(result: dict[str, object]) -> float:
    return float(str(result["scale"]))


def machine() -> str:
    """When and on what, without the machine's name."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    return f"{time.strftime('%B %Y')}, {os.cpu_count()} cores, {platform.system()}, Python {version}"


def digest() -> str:
    """Of all that is in the package."""
    whole = hashlib.sha256()
    for file in sorted((SOURCE / "stepwell").rglob("*")):
        if file.suffix in (".py", ".sql"):
            whole.update(file.relative_to(SOURCE).as_posix().encode() + b"\0" + file.read_bytes())
    return whole.hexdigest()[:16]


def earlier() -> Document:
    """What was written down before; proofs that are not run now keep it."""
    known: Document = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    return {"long": known.get("long", {}), "each": known.get("each", {})}


def write(known: Document) -> None:
    """In the order of the proofs, with what each is."""
    ordered = {
        size: {tier.name: known[size][tier.name] for tier in TIERS if tier.name in known[size]} for size in known
    }
    proofs = {tier.name: {"what": tier.what, "unit": tier.unit} for tier in TIERS}
    RESULTS.write_text(json.dumps({"proofs": proofs, **ordered}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nbroken off; what had ended is written down, and `--go-on` leaves it out")
        sys.exit(130)
