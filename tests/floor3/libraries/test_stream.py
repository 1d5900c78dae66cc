"""Streams that are damaged are told by their checksum, before anything reads them."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from stepwell.errors import CodecError
from stepwell.libraries.stream import opened, sealed

from .returns import CODECS


def test_a_stream_is_opened_only_as_it_was_sealed() -> None:
    checksum, data = sealed(memoryview(b"abc"))
    assert opened((checksum, data)) == b"abc"
    with pytest.raises(ValueError, match="its bytes are damaged"):
        opened((checksum, memoryview(b"abd")))


@pytest.mark.parametrize(
    "value",
    [
        pd.DataFrame({"a": ["x", "yy"], "c": pd.Categorical(["a", "b"])}, index=["i", "j"]),
        pl.DataFrame({"a": ["x", "y" * 40], "b": [[1], [2, 3]]}),
        pa.table({"a": ["x", "yy"], "d": pa.array(["a", "b"]).dictionary_encode()}),
        np.array(["a", "b"]),
    ],
    ids=["pandas", "polars", "pyarrow", "numpy"],
)
def test_damaged_bytes_give_a_value_or_a_codec_error_and_never_end_the_process(value: object) -> None:
    """M10: without the checksum, one of a few hundred such bytes is a segmentation fault or a panic."""
    codec, chance = CODECS.codec(type(value)), random.Random(1)
    whole = codec.encode(value)
    refused = 0
    for _ in range(500):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            codec.to_builtins(codec.decode(bytes(data)))
        except CodecError:
            refused += 1
    assert refused > 50
