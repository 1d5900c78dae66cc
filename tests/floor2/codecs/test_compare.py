"""What tells whether a value would come back as it is."""

from __future__ import annotations

from decimal import Decimal

import pytest

from stepwell.codecs.compare import difference
from stepwell.codecs.values import Codecs


@pytest.mark.parametrize("text", ["sNaN", "NaN", "-NaN123", "-0", "Infinity", "1.10", "1E+999999"])
def test_a_decimal_is_itself_also_where_it_cannot_be_compared(text: str) -> None:
    """S21: a signaling nan raises where it meets `==`."""
    value = [Decimal(text)]
    assert difference(value, [Decimal(text)]) is None
    codec = Codecs().codec(list[Decimal])
    assert difference(value, codec.decode(codec.verify(value))) is None


@pytest.mark.parametrize(("one", "two"), [("1.0", "1.00"), ("0", "-0"), ("NaN", "sNaN"), ("NaN", "NaN1"), ("1", "2")])
def test_decimals_that_say_another_thing_differ(one: str, two: str) -> None:
    """S21: 1.0 and 1.00 are equal, and are not written alike."""
    assert difference([Decimal(one)], [Decimal(two)]) is not None
