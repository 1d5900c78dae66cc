"""The proofs by name, what each tries, and what it counts; `python -m tests.proof` runs them, the manual lists them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tier:
    """One proof: the folder of its tests, the name below which it counts, and the count that says how much it tried."""

    name: str
    folder: str
    told: str
    unit: str
    what: str
    scales: bool = True
    """Whether there can be less of it."""


TIERS = (
    Tier(
        "kill-sweep", "kill_sweep", "kill sweep", "cases",
        "A process is killed at every named instant of the code, resumed, killed again during the resume, and resumed "
        "to its end; sixteen pipelines with all that a pipeline can have",
    ),
    Tier(
        "random-kill", "random_kill", "random kill", "kills",
        "Two processes, a map of 1,000 items and whatever goes on beside it, are killed together at random instants, "
        "again and again",
    ),
    Tier(
        "power-loss", "power_loss", "power loss", "cuts",
        "The power is cut before every write and sync; what was not synced is kept, lost, torn or turned into noise",
    ),
    Tier(
        "faults", "faults", "I/O faults", "cases",
        "The disk is full, fails to read, write or sync, does half, is locked or read-only: at every operation",
    ),
    Tier(
        "simulation", "simulation", "simulation", "seeds",
        "The engine alone, with pipelines, ends, orders of events and crashes that are drawn at random, beside a "
        "second engine written from the rules of the manual",
    ),
    Tier("fuzz", "fuzz", "fuzz", "damaged stores", "Stores are damaged in every way, and asked everything"),
    Tier(
        "planted", "planted", "planted", "found",
        "Mistakes are made in the code on purpose; each must be found by the proof that is there for it",
        scales=False,
    ),
)  # fmt: skip
