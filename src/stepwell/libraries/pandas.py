"""The adapter around pandas: its columns as an Arrow stream, its axes beside them, all compared with what comes back.

Arrow has no word for all that pandas holds. A column of objects is stored as plain data where it is plain, the labels
of the columns like those of the rows; what then still differs is refused, and never changed in silence.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from stepwell.codecs.compare import difference
from stepwell.codecs.fields import Stored
from stepwell.codecs.node import name_of
from stepwell.codecs.plain import is_plain
from stepwell.codecs.port import Adapter
from stepwell.errors import CodecError
from stepwell.libraries import arrow
from stepwell.libraries.stream import Stream

_Columns = tuple[Stream, dict[int, list[Any] | None]]
"""The stream, and by position the columns of objects: None for one that is in the stream."""
_Axis = tuple[list[Any], list[int] | None, str | None]
"""The names of its levels; start, stop and step of a range; the rhythm of an index of times."""
_FRAME = tuple[int, _Columns, _Axis, _Columns, _Axis, dict[str, Any]]
"""How many columns, these and the labels of the rows, the rows' axis; the labels of the columns, their axis; `attrs`"""


class PandasAdapter(Adapter):
    """`DataFrame`, `Series`, `Index` and its subclasses."""

    def stored(self, annotation: object) -> Stored | None:
        """One of these; raises `CodecError` for anything else of pandas, and where pyarrow is not installed."""
        if not isinstance(annotation, type) or annotation.__module__.partition(".")[0] != "pandas":
            return None
        pd = _pandas()
        name = f"`pandas.{name_of(annotation)}`"
        if not issubclass(annotation, (pd.DataFrame, pd.Series, pd.Index)):
            raise CodecError(
                f"{name} cannot be stored: use a DataFrame, a Series or an Index, "
                "or say how it is stored with `stepwell.register_type`"
            )
        if find_spec("pyarrow") is None:
            raise CodecError(f"{name} is stored by way of pyarrow, which is missing: install pyarrow beside pandas")
        if annotation is pd.DataFrame:
            return _stored(annotation, lambda frame: frame, lambda frame: frame)
        if annotation is pd.Series:
            return _stored(annotation, _of_series, lambda frame: frame.iloc[:, 0])
        return _stored(annotation, lambda index: pd.DataFrame(index=index), lambda frame: frame.index)


def _pandas() -> Any:
    """The module, which tells type checkers nothing of its types."""
    return import_module("pandas")


def _stored(cls: type, take: Callable[[Any], Any], make: Callable[[Any], Any]) -> Stored:
    """A class that a frame is made of, and that is taken from one."""

    def encode(value: Any) -> tuple[object, ...]:
        parts = _encode(take(value))
        if told := _difference(take(value), take(make(_decode(parts)))):
            raise CodecError(told)
        return parts

    def summary(value: Any) -> str:
        return f"{type(value).__name__}, {' × '.join(map(str, value.shape))}"

    return Stored(
        cls,
        _FRAME,
        encode,
        lambda parts: make(_decode(parts)),
        family=issubclass(cls, _pandas().Index),
        same=lambda one, two: type(one) is type(two) and not _difference(take(one), take(two)),
        sure=True,
        summary=summary,
        build=cls,
        schema={"type": "array"},
    )


def _of_series(series: Any) -> Any:
    """A frame of one column, whose label is the name."""
    frame = _pandas().DataFrame(dict(enumerate([_array(series)])), index=series.index, copy=False)
    frame.columns = _pandas().Index([series.name], dtype=object)
    frame.attrs = series.attrs
    return frame


def _encode(frame: Any) -> tuple[object, ...]:
    rows, row_labels = _axis(frame.index)
    columns, column_labels = _axis(frame.columns)
    values = [_array(frame.iloc[:, position]) for position in range(frame.shape[1])]
    return len(values), _written([*values, *row_labels]), rows, _written(column_labels), columns, frame.attrs


def _decode(parts: tuple[Any, ...]) -> Any:
    width, written, rows, column_labels, columns, attrs = parts
    light = _read(written)
    index = _index(rows, light.iloc[:, width:])
    frame = light.iloc[:, :width] if width else _pandas().DataFrame(index=index)
    frame.index = index
    frame.columns = _index(columns, _read(column_labels))
    frame.attrs = attrs
    return frame


