"""From what a person types on a command line to a value of the declared type."""

from __future__ import annotations

import datetime as dt
import difflib
import enum
import os
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import cast

import msgspec

from stepwell.clock import seconds
from stepwell.codecs.choices import Choice, Literals
from stepwell.codecs.containers import Fixed, Items
from stepwell.codecs.node import Misfit, Node
from stepwell.codecs.plain import Plain
from stepwell.codecs.stored import Whole
from stepwell.codecs.unions import Members, takes_any_text
from stepwell.codecs.wrappers import Again, Bound, Foreigner

_BOOLS = {"yes": True, "true": True, "1": True, "on": True, "no": False, "false": False, "0": False, "off": False}


def parse(node: Node, text: str | Sequence[str]) -> object:
    """The value; raises `Misfit`."""
    if isinstance(node, Bound):
        return node.read(parse(node.inner, text))
    if isinstance(node, Again):
        return parse(node.target, text)
    if isinstance(node, Members):
        return _member(node, text)
    if isinstance(node, Whole) and node.stored.build is None:
        return node.read(parse(node.inner, text))
    texts = [text] if isinstance(text, str) else list(text)
    if isinstance(node, (Items, Fixed)) and not (len(texts) == 1 and texts[0].lstrip().startswith("[")):
        return _items(node, texts)
    if len(texts) != 1:
        raise Misfit(f"one `{node.label}`", f"{len(texts)} texts", "give it once")
    return _one(node, texts[0])


def _items(node: Items | Fixed, texts: Sequence[str]) -> object:
    """Each text is an item."""
    nodes = [node.item] * len(texts) if isinstance(node, Items) else node.items
    if len(nodes) != len(texts):
        raise Misfit(f"{len(nodes)} texts for `{node.label}`", str(len(texts)))
    found: list[object] = []
    for index, (item, text) in enumerate(zip(nodes, texts, strict=True)):
        try:
            found.append(parse(item, text))
        except Misfit as misfit:
            raise misfit.under(f"[{index}]") from None
    return node.read(found)


def _member(node: Members, text: str | Sequence[str]) -> object:
    """The first member that the text spells. Texts and paths take any, so they come late; bool takes 0 and 1."""
    misfits: list[Misfit] = []
    one = isinstance(text, str) and not text.lstrip().startswith("[")
    for member in sorted(node.members, key=lambda each: _rank(each, one)):
        try:
            return parse(member, text)
        except Misfit as misfit:
            misfits.append(misfit)
    told = [misfit for misfit in misfits if misfit.hint]
    raise Misfit(f"`{node.label}`", repr(text)[:80], told[0].hint if told else "")


def _rank(node: Node, one: bool) -> tuple[bool, bool, bool, bool]:
    """None last of all: where a text will do, `none` is a text. One text is a list only if it is nothing else."""
    listed = one and isinstance(node, (Items, Fixed))
    return type(None) in node.kinds, listed, takes_any_text(node), bool in node.kinds


def _one(node: Node, text: str) -> object:
    if isinstance(node, Choice):
        return _choice(node, text)
    if isinstance(node, Literals):
        return _literal(node, text)
    if isinstance(node, Plain):
        # Without a type a text is a text; only what can be nothing else is JSON.
        return node.read(_json(node, text)) if text.lstrip().startswith(("{", "[")) else text
    for kind, make in _BY_CLASS.items():
        if kind in node.kinds:
            try:
                return node.read(make(text))
            except (ValueError, InvalidOperation):
                raise Misfit(f"`{node.label}`", repr(text)[:80], _HINTS.get(kind, "")) from None
    if takes_any_text(node):
        return node.read(text)
    if isinstance(node, Foreigner):
        try:
            return node.read(text)
        except Misfit:
            return node.read(_json(node, text))
    try:
        return node.read(text)
    except Misfit as misfit:
        if not text.lstrip().startswith(("{", "[", '"')):
            hint = misfit.hint or "give it as JSON"
            raise Misfit(f"`{node.label}`", repr(text)[:80], hint) from None
    return node.read(_json(node, text))


def _json(node: Node, text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError) as error:
        raise Misfit(f"`{node.label}` as JSON", repr(text)[:80], str(error)) from None


def _choice(node: Choice, text: str) -> object:
    """A member by name, by name in any case, or by value."""
    members = node.enum.__members__
    if text in members:
        return members[text]
    for name, member in members.items():
        if name.casefold() == text.casefold() or str(cast("object", member.value)) == text:
            return member
    try:
        return node.read(int(text) if issubclass(node.enum, enum.Flag) and text.isdecimal() else text)
    except Misfit:
        near = difflib.get_close_matches(text, members, 1)
        hint = f"did you mean {near[0]}?" if near else "its members are " + ", ".join(members)
        raise Misfit(f"`{node.label}`", repr(text)[:80], hint) from None


def _literal(node: Literals, text: str) -> object:
    for value in node.values:
        spelled = {value.name, str(cast("object", value.value))} if isinstance(value, enum.Enum) else {str(value)}
        if isinstance(value, bytes):
            spelled = {os.fsdecode(value)}
        if text in spelled or (isinstance(value, bool) and _BOOLS.get(text.casefold()) is value):
            return value
    raise Misfit(f"`{node.label}`", repr(text)[:80], f"it is none of {', '.join(map(str, node.values))}")


def _none(text: str) -> None:
    if text.casefold() not in {"", "none", "null"}:
        raise ValueError(text)


def _bool(text: str) -> bool:
    try:
        return _BOOLS[text.casefold()]
    except KeyError:
        raise ValueError(text) from None


def _timedelta(text: str) -> dt.timedelta:
    """`90s`, `1.5`, or ISO 8601 `PT90S`."""
    try:
        return dt.timedelta(seconds=seconds(float(text) if text.replace(".", "", 1).isdecimal() else text))
    except (ValueError, TypeError):
        return msgspec.convert(text, dt.timedelta)


_BY_CLASS: dict[type, Callable[[str], object]] = {
    type(None): _none,
    bool: _bool,
    float: float,  # before int, which is a float too
    int: int,
    str: str,
    bytes: os.fsencode,
    bytearray: lambda text: bytearray(os.fsencode(text)),
    dt.datetime: dt.datetime.fromisoformat,
    dt.date: dt.date.fromisoformat,
    dt.time: dt.time.fromisoformat,
    dt.timedelta: _timedelta,
    Decimal: Decimal,
}
_HINTS: dict[type, str] = {
    bool: "say yes or no",
    dt.datetime: "such as 2026-11-21T09:00:00+01:00",
    dt.date: "such as 2026-11-21",
    dt.time: "such as 09:00",
    dt.timedelta: "such as 90s, 10m or PT1H",
}
