"""The table of goals: what is measured, in which unit and size, against which limit, and how good is good enough."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bound:
    """One condition: no worse than so many units, or, with `of`, than so many times that limit in the same run."""

    number: float
    of: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `sizes` are those of the full run, of the quick one and of the tests.

    The ratio is taken to `limits[0]`; `usual` is what that limit gives on the machine where the goals were set, when it
    is idle, so that the quick check can tell a slow machine from a slow Stepwell. Of several bounds all must hold, or,
    with `either`, one. Where `cpu` is set nothing waits, and the quick check takes the processor's time.
    """

    id: str
    title: str
    unit: str
    better: str
    sizes: tuple[int, int, int]
    limits: tuple[str, ...] = ()
    goal: tuple[Bound, ...] = ()
    usual: float | None = None
    either: bool = False
    cpu: bool = False
    known: str = ""
    """Why it is below half of its goal today: the quick check says so and does not fail for it."""

    @property
    def workload(self) -> str:
        """`W6` of `W6.chains`."""
        return self.id.partition(".")[0]


LESS, MORE = "lower", "higher"
IMPORTS = "import asyncio, msgspec, inspect, logging"

ROWS: tuple[Row, ...] = (
    Row("W1", "chain of async steps, in memory, all events kept", "µs/step", LESS, (1000, 1000, 20),
        ("await + events", "plain await", "a task a step"),
        (Bound(6), Bound(1, "a task a step")), usual=0.5, cpu=True),
    Row("W2", "1 → 1,000 parallel → 1", "µs/step", LESS, (1000, 1000, 20),
        ("TaskGroup",), (Bound(1.5, "TaskGroup"),), cpu=True),
    Row("W3", "map, concurrency 100", "items/s", MORE, (100_000, 20_000, 50),
        ("workers + events", "semaphore + TaskGroup"), (Bound(100_000),), usual=1_500_000, cpu=True),
    Row("W3.million", "map of a million, concurrency 100", "items/s", MORE, (1_000_000, 0, 50),
        ("workers + events", "semaphore + TaskGroup"), (Bound(100_000),), usual=1_500_000, cpu=True),
    Row("W3.bytes", "map: memory at the peak, beyond items and results", "B/item", LESS, (100_000, 10_000, 50),
        ("workers + events", "semaphore + TaskGroup"), (Bound(100),)),
    Row("W3.first", "map over a live source: until the first item runs", "ms", LESS, (100_000, 10_000, 50),
        ("workers",), (Bound(5),), usual=0.3),
    Row("W4", "1,000 runs of a 5-step pipeline on one loop", "runs/s", MORE, (1000, 1000, 10),
        ("a task a run",), (Bound(15_000),), usual=200_000, cpu=True,
        known="a run of five steps costs 150 µs, half of it objects for the garbage collector"),
    Row("W5", "durable chain, each step synced before the next", "steps/s", MORE, (1000, 300, 10),
        ("inline commits",), (Bound(0.75, "inline commits"),)),
    Row("W5.kill", "finished steps on disk after os._exit in a chain", "% found", MORE, (100, 0, 10),
        (), (Bound(100),)),
    Row("W6.100", "durable map, 100 in flight", "items/s", MORE, (10_000, 3000, 20),
        ("writer thread", "group commit"), (Bound(15_000),), usual=80_000),
    Row("W6.1000", "durable map, 1,000 in flight", "items/s", MORE, (10_000, 5000, 20),
        ("writer thread", "group commit"), (Bound(25_000),), usual=130_000),
    Row("W6.chains", "100 durable chains on one store", "steps/s", MORE, (10_000, 3000, 200),
        ("writer thread", "group commit"), (Bound(20_000),), usual=80_000),
    Row("W7", "resume with half of the items done: until the first that is not", "ms", LESS, (20_000, 4000, 40),
        ("read the rows", "read the keys"), (Bound(120), Bound(2.5, "read the rows")), either=True),
    Row("W8.import", "import of what a first pipeline needs", "ms", LESS, (5, 3, 1),
        (IMPORTS,), (Bound(1.5, IMPORTS),), cpu=True),
    Row("W8.help", "stepwell --help", "ms", LESS, (5, 3, 1),
        ("import cyclopts",), (Bound(2, "import cyclopts"),), cpu=True),
    Row("W9", "tokens from a step to the caller", "tokens/s", MORE, (200_000, 50_000, 100),
        ("deque + event", "asyncio.Queue"), (Bound(500_000),), usual=6_000_000, cpu=True),
    Row("W10", "100 × sleep(0.05) at once: time over 0.05 s", "ms", LESS, (100, 100, 5),
        ("TaskGroup",), (Bound(3),), usual=1.7),
    Row("W11.chain10", "cost of a step at 10 × the size", "× of W1", LESS, (10_000, 10_000, 100),
        (), (Bound(1.2),), cpu=True),
    Row("W11.chain100", "cost of a step at 100 × the size", "× of W1", LESS, (100_000, 0, 200),
        (), (Bound(1.2),)),
    Row("W11.map10", "cost of an item at 10 × the size", "× of 10,000", LESS, (100_000, 0, 100),
        (), (Bound(1.2),)),
    Row("W11.map100", "cost of an item at 100 × the size", "× of 10,000", LESS, (1_000_000, 0, 200),
        (), (Bound(1.2),)),
    Row("W11.compile", "compile a graph of 10,000 steps", "ms", LESS, (10_000, 10_000, 50),
        ("graphlib",), (Bound(300),), usual=25, cpu=True),
    Row("W11.build", "define and compile a graph of 10,000 steps", "ms", LESS, (10_000, 0, 50),
        ("graphlib",)),
    Row("W12", "bytes on disk for a durable step", "B/step", LESS, (1000, 300, 100),
        ("the row",), (Bound(300),)),
)  # fmt: skip


def chosen(only: str) -> list[Row]:
    """The rows that `--only W1,W6.chains` means; all where it is empty. Raises ValueError for one that is not there."""
    wanted = [name.strip().upper() for name in only.split(",") if name.strip()]
    known = {name.upper() for row in ROWS for name in (row.id, row.workload)}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise ValueError(f"no row {', '.join(unknown)}; there are {', '.join(row.id for row in ROWS)}")
    return [row for row in ROWS if not wanted or row.id.upper() in wanted or row.workload in wanted]