def _axis(index: Any) -> tuple[tuple[list[Any], list[int] | None, str | None], list[Any]]:
    """What is to be known of an index, and the arrays of its levels; a range needs none."""
    pd = _pandas()
    names = list(index.names)
    if isinstance(index, pd.RangeIndex):
        return (names, [index.start, index.stop, index.step], None), []
    rhythm = index.freqstr if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) else None
    return (names, None, rhythm), [_array(index.get_level_values(level)) for level in range(index.nlevels)]


def _index(axis: tuple[list[Any], list[int] | None, str | None], levels: Any) -> Any:
    pd = _pandas()
    names, bounds, rhythm = axis
    if bounds is not None:
        return pd.RangeIndex(*bounds, name=names[0])
    if levels.shape[1] > 1:
        return pd.MultiIndex.from_arrays([levels.iloc[:, level] for level in range(levels.shape[1])], names=names)
    found = pd.Index(levels.iloc[:, 0], dtype=levels.dtypes.iloc[0])
    found.name = names[0]  # given at once, None would stand for the name of the column
    if rhythm is not None:
        found.freq = rhythm
    return found


def _array(values: Any) -> Any:
    """The array of a column or a level: of numpy where it has no dtype of pandas' own."""
    return values.array if isinstance(values.dtype, _pandas().api.extensions.ExtensionDtype) else values.to_numpy()


def _written(arrays: list[Any]) -> tuple[tuple[int, memoryview], dict[int, list[Any] | None]]:
    """Arrays of one length, named by their position."""
    objects: dict[int, list[Any] | None] = {}
    columns: dict[str, Any] = {}
    for position, array in enumerate(arrays):
        columns[str(position)] = array
        if array.dtype == object:
            values = array.tolist()
            objects[position] = values if is_plain(values) else None
            if objects[position] is not None:
                columns[str(position)] = [None] * len(values)
    frame = _pandas().DataFrame(columns, copy=False)
    table = arrow.pyarrow().Table.from_pandas(frame, preserve_index=False)
    return arrow.stream(_without_versions(table)), objects


def _without_versions(table: Any) -> Any:
    """The same without the versions of the libraries that made it: equal frames have equal bytes."""
    metadata = dict(table.schema.metadata)
    told = json.loads(metadata[b"pandas"])
    del told["creator"], told["pandas_version"]
    metadata[b"pandas"] = json.dumps(told, sort_keys=True).encode()
    return table.replace_schema_metadata(metadata)


def _read(written: tuple[tuple[int, memoryview], dict[int, list[Any] | None]]) -> Any:
    data, objects = written
    table = arrow.table_of(data)
    frame = table.to_pandas()
    for position, values in objects.items():
        column = table.column(position).to_pylist() if values is None else values
        frame.isetitem(position, _pandas().Series(column, index=frame.index, dtype=object))
    return frame


def _difference(one: Any, two: Any) -> str:
    """What of a frame would not come back, with the way out; "" if they are equal in value and in type."""
    for what in ("index", "columns"):
        if not _same_index(getattr(one, what), getattr(two, what)):
            return f"its {what} would come back as another one: give it plain labels"
    if difference(one.attrs, two.attrs) is not None:
        return "its `attrs` would come back as others: leave them out"
    for position, label in enumerate(one.columns):
        left, right = one.iloc[:, position], two.iloc[:, position]
        if not _same_values(left, right):
            return (
                f"its column {label!r:.80} of dtype `{left.dtype}` would come back with other values or another dtype: "
                "give it a dtype that says what it holds, such as `string` or `Int64`"
            )
    return ""


def _same_index(one: Any, two: Any) -> bool:
    told = type(one) is type(two) and len(one) == len(two) and difference(list(one.names), list(two.names)) is None
    if not told or getattr(one, "freq", None) != getattr(two, "freq", None):
        return False
    if one.nlevels == 1:
        return _same_values(one, two)
    levels = range(one.nlevels)
    return all(_same_index(one.get_level_values(level), two.get_level_values(level)) for level in levels)


def _same_values(one: Any, two: Any) -> bool:
    """Objects are compared one by one, with their classes; what has a dtype is compared as a whole."""
    if one.dtype != two.dtype:
        return False
    if one.dtype == object:
        return difference(one.tolist(), two.tolist()) is None
    return bool(one.array.equals(two.array))
