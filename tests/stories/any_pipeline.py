"""Pipelines by chance, from a seed: steps of every kind, in any order, whose run has one outcome only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

from stepwell import Pipeline, RetryPolicy, Skip, StepContext

KINDS = ("plain", "plain", "plain", "map", "flaky", "slow", "fails", "skips", "when", "tolerated")


def any_pipeline(seed: int) -> Pipeline:
    """Three to eight steps after each other and beside each other; `finish`, so that no race decides what runs."""
    chance = Random(seed)
    pipe = Pipeline(f"any{seed}", concurrency=chance.choice([None, 1, 2, 3]), on_failure="finish")
    names: list[str] = []
    for number in range(chance.randint(3, 8)):
        kind = chance.choice(KINDS)
        after = chance.sample(names, min(len(names), chance.randint(0, 2)))
        options: dict[str, Any] = {"after": after} if after else {}
        if kind == "map":
            source = f"items{number}"
            pipe.step(source, **options)(_numbers())
            names.append(source)
            _map(pipe, f"step{number}", source, chance)
        else:
            pipe.step(f"step{number}", **options, **_policies(kind, chance))(_step(kind, number))
        names.append(f"step{number}")
    return pipe


def _policies(kind: str, chance: Random) -> dict[str, Any]:
    if kind == "flaky":
        return {"retry": RetryPolicy(3, delay="5s", jitter=0)}
    if kind == "slow":
        return {"retry": 2, "timeout": "3s"}
    if kind == "when":
        return {"when": (lambda: True) if chance.random() < 0.5 else (lambda: False)}
    return {"critical": False} if kind == "tolerated" else {}


def _step(kind: str, number: int) -> Callable[..., object]:
    async def step(ctx: StepContext) -> int | Skip:
        if kind == "flaky" and ctx.attempt == 1:
            raise OSError
        if kind == "slow" and ctx.attempt == 1:
            await asyncio.Event().wait()
        if kind in ("fails", "tolerated"):
            raise ValueError(number)
        await asyncio.sleep(0)
        return Skip("by chance") if kind == "skips" else number

    return step


def _numbers() -> Callable[..., object]:
    async def numbers() -> list[int]:
        return [0, 1, 2, 3]

    return numbers


def _map(pipe: Pipeline, name: str, source: str, chance: Random) -> None:
    """A map in which an item may need a second attempt, and another one fail for good."""
    flaky, bad = chance.choice([None, 1, 2]), chance.choice([None, None, 3])

    async def work(item: int, ctx: StepContext) -> int:
        if item == flaky and ctx.attempt == 1:
            raise OSError
        await asyncio.sleep(0)
        if item == bad:
            raise ValueError(item)
        return item * 10

    pipe.map(
        name,
        over=source,
        concurrency=chance.randint(1, 3),
        min_success=chance.choice([2, 0.5]),
        retry=RetryPolicy(3, delay="7s", jitter=0, on=(OSError,)),
        critical=chance.random() < 0.8,
    )(work)
