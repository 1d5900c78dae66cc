"""`python -m benchmarks [--quick] [--only W1,W5] [--rounds N] [--no-peers] [--no-write]`: what `make bench` runs."""

from __future__ import annotations

import argparse
import sys

from benchmarks import report, table
from benchmarks.arithmetic import Figures
from benchmarks.peers import peers
from benchmarks.quick import quick
from benchmarks.rows import Row, chosen
from benchmarks.runner import measure


def told(row: Row, side: str, figures: Figures) -> None:
    """What was measured just now, for who is watching."""
    said = figures.note or f"{table.short(figures.values[-1])} {row.unit}"
    print(f"  {row.id:12} {side:28} {said}", file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="no peers; fail what is far below its goal")
    parser.add_argument("--only", default="", metavar="W1,W5", help="these workloads or rows only")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="interleaved rounds (default: 3)")
    parser.add_argument("--no-peers", action="store_true", help="Stepwell and the limits only")
    parser.add_argument("--no-write", action="store_true", help="print the table, and leave the files as they are")
    options = parser.parse_args()
    try:
        rows = chosen(options.only)
    except ValueError as error:
        parser.error(str(error))
    if options.rounds < 1:
        parser.error("--rounds takes 1 or more")
    if options.quick:
        return quick(rows)
    others = [] if options.no_peers else [peer for peer in peers() if peer.installed]
    if not others and not options.no_peers:
        print("No peer is installed: `make bench-peers` does that. Going on without.", file=sys.stderr)
    results = measure(rows, others, options.rounds, told)
    print(table.text(rows, results))
    if not options.no_write:
        report.write(results, others, options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
