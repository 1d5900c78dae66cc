"""All adapters, in the order in which a type is shown to them."""

from __future__ import annotations

from stepwell.codecs.port import Adapter
from stepwell.libraries.arrow import ArrowAdapter
from stepwell.libraries.attrs import AttrsAdapter
from stepwell.libraries.numpy import NumpyAdapter
from stepwell.libraries.pandas import PandasAdapter
from stepwell.libraries.polars import PolarsAdapter
from stepwell.libraries.pydantic import PydanticAdapter


def every_adapter() -> list[Adapter]:
    """One of each; making them imports no library."""
    return [PydanticAdapter(), AttrsAdapter(), NumpyAdapter(), PandasAdapter(), PolarsAdapter(), ArrowAdapter()]
