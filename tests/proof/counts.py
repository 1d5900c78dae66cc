"""What the proofs have counted, told at the end of the session; across the workers of xdist too."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

LONG = os.environ.get("STEPWELL_PROOF") == "long"
"""Whether the long sizes were asked for."""


_PLACE: list[Path] = []


def settle(folder: Path) -> None:
    """All processes of this session share what lies in this folder."""
    folder.mkdir(exist_ok=True)
    _PLACE.append(folder)


def place() -> Path:
    """The folder in which the processes of this session leave what they share."""
    return _PLACE[-1]


def tell(proof: str, found: Mapping[str, int]) -> None:
    """Leave counts of this proof; those of one name are added up."""
    with (place() / f"{proof}.{os.getpid()}.ndjson").open("a", encoding="utf-8") as file:
        file.write(json.dumps(dict(found)) + "\n")


def told(process: str = "*") -> Iterator[str]:
    """The counts that were left, one line each below the name of their proof."""
    if not _PLACE:
        return
    sums: dict[str, dict[str, int]] = {}
    for file in sorted(place().glob(f"*.{process}.ndjson")):
        known = sums.setdefault(file.name.partition(".")[0], {})
        for line in file.read_text(encoding="utf-8").splitlines():
            for name, count in json.loads(line).items():
                known[name] = known.get(name, 0) + count
    for proof, found in sums.items():
        yield f"--- proof: {proof} ---"
        yield from (f"{count:>10,}  {name}" for name, count in sorted(found.items()))
