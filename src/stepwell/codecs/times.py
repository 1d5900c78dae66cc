"""Datetimes and times, with their zone."""

from __future__ import annotations

import datetime as dt
import re
import sys
from typing import cast

from stepwell.codecs.leaves import Leaf
from stepwell.codecs.node import Misfit

_TINY = re.compile(r"([+-])00:00:00\.(\d{6})\Z")
"""An offset of less than a second, which `fromisoformat` takes for none."""


class Moment(Leaf):
    """A datetime or time in UTC or without a zone, as msgspec holds it; any other needs the exact leaf."""

    leaf = False

    def fault(self, value: object) -> Misfit | None:
        if type(value) not in self.kinds:
            return self.misfit(value)
        moment = cast("dt.datetime | dt.time", value)
        zone = moment.tzinfo
        if moment.fold or (zone is not None and (zone is not dt.UTC or type(value) is dt.time)):
            return self.misfit(value, "its zone needs the exact form")
        return None


class ExactMoment(Leaf):
    """A datetime or time as ISO 8601 text with its zone (RFC 9557): `2026-11-21T09:00:00+01:00[Europe/Berlin]`."""

    native = False
    leaf = False

    def __init__(self, annotation: object, kind: type) -> None:
        super().__init__(annotation, kind, "str")
        self.wire = str

    def fault(self, value: object) -> Misfit | None:
        if type(value) not in self.kinds:
            return self.misfit(value)
        zone = cast("dt.datetime | dt.time", value).tzinfo
        # One that has an offset without a date is fixed, whatever its class (pydantic has its own): it comes back as a
        # `datetime.timezone`.
        fixed = zone is None or zone.utcoffset(None) is not None
        if fixed or _name(zone):
            return None
        return self.misfit(value, "its tzinfo has no name: use datetime.timezone or zoneinfo.ZoneInfo")

    def lower(self, value: object) -> object:
        moment = cast("dt.datetime | dt.time", value)
        zone = moment.tzinfo
        name = _name(zone)
        written = f"[{name}]" if name else _offset(zone)
        return moment.replace(tzinfo=None).isoformat() + written + ("~" if moment.fold else "")

    def lift(self, data: object) -> object:
        text = cast("str", data)
        bare = text.removesuffix("~")
        bare, _, name = bare.removesuffix("]").partition("[")
        found = cast("dt.datetime | dt.time", next(iter(self.kinds)).fromisoformat(bare))  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
        if (tiny := _TINY.search(bare)) is not None:
            found = found.replace(tzinfo=dt.timezone(dt.timedelta(microseconds=int(tiny[1] + tiny[2]))))
        if name:
            import zoneinfo  # most runs meet no named zone: they do not pay for it

            found = found.replace(tzinfo=zoneinfo.ZoneInfo(name))
        return found.replace(fold=1) if text.endswith("~") else found


def _offset(zone: dt.tzinfo | None) -> str:
    """The offset of a fixed zone; a named one is written by its name."""
    return "" if zone is None else dt.time(0, tzinfo=zone).isoformat()[8:]


def _name(zone: dt.tzinfo | None) -> str:
    """The name of a `ZoneInfo`, "" for anything else."""
    known = sys.modules.get("zoneinfo")  # without the module there is no such zone
    if known is None or type(zone) is not known.ZoneInfo:
        return ""
    return cast("str | None", getattr(zone, "key", None)) or ""
