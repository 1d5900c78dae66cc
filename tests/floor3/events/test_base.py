"""Values in events: which of them have a digest, and what of them a run keeps in memory."""

from __future__ import annotations

from hashlib import sha256

import pytest

from stepwell.events import LARGE, Payload, in_memory


@pytest.mark.parametrize("size", [0, 1, LARGE])
def test_bytes_that_lie_in_the_journal_have_no_digest(size: int) -> None:
    """W5: a digest of each small value would cost more than to write it."""
    data = bytes(size)
    assert Payload.of(data) == Payload(data, "", 0)


def test_bytes_that_lie_outside_are_named_by_their_digest() -> None:
    """S24: it is made once, and stands for the value wherever its bytes are not."""
    data = b"x" * (LARGE + 1)
    assert Payload.of(data) == Payload(data, sha256(data).hexdigest(), LARGE + 1)


def test_of_a_large_value_a_run_keeps_which_it_is_and_not_its_bytes() -> None:
    """S14: a run holds what is large for as long as somebody has it in hand."""
    large = Payload.of(b"x" * (LARGE + 1))
    assert in_memory(large) == Payload(None, large.digest, LARGE + 1)
    assert in_memory(in_memory(large)) == in_memory(large)


@pytest.mark.parametrize("output", [Payload.of(bytes(LARGE)), None, [1], "x" * (LARGE + 1)])
def test_what_has_no_digest_is_kept_as_it_is(output: object) -> None:
    """D18: small bytes, and the objects of a run in memory, which are recorded nowhere else."""
    assert in_memory(output) is output
