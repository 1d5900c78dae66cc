"""Text that can be recorded and shown, whatever it was made of."""

from __future__ import annotations

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


def clean(text: str) -> str:
    r"""Text that can be recorded and shown: halves of surrogate pairs and control characters are spelled out.

    >>> clean("caf\udce9")
    'caf\\udce9'
    """
    plain = text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
    return plain if plain.isprintable() else plain.translate(_CONTROLS)


def can_be_written(text: str) -> bool:
    r"""Whether no character of it is half of a surrogate pair, which nothing can store.

    >>> can_be_written("café"), can_be_written("caf\udce9")
    (True, False)
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
