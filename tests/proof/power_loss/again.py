"""One cut made again: PYTHONPATH=tests python -m proof.power_loss.again RECORDING AT HOW SEED.

A proof that fails leaves the recording and prints this command; what it prints ends with the folder of the image.
"""

from __future__ import annotations

import pickle
import sys
import tempfile
from pathlib import Path

from .cuts import Cut, Sweep
from .look import Shelf
from .recording import Recording


def main(file: str, at: str, how: str, seed: str) -> None:
    """Say what that cut breaks."""
    recording: Recording = pickle.loads(Path(file).read_bytes())
    folder = Path(tempfile.mkdtemp(prefix="power-loss-"))
    sweep = Sweep(recording, Shelf(folder, recording.facts))
    cut = Cut(int(at), how, int(seed))
    for position, disk, known in recording.states():
        if position == cut.at:
            sweep.judge(cut, disk.image(cut.how, cut.chance), known)
    told = [line for _, broken in sweep.broken for line in broken]
    print(*(told or ["nothing is broken"]), f"see {folder}", sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
