"""The codecs: one for each declared type, built on msgspec alone.

`import stepwell` comes through here, so what is first needed when a pipeline is compiled is imported then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stepwell.codecs.port import Adapter, Codec
from stepwell.codecs.wire import digest

if TYPE_CHECKING:
    from stepwell.codecs.codec import ValueCodec

__all__ = ["Codecs", "digest", "plain"]


class Codecs:
    """The codec of each type, built once.

    >>> Codecs().codec(list[int]).decode(Codecs().codec(list[int]).encode([1, 2]))
    [1, 2]
    """

    def __init__(self, adapters: Sequence[Adapter] = ()) -> None:
        self._adapters = tuple(adapters)
        self._codecs: dict[object, ValueCodec] = {}

    def codec(self, annotation: object) -> Codec:
        """The codec of a type, or of no declared type (`inspect.Signature.empty`, `Any`, `object`).

        Raises `CodecError` for a type whose values cannot be stored.
        """
        try:
            found = self._codecs.get(annotation)
        except TypeError:  # `Annotated` with something that cannot be hashed
            return self._built(annotation)
        if found is None:
            found = self._codecs[annotation] = self._built(annotation)
        return found

    def _built(self, annotation: object) -> ValueCodec:
        from stepwell.codecs.codec import ValueCodec

        return ValueCodec(annotation, self._adapters)


def plain(data: bytes) -> object:
    """What encoded bytes hold, without their type, as JSON would have it: for showing only.

    A member of a union is shown without its tag. Raises `CodecError` if the bytes are not an encoded value.

    >>> plain(Codecs().codec(dict[str, int]).encode({"words": 3}))
    {'words': 3}
    """
    from stepwell.codecs.show import plain as show

    return show(data)
