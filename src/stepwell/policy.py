"""What a step's author decides about trying again: frozen data with its arithmetic; chance comes in as an argument."""

from __future__ import annotations

from typing import cast

from msgspec import Struct, structs

from stepwell.clock import Duration, seconds

UNDECLARED_ATTEMPTS = 100
"""How often a step may return `Retry` that declares no retry of its own."""


class RetryPolicy(Struct, frozen=True):
    """How often a step is tried, and how long it waits in between.

    `attempts` counts all attempts, the first one too. The wait before attempt n + 1 is
    `delay * backoff ** (n - 1)`, at most `max_delay`, and up to `jitter` (a share) longer or shorter by chance.
    Only exceptions in `on` or kinds in `kinds` (`"error"`, `"timeout"`, `"codec"`) are tried again where either is
    given; exceptions in `unless` never are. Raises ValueError or TypeError for values that make no sense.

    >>> RetryPolicy(attempts=3, delay="1s", backoff=2.0, jitter=0).wait(2, 0.5)
    2.0
    """

    attempts: int = 3
    delay: Duration = "1s"
    backoff: float = 2.0
    max_delay: Duration = "60s"
    jitter: float = 0.1
    on: tuple[type[BaseException], ...] = ()
    kinds: tuple[str, ...] = ()
    unless: tuple[type[BaseException], ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.attempts, bool) or not isinstance(self.attempts, int) or self.attempts < 1:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"retry attempts must be a whole number of at least 1, not {self.attempts!r}")
        if not self.backoff >= 1:
            raise ValueError(f"retry backoff must be at least 1, not {self.backoff!r}")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"retry jitter is a share between 0 and 1, not {self.jitter!r}")
        if seconds(self.delay, "retry delay") > seconds(self.max_delay, "retry max_delay"):
            raise ValueError(f"retry delay {self.delay!r} is longer than max_delay {self.max_delay!r}; give both")
        structs.force_setattr(self, "on", _exceptions("on", self.on))
        structs.force_setattr(self, "unless", _exceptions("unless", self.unless))
        if unknown := set(self.kinds) - {"error", "timeout", "codec"}:
            raise ValueError(f'retry kinds are "error", "timeout" and "codec", not {sorted(unknown)}')

    def wait(self, failed: int, chance: float) -> float:
        """Seconds to wait after the attempt number `failed`; `chance` is a number in [0, 1)."""
        try:
            grown = seconds(self.delay) * self.backoff ** (failed - 1)
        except OverflowError:
            grown = float("inf")
        return min(grown, seconds(self.max_delay)) * (1 + self.jitter * (2 * chance - 1))

    def covers(self, kind: str, exception: BaseException | None) -> bool:
        """Whether a failure of this kind, with this exception, is tried again."""
        known = type(None) if exception is None else type(exception)  # not every exception tells its class when asked
        if issubclass(known, self.unless):
            return False
        if not self.on and not self.kinds:
            return True
        return kind in self.kinds or issubclass(known, self.on)


def _exceptions(option: str, given: object) -> tuple[type[BaseException], ...]:
    """Exception classes, of which one may stand alone."""
    found: list[type[BaseException]] = []
    for one in cast("tuple[object, ...]", given) if isinstance(given, tuple) else (given,):
        if not isinstance(one, type) or not issubclass(one, BaseException):
            raise TypeError(f"retry {option} takes exception classes, not {given!r}")
        found.append(one)
    return tuple(found)
