"""An Arrow stream with its checksum: who reads such a stream trusts its bytes, and dies with the process."""

from __future__ import annotations

import zlib

from stepwell.codecs.fields import Buffer

Stream = tuple[int, Buffer]
"""As a type: the checksum and the bytes."""


def sealed(data: memoryview) -> tuple[int, memoryview]:
    """The stream with its CRC-32, which finds damage; against malice it does nothing."""
    return zlib.crc32(data), data


def opened(stream: tuple[int, memoryview]) -> memoryview:
    """The bytes, if they are those that were sealed; raises ValueError if they are not."""
    checksum, data = stream
    if zlib.crc32(data) != checksum:
        raise ValueError("its bytes are damaged: their checksum is another one")
    return data
