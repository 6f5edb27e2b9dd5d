"""Columns of Python values, as JSON and Excel hold them -> columns of the language's types."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import pyarrow as pa

from ...compiler.types import Type
from .. import tables
from .typed import INT64, Reading, fit, infer, parse


@dataclass(frozen=True, slots=True)
class Values:
    """Cells of any kind; None is an empty one."""

    items: tuple[Any, ...]
    reading: Reading

    def inferred(self) -> pa.ChunkedArray:
        found = self._present()
        kinds = {_kind(item) for item in found} - {"missing"}
        return pa.chunked_array([_inferred(found, kinds, self.reading)])

    def fitted(self, type_: Type) -> tuple[pa.ChunkedArray, pa.ChunkedArray | None]:
        found = self._present()
        kinds = {_kind(item) for item in found} - {"missing"}
        if kinds == {"text"} and type_.base in _from_text(self.reading):
            return fit(pa.chunked_array([pa.array(found, pa.string())]), type_, self.reading)
        turned = [None if item is None else _as(item, type_, self.reading) for item in found]
        wrong = [item is not None and value is None for item, value in zip(found, turned, strict=True)]
        array = pa.chunked_array([pa.array(turned, tables.to_arrow(type_))])
        return array, pa.chunked_array([pa.array(wrong, pa.bool_())]) if any(wrong) else None

    def shown(self, row: int) -> str | None:
        item = self.items[row]
        return None if item is None else _text_of(item)

    def with_more(self, others: Sequence[Values]) -> Values:
        return Values(tuple(item for cells in (self, *others) for item in cells.items), self.reading)

    def _present(self) -> list[Any]:
        missing = set(self.reading.missing)
        return [None if isinstance(item, str) and item in missing else item for item in self.items]


def _kind(item: object) -> str:
    """bool before int and datetime before date: the one is also the other for Python."""
    if item is None:
        return "missing"
    if isinstance(item, int) and not isinstance(item, bool) and item not in INT64:
        return "huge"
    for type_, kind in _KINDS:
        if isinstance(item, type_):
            return kind
    return "other"


_KINDS: tuple[tuple[type, str], ...] = (
    (str, "text"), (bool, "bool"), (int, "int"), (float, "float"), (datetime, "timestamp"), (date, "date"),
    (list, "list"),
)  # fmt: skip


def _inferred(items: list[Any], kinds: set[str], reading: Reading) -> pa.Array:
    if kinds == {"text"} and (reading.numbers_in_text or reading.dates):
        return _inferred_text(items, reading)
    if kinds <= {"int", "float"} and kinds:
        return _numbers(items, reading)
    if kinds <= {"date", "timestamp"} and kinds:
        return (
            pa.array(items, pa.date32())
            if kinds == {"date"}
            else pa.array([_moment(item) for item in items], pa.timestamp("us"))
        )
    if kinds == {"bool"}:
        return pa.array(items, pa.bool_())
    if kinds == {"list"}:
        return _lists(items, reading)
    if kinds <= {"int", "float", "text"} and "text" in kinds and reading.numbers_in_text:
        turned = [item if not isinstance(item, str) else parse(item, "float", reading) for item in items]
        if all(value is not None for item, value in zip(items, turned, strict=True) if item is not None):
            return _numbers(turned, reading)
    return pa.array([None if item is None else _text_of(item) for item in items], pa.string())


def _inferred_text(items: list[Any], reading: Reading) -> pa.Array:
    column = pa.chunked_array([pa.array(items, pa.string())])
    found = infer(column, reading)
    is_date = pa.types.is_date(found.type) or pa.types.is_timestamp(found.type)
    wanted = bool(reading.dates) if is_date else reading.numbers_in_text and not pa.types.is_boolean(found.type)
    return (found if wanted else column).combine_chunks()


def _numbers(items: list[Any], reading: Reading) -> pa.Array:
    """Excel knows no whole numbers: a column all of whose numbers are whole is int. A 1.0 of JSON is a float."""
    whole = all(isinstance(item, int) or (reading.text_of_numbers and item.is_integer() and int(item) in INT64)
                for item in items if item is not None)  # fmt: skip
    if whole:
        return pa.array([None if item is None else int(item) for item in items], pa.int64())
    return pa.array([None if item is None else float(item) for item in items], pa.float64())


def _lists(items: list[Any], reading: Reading) -> pa.Array:
    inner = [value for item in items if item is not None for value in item]
    kinds = {_kind(value) for value in inner} - {"missing"}
    values = _inferred(inner, kinds, Reading(missing=(), numbers_in_text=False))
    offsets, end = [], 0
    for item in items:
        offsets.append(None if item is None else end)
        end += len(item or ())
    return pa.ListArray.from_arrays(pa.array([*offsets, end], pa.int32()), values)


def _from_text(reading: Reading) -> tuple[str, ...]:
    return ("date", "timestamp", "int", "float", "bool") if reading.text_of_numbers else ("date", "timestamp")


def _as(item: Any, type_: Type, reading: Reading) -> Any:
    """One value as a declared type, None when that would change it."""
    kind = _kind(item)
    if kind == "text" and type_.base in _from_text(reading):
        return parse(item, type_.base, reading)
    if kind == type_.base != "list":
        return item
    if type_.base == "list" and kind == "list" and type_.item is not None:
        inside = [_as(value, type_.item, reading) if value is not None else None for value in item]
        return None if any(a is None and b is not None for a, b in zip(inside, item, strict=True)) else inside
    if type_.base == "text":
        return _text_of(item) if reading.text_of_numbers and kind in ("int", "float") else None
    return _widened(item, kind, type_.base)


def _widened(item: Any, kind: str, base: str) -> Any:
    match kind, base:
        case "int", "float":
            return float(item)
        case "float", "int":
            return int(item) if item.is_integer() and int(item) in INT64 else None
        case "date", "timestamp":
            return _moment(item)
        case "timestamp", "date":
            return item.date() if item.time() == time() else None
    return None


def _moment(item: Any) -> datetime | None:
    return datetime(item.year, item.month, item.day) if type(item) is date else item


def _text_of(item: Any) -> str:
    """A value as the file shows it: 3.0 of a sheet as 3."""
    if isinstance(item, str):
        return item
    if isinstance(item, float) and item.is_integer() and abs(item) < 2**53:
        return str(int(item))
    if isinstance(item, bool | list | dict):
        return json.dumps(item, ensure_ascii=False)
    return str(item)
