"""What every library's types must do: come back as they were, from every place where a type can stand."""

from __future__ import annotations

from typing import Any

from stepwell.codecs.values import Codecs, digest, plain
from stepwell.libraries.every import every_adapter

CODECS = Codecs(every_adapter())


def comes_back(annotation: Any, value: Any) -> Any:
    """Encode, decode, compare; alone, in containers, in unions. Gives what was decoded."""
    codec = CODECS.codec(annotation)
    codec.check(value)
    data = codec.verify(value)
    back = codec.decode(memoryview(data))
    assert type(back) is type(value)
    assert digest(codec.encode(back)) == digest(data)
    CODECS.codec(list[annotation]).verify([value, value])
    CODECS.codec(dict[str, annotation]).verify({"key": value})
    CODECS.codec(annotation | None).verify(value)
    CODECS.codec(annotation | int | list[int] | None).verify(value)
    assert codec.schema()
    plain(data)
    codec.to_builtins(value)
    return back
