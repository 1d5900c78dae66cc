"""Times with zones that are seldom met."""

from __future__ import annotations

import datetime as dt

import pytest

from stepwell.codecs.values import Codecs


@pytest.mark.parametrize("microseconds", [-1, 1, -999_999, 999_999, -1_000_001, 3_600_000_001])
@pytest.mark.parametrize("kind", [dt.datetime, dt.time])
def test_an_offset_of_less_than_a_second_comes_back(kind: type, microseconds: int) -> None:
    """S21: `fromisoformat` of Python takes such an offset for UTC."""
    zone = dt.timezone(dt.timedelta(microseconds=microseconds))
    moment = dt.datetime(2026, 1, 1, 5, 6, 7, 8, tzinfo=zone)
    value = moment if kind is dt.datetime else moment.timetz()
    codec = Codecs().codec(kind)
    back = codec.decode(codec.encode(value))
    assert back == value
    assert isinstance(back, (dt.datetime, dt.time))
    assert back.utcoffset() == value.utcoffset()
