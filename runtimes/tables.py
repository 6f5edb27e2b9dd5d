"""Tables as they lie in the store: Parquet files of the language's own types, the same bytes for the same rows.

The one place that knows how Arrow's types and the language's correspond.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..compiler.types import Column, Columns, Type
from .order import Made
from .store.objects import FOLDER, Damaged, Objects
from .trouble import Trouble

ROW_GROUP = 122_880

_TO_ARROW: dict[str, pa.DataType] = {
    "int": pa.int64(),
    "float": pa.float64(),
    "text": pa.string(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}


def to_arrow(type_: Type) -> pa.DataType:
    if type_.base == "list":
        return pa.list_(to_arrow(type_.item) if type_.item else pa.string())
    return _TO_ARROW[type_.base]


def from_arrow(type_: pa.DataType, *, optional: bool = False) -> Type | None:
    """The language's type for a type of Arrow's, None where it has none."""
    if pa.types.is_dictionary(type_):
        return from_arrow(type_.value_type, optional=optional)
    if pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_):
        item = from_arrow(type_.value_type)
        return Type(base="list", item=item, optional=optional) if item else None
    for is_such, base in _FROM_ARROW:
        if is_such(type_):
            return Type(base=base, optional=optional)  # type: ignore[arg-type]
    return None


_FROM_ARROW = (
    (pa.types.is_integer, "int"),
    (pa.types.is_floating, "float"),
    (pa.types.is_decimal, "float"),
    (pa.types.is_boolean, "bool"),
    (pa.types.is_string, "text"),
    (pa.types.is_large_string, "text"),
    (pa.types.is_string_view, "text"),
    (pa.types.is_date, "date"),
    (pa.types.is_timestamp, "timestamp"),
    (pa.types.is_null, "text"),
)


def canonical(table: pa.Table) -> pa.Table:
    """The table in the language's own types, without metadata, in one chunk a column.

    Decimals with no fraction become int, others float. Raises Trouble for a type that the language does not have.
    """
    arrays, names = [], []
    for name, column in zip(table.column_names, table.columns, strict=True):
        names.append(name)
        arrays.append(_canonical(name, column))
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Trouble("keep the table", f"two of its columns are named {twice}", "give each column a name of its own")
    return pa.table(arrays, names=names)


def _canonical(name: str, column: pa.ChunkedArray) -> pa.Array:
    type_ = from_arrow(column.type)
    if type_ is None:
        raise Trouble(
            "keep the table",
            f"column {name} has the type {column.type}, which mlspec does not hold",
            "turn it into int, float, text, bool, date, timestamp or a list of these",
        )
    target = to_arrow(type_)
    if pa.types.is_decimal(column.type):
        target = pa.int64() if column.type.scale == 0 and _fits_int(column) else pa.float64()
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = pc.cast(pc.cast(column, pa.timestamp("us", "UTC")), pa.timestamp("us"))
    combined = column.combine_chunks()
    if isinstance(combined, pa.ChunkedArray):
        combined = pa.concat_arrays(combined.chunks) if combined.num_chunks else pa.array([], combined.type)
    try:
        return (
            combined if combined.type == target else pc.cast(combined, target, safe=not pa.types.is_timestamp(target))
        )
    except pa.ArrowInvalid as error:
        raise Trouble("keep the table", f"column {name} does not fit {type_}: {error}") from None


def _fits_int(column: pa.ChunkedArray) -> bool:
    limit = Decimal(2**63 - 1)
    bounds = pc.min_max(column).as_py()
    return all(value is None or abs(value) <= limit for value in bounds.values())


def columns_of(table: pa.Table) -> Columns:
    """What the table's columns are; a column is optional where a value is missing."""
    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        type_ = from_arrow(column.type, optional=column.null_count > 0)
        if type_ is not None:
            columns.append(Column(name=name, type=type_))
    return tuple(columns)


def write(table: pa.Table, objects: Objects) -> Made:
    """Publish a table. The same rows in the same order give the same digest, on every machine."""
    table = canonical(table)
    path = objects.scratch(".parquet")
    try:
        put(table, path)
        size = path.stat().st_size
        digest = objects.put_file(path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return Made(digest=digest, kind="table", bytes=size, rows=table.num_rows, columns=columns_of(table))


_WRITTEN: dict[str, Any] = {
    "compression": "zstd", "version": "2.6", "store_schema": False, "write_statistics": True
}  # fmt: skip


def put(table: pa.Table, place: Any) -> None:
    """The bytes of a canonical table, to a path or a stream."""
    pq.write_table(table, place, row_group_size=ROW_GROUP, **_WRITTEN)


def read(objects: Objects, digest: str) -> pa.Table:
    """A table from the store, its bytes verified."""
    return of_files(files(objects, digest))


def of_files(paths: Sequence[Path]) -> pa.Table:
    """One after the other."""
    parts = [read_file(path) for path in paths]
    return canonical(pa.concat_tables(parts)) if len(parts) > 1 else parts[0]


def read_file(path: Path) -> pa.Table:
    return canonical(pq.ParquetFile(path).read())


# --- tables in parts -------------------------------------------------------------------------------------------

INDEX = "parts.json"  # the file of a folder that makes a table of its other files


def is_folder(objects: Objects, digest: str) -> bool:
    """Whether it is a folder of files, and no table: a table in parts is a folder to the store alone."""
    return digest.startswith(FOLDER) and index(objects, digest) is None


def index(objects: Objects, digest: str) -> list[tuple[Any, str]] | None:
    """(what the part is of, its digest) for each part of a table, in their order; None for what is not in parts."""
    listing = objects.listing(digest) if digest.startswith(FOLDER) else {}
    if INDEX not in listing:
        return None
    parts = json.loads(_part(objects, digest, listing[INDEX]).read_bytes())["parts"]
    return [(part["of"], listing[part["file"]]) for part in parts]


def files(objects: Objects, digest: str) -> tuple[Path, ...]:
    """The Parquet files of a table, one after the other all its rows; their bytes verified."""
    parts = index(objects, digest)
    if parts is None:
        return (objects.path(digest),)
    objects.bring((part for _, part in parts), digest)
    return tuple(_part(objects, digest, part) for _, part in parts)


def _part(objects: Objects, whole: str, part: str) -> Path:
    """Where a part is damaged, so is the table: it is put together again once the part is there."""
    try:
        return objects.path(part)
    except Damaged as damaged:
        raise Damaged(whole, damaged.cause) from None


def copy(objects: Objects, digest: str, target: Path) -> None:
    """The table as one Parquet file of its own."""
    found = files(objects, digest)
    if len(found) == 1:
        shutil.copyfile(found[0], target)
        return
    schema = pq.read_schema(found[0])
    with pq.ParquetWriter(target, schema, **_WRITTEN) as writer:
        for path in found:
            writer.write_table(pq.ParquetFile(path).read(), row_group_size=ROW_GROUP)


def put_together(parts: Iterable[tuple[Any, str]], objects: Objects) -> str:
    """A table of parts that have the same columns: (what it is of, its digest), in their order. Returns its digest."""
    listing, told = {}, []
    for number, (of, digest) in enumerate(parts):
        file = f"part-{number:05}.parquet"
        listing[file] = digest
        told.append({"of": of, "file": file})
    listing[INDEX] = objects.put_bytes(json.dumps({"parts": told}, sort_keys=True).encode())
    return FOLDER + objects.put_bytes(json.dumps(listing, sort_keys=True).encode())
