"""Dagster: jobs of ops, executed in this process; durable means an instance on disk, with SQLite."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path

from dagster import DagsterInstance, DependencyDefinition, GraphDefinition, In, JobDefinition, OpDefinition, Out, op

from benchmarks import disk
from benchmarks.starting import import_ms
from benchmarks.timing import answer, seconds

STEPS = 5


def step(name: str, follows: int, dies: bool = False) -> OpDefinition:
    """An op that takes the outputs of so many others."""
    ins = {f"a{number}": In(int) for number in range(follows)}

    @op(name=name, ins=ins, out=Out(int))
    def work(**inputs: int) -> int:
        if dies:
            os._exit(7)
        return 1

    return work


def chain(size: int, dies_at: int | None = None) -> JobDefinition:
    ops = [step(f"s{number}", int(number > 0), number == dies_at) for number in range(size)]
    wires = {f"s{number}": {"a0": DependencyDefinition(f"s{number - 1}")} for number in range(1, size)}
    return GraphDefinition("chain", node_defs=ops, dependencies=wires).to_job()


def wide(size: int) -> JobDefinition:
    names = [f"s{number}" for number in range(size)]
    ops = [step("first", 0), *(step(name, 1) for name in names), step("last", size)]
    wires = {name: {"a0": DependencyDefinition("first")} for name in names}
    wires["last"] = {f"a{number}": DependencyDefinition(name) for number, name in enumerate(names)}
    return GraphDefinition("wide", node_defs=ops, dependencies=wires).to_job()


def run(job: JobDefinition, instance: DagsterInstance) -> None:
    assert job.execute_in_process(instance=instance).success


def in_memory(job: JobDefinition) -> float:
    with DagsterInstance.ephemeral() as instance:
        return seconds(lambda: run(job, instance))


def w4(size: int) -> float:
    job = chain(STEPS)
    with DagsterInstance.ephemeral() as instance:
        return size / seconds(lambda: [run(job, instance) for _ in range(size)])


def w5(size: int) -> float:
    job = chain(size)
    with disk.folder() as where, DagsterInstance.local_temp(str(where)) as instance:
        return size / seconds(lambda: run(job, instance))


def die(size: int, where: Path) -> None:
    with DagsterInstance.local_temp(str(where)) as instance:
        run(chain(size, dies_at=size // 2), instance)


def w5_kill(size: int) -> float:
    with disk.folder() as where:
        disk.die(__spec__.name, size, where)
        return 100 * sum(_steps_in(file) for file in where.rglob("*.db")) / (size // 2)


def _steps_in(file: Path) -> int:
    if file.name in ("index.db", "runs.db", "schedules.db"):
        return 0
    with sqlite3.connect(file) as database:
        query = "SELECT count(*) FROM event_logs WHERE dagster_event_type = 'STEP_SUCCESS'"
        return database.execute(query).fetchone()[0]


def w12(size: int) -> float:
    with disk.folder() as where, DagsterInstance.local_temp(str(where)) as instance:
        run(chain(1), instance)
        before = disk.bytes_in(where)
        run(chain(size), instance)
        return (disk.bytes_in(where) - before) / size


SIDES = {
    "W1": lambda size: 1e6 * in_memory(chain(size)) / size,
    "W2": lambda size: 1e6 * in_memory(wide(size)) / size,
    "W4": w4,
    "W5": w5,
    "W5.kill": w5_kill,
    "W8.import": lambda size: import_ms("from dagster import job, op", size),
    "W11.build": lambda size: 1e3 * seconds(lambda: chain(size)),
    "W12": w12,
}
CANNOT = {
    "W3": "a dynamic output is one op each, see W2",
    "W6.100": "a dynamic output is one op each, see W5",
    "W7": "a new run takes up what is left, started through its own service",
    "W9": "an op cannot stream to the caller",
    "W10": "in one process ops run one after the other",
}

if __name__ == "__main__":
    if sys.argv[1] == "die":
        die(int(sys.argv[2]), Path(sys.argv[3]))
    answer(SIDES, CANNOT)
