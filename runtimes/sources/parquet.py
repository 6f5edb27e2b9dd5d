"""Parquet files -> cells that have their types; and what the footer alone tells of them."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ...compiler.types import Column, Columns, Type
from .. import tables
from ..declared import lossless, may_be
from ..trouble import Trouble
from .raw import Raw, Spot


@dataclass(frozen=True, slots=True)
class Typed:
    """Cells of one of the language's types. `name` and `file` are for messages."""

    column: pa.ChunkedArray
    name: str
    file: str

    def inferred(self) -> pa.ChunkedArray:
        return self.column

    def fitted(self, type_: Type) -> tuple[pa.ChunkedArray, pa.ChunkedArray | None]:
        found = lossless(self.column, type_)
        if found is None:
            raise _another_type(self.file, self.name, tables.from_arrow(self.column.type), type_)
        return found

    def shown(self, row: int) -> str | None:
        value = self.column[row].as_py()
        return None if value is None else str(value)

    def with_more(self, others: Sequence[Typed]) -> Typed:
        columns = [self.column, *(cells.column for cells in others)]
        target = _common([column.type for column in columns if column.null_count < len(column)] or [self.column.type])
        if target is None:
            raise _unlike(self.name, self.file, others[0].file)
        turned = [_turned(column, target) for column in columns]
        return Typed(
            pa.chunked_array([chunk for column in turned for chunk in column.chunks], target), self.name, self.file
        )


def _turned(column: pa.ChunkedArray, target: pa.DataType) -> pa.ChunkedArray:
    is_empty = column.null_count == len(column)  # then its own type says nothing
    return pa.chunked_array([pa.nulls(len(column), target)]) if is_empty else column.cast(target)


def read(file: str, content: bytes) -> Raw:
    table = _canonical(_opened(file, io.BytesIO(content)).read(), file)
    columns = {name: Typed(table.column(name), name, file) for name in table.column_names}

    def spots(rows: Sequence[int]) -> list[Spot]:
        found = table.take(pa.array(rows, pa.int64())).to_pylist()
        return [Spot(file, row + 1, json.dumps(values, default=str, ensure_ascii=False))
                for row, values in zip(rows, found, strict=True)]  # fmt: skip

    return Raw(file, tuple(table.column_names), columns, table.num_rows, spots)


def columns_of(root: Path, file: str, declared: dict[str, Column]) -> Columns:
    """By the footer. A column's own data is read only where the footer does not say what there is to know."""
    opened = _opened(file, root / file)
    return tuple(_column(opened, field, declared.get(field.name), file) for field in opened.schema_arrow)


def unified(many: Sequence[Columns], files: Sequence[str]) -> Columns:
    """One table's columns from those of its files."""
    found = []
    for column in many[0]:
        same = [next((other for other in columns if other.name == column.name), None) for columns in many]
        types = [other.type for other in same if other is not None]
        target = column.type if len({type_.base for type_ in types}) == 1 else None
        if target is None:
            common = _common([tables.to_arrow(type_) for type_ in types])
            target = tables.from_arrow(common) if common is not None else None
        if target is None:
            raise _unlike(column.name, files[0], files[1])
        optional = any(type_.optional for type_ in types)
        found.append(column.model_copy(update={"type": target.model_copy(update={"optional": optional})}))
    return tuple(found)


def _opened(file: str, source: Path | io.BytesIO) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(source)
    except pa.ArrowInvalid as error:
        magic = "magic bytes" in str(error)
        why = "" if magic else f": {str(error).splitlines()[0]}"
        help_ = "it is another format, or was not copied to its end" if magic else ""
        raise Trouble(f"read {file}", f"it is no Parquet file{why}", help_) from None


def _canonical(table: pa.Table, file: str) -> pa.Table:
    try:
        return tables.canonical(table)
    except Trouble as trouble:
        raise Trouble(f"read {file}", trouble.cause, trouble.help) from None


def _column(opened: pq.ParquetFile, field: pa.Field, declared: Column | None, file: str) -> Column:
    type_ = tables.from_arrow(field.type)
    if type_ is None or (pa.types.is_decimal(field.type) and field.type.scale == 0):
        return tables.columns_of(_canonical(opened.read([field.name]), file))[0]
    if declared is not None:
        if not may_be(type_, declared.type):
            raise _another_type(file, field.name, type_, declared.type)
        return Column(name=field.name, type=declared.type)
    missing = _missing(opened, field)
    if missing is None:
        missing = opened.read([field.name]).column(0).null_count
    return Column(name=field.name, type=type_.model_copy(update={"optional": missing > 0}))


def _missing(opened: pq.ParquetFile, field: pa.Field) -> int | None:
    """How many values are missing, None where the footer does not say."""
    leaves = [opened.schema.column(index).path for index in range(len(opened.schema))]
    if not field.nullable or leaves.count(field.name) != 1:
        return 0 if not field.nullable else None
    index, count = leaves.index(field.name), 0
    for group in range(opened.metadata.num_row_groups):
        statistics = opened.metadata.row_group(group).column(index).statistics
        if statistics is None or not statistics.has_null_count:
            return None
        count += statistics.null_count
    return count


def _common(types: Sequence[pa.DataType]) -> pa.DataType | None:
    """The one type that holds all of these and changes no value, if there is one."""
    different = set(types)
    for pair in ({pa.int64(), pa.float64()}, {pa.date32(), pa.timestamp("us")}):
        if different <= pair and len(different) == 2:
            return pa.float64() if pa.float64() in pair else pa.timestamp("us")
    return different.pop() if len(different) == 1 else None


def _another_type(file: str, name: str, found: Type | None, wanted: Type) -> Trouble:
    return Trouble(
        f"read {file}",
        f"column {name} is {found}, declared {wanted}",
        f"declare it as {found}, or leave the declaration away",
    )


def _unlike(name: str, first: str, other: str) -> Trouble:
    return Trouble(
        f"read {other}",
        f"its column {name} has another type than that of {first}",
        "write the files with the same types",
    )
