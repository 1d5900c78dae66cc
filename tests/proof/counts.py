"""What the proofs have counted, told at the end of the session; across the workers of xdist too."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, unquote

LONG = os.environ.get("STEPWELL_PROOF") == "long"
"""Whether the long sizes were asked for."""

PLACE = "STEPWELL_PROOF_PLACE"
"""The variable that names the folder for what is told; else it is a temporary one."""

SCALE = float(os.environ.get("STEPWELL_PROOF_SCALE", "1"))
"""How much of the long sizes is wanted: 0.1 is a tenth."""


def size(each_run: int, long: int) -> int:
    """How many cases a proof tries: so many in each run of the suite, so many by `make crash`, or its share of them."""
    return max(each_run, round(long * SCALE)) if LONG else each_run


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
    with (place() / f"{quote(proof, safe='')}.{os.getpid()}.ndjson").open("a", encoding="utf-8") as file:
        file.write(json.dumps(dict(found)) + "\n")


def summed(process: str = "*") -> dict[str, dict[str, int]]:
    """The counts that were left, by proof."""
    sums: dict[str, dict[str, int]] = {}
    for file in sorted(place().glob(f"*.{process}.ndjson")) if _PLACE else ():
        known = sums.setdefault(unquote(file.name.partition(".")[0]), {})
        for line in file.read_text(encoding="utf-8").splitlines():
            for name, count in json.loads(line).items():
                known[name] = known.get(name, 0) + count
    return sums


def told(process: str = "*") -> Iterator[str]:
    """The same in lines."""
    for proof, found in summed(process).items():
        yield f"--- proof: {proof} ---"
        yield from (f"{count:>10,}  {name}" for name, count in sorted(found.items()))
