"""The JSON Schema of what a person may give for a type: for editors, forms and the dashboard."""

from __future__ import annotations

import datetime as dt
from typing import Any, cast

import msgspec

from stepwell.codecs.choices import Choice, Literals
from stepwell.codecs.containers import Dict, Fixed, Items
from stepwell.codecs.node import Node
from stepwell.codecs.plain import Plain, PlainKey
from stepwell.codecs.records import Record
from stepwell.codecs.show import shown
from stepwell.codecs.spelled import Parts, Path
from stepwell.codecs.stored import Whole
from stepwell.codecs.unions import Members
from stepwell.codecs.wrappers import Again, Bound, Foreigner

Schema = dict[str, Any]
_FORMATS: dict[type, str] = {dt.datetime: "date-time", dt.time: "time"}
_REFERENCE = "#/$defs/{name}"


def schema_of(node: Node) -> dict[str, object]:
    """The schema, with the classes in it under `$defs`."""
    writer = _Writer()
    found = writer.of(node)
    return {**found, "$defs": writer.defs} if writer.defs else found


class _Writer:
    """Collects the definitions of the classes."""

    def __init__(self) -> None:
        self.defs: Schema = {}
        self._names: dict[object, str] = {}

    def of(self, node: Node) -> Schema:
        """The schema of one node."""
        if isinstance(node, Again):
            return self._alias(node) if node.wild else self.of(node.target)
        if isinstance(node, (Plain, PlainKey)):
            return {}
        if isinstance(node, Record):
            return self._record(node)
        if isinstance(node, Members):
            return {"anyOf": [self.of(member) for member in node.members]}
        if isinstance(node, Items):
            unique = {} if node.kind in {list, tuple} else {"uniqueItems": True}
            return {"type": "array", "items": self.of(node.item), **unique}
        if isinstance(node, Fixed):
            size = len(node.items)
            return {
                "type": "array",
                "prefixItems": [self.of(item) for item in node.items],
                "minItems": size,
                "maxItems": size,
            }
        if isinstance(node, Dict):
            return {"type": "object", "additionalProperties": self.of(node.value)}
        return self._single(node)

    def _single(self, node: Node) -> Schema:
        if isinstance(node, Choice):
            return {"enum": [shown(member) for member in node.enum.__members__.values()], "title": node.label}
        if isinstance(node, Literals):
            return {"enum": [shown(value) for value in node.values]}
        if isinstance(node, Bound):
            return {**self.of(node.inner), **_limits(node)}
        if isinstance(node, Whole):
            given = self.of(node.inner) if node.stored.schema is None else dict(node.stored.schema)
            return given if "$ref" in given else {"title": node.label, **given}
        if isinstance(node, Foreigner):
            return self._merged(node.foreign.schema())
        if isinstance(node, Path):
            return {"type": "string", "format": "path"}
        if isinstance(node, Parts):
            return {"type": "array"}
        for kind, form in _FORMATS.items():
            if kind in node.kinds:
                return {"type": "string", "format": form}
        return _by_msgspec(node.annotation) or {"type": "string"}

    def _alias(self, node: Again) -> Schema:
        """A `type X = …` inside itself."""
        if node.annotation not in self._names:
            self._names[node.annotation] = name = self._free(node.label)
            self.defs[name] = {}
            self.defs[name] = self.of(node.target)
        return {"$ref": _REFERENCE.format(name=self._names[node.annotation])}

    def _free(self, label: str) -> str:
        """A name that no definition has yet."""
        name, count = label, 1
        while name in self.defs:
            count += 1
            name = f"{label}_{count}"
        return name

    def _merged(self, schema: dict[str, object]) -> Schema:
        """A schema by another library, its definitions put with ours."""
        found = dict(schema)
        self.defs.update(cast("Schema", found.pop("$defs", {})))
        return found

    def _record(self, node: Record) -> Schema:
        key = node.shape.cls if node.shape.cls is not dict else node.annotation
        if node.shape.schema is not None and key not in self._names:
            try:
                return self._merged(node.shape.schema())
            except Exception:  # the library cannot describe a type that it only lets in: then we do
                pass
        if key not in self._names:
            self._names[key] = name = self._free(node.label)
            self.defs[name] = {}  # taken, before the fields come back to it
            self.defs[name] = self._fields(node, name)
        return {"$ref": _REFERENCE.format(name=self._names[key])}

    def _fields(self, node: Record, name: str) -> Schema:
        required = [field for field in node.names if field not in node.shape.optional]
        found: Schema = {
            "title": name,
            "type": "object",
            "properties": {
                field: self.of(inner) for field, inner in zip(node.names, node.nodes, strict=True) if field[0] != "+"
            },
            "required": required,
        }
        said = node.shape.cls.__doc__ if node.shape.cls is not dict else None
        if said and not said.startswith(f"{node.shape.cls.__name__}("):  # the docstring that `dataclass` makes up
            found["description"] = said
        return found


def _by_msgspec(annotation: Any) -> Schema:
    try:
        return msgspec.json.schema(annotation)
    except TypeError:
        return {}


def _limits(node: Bound) -> Schema:
    """What msgspec says of the limits alone."""
    try:
        (found,), _ = msgspec.json.schema_components([node.limited], ref_template=_REFERENCE)
    except TypeError:
        return {}
    return {key: value for key, value in found.items() if key not in {"type", "$ref", "anyOf", "items"}}
