"""Tables -> the parts that they are divided into: the rows of each value of a column, or the files that they were read by."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Set
from datetime import date
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..compiler.parts import MOST, Part
from ..compiler.program import Scalar
from ..grammar.diagnostic import listing, nearest
from . import tables
from .order import Divide, Division, Given
from .store.objects import Damaged, Objects
from .trouble import Trouble


def divide(order: Divide, objects: Objects) -> Division:
    """Raises Trouble where the column is not there, or makes no parts."""
    made = frozenset(order.made)
    first, *others = (_divided(given, order.column, made, objects) for given in order.inputs)
    beside = [_aligned(one, first, given, objects) for one, given in zip(others, order.inputs[1:], strict=True)]
    parts = (
        Part(of=of, rows=rows, own=(digest, *(one[of][1] for one in beside))) for of, (rows, digest) in first.items()
    )
    return Division(parts=tuple(parts))


Divided = dict[Scalar, tuple[int, str]]  # value -> rows, and the digest of the table that holds them


def _divided(given: Given, column: str, made: Set[str], objects: Objects) -> Divided:
    action = f"divide {given.name} by {f'.{column}' if column else 'file'}"
    if tables.is_folder(objects, given.digest):
        raise Trouble(action, "it is a folder of files, which has no rows", "make a table of it first")
    found = _by_files(given, column, action, objects)
    return found or _by_rows(tables.read(objects, given.digest), column, made, action, objects)


def _checked(count: int, action: str) -> None:
    if count > MOST:
        help_ = "go by a column with fewer values, as the month of a day; or take each away"
        raise Trouble(action, f"it has {count:,} values, and {MOST:,} parts are the most", help_)


# --- by the files of a table in parts -------------------------------------------------------------------------


def _by_files(given: Given, column: str, action: str, objects: Objects) -> Divided | None:
    """The parts that a table was made in; by a column, if each holds one value of it, and no two the same. Nothing is
    read but the ends of their files. None where that does not tell."""
    try:
        known = tables.index(objects, given.digest)
        files = [(of, digest, _footer(objects, digest)) for of, digest in known or ()]
    except Damaged as damaged:
        raise Damaged(given.digest, damaged.cause) from None
    if not column:
        if known is None:
            raise Trouble(action, "it was not made file by file", "apply again")
        return {of: (footer.num_rows, digest) for of, digest, footer in files}
    told = [(_one_value(footer, column), footer.num_rows, digest) for _, digest, footer in files if footer.num_rows]
    values = {one[0] for one, _, _ in told if one is not None}
    if not told or len(values) < len(told):
        return None
    _checked(len(told), action)
    in_order = sorted(told, key=lambda one: _order(one[0]))
    return {_as_json(one[0]): (rows, digest) for one, rows, digest in in_order if one is not None}


def _footer(objects: Objects, digest: str) -> pq.FileMetaData:
    return pq.read_metadata(objects.path(digest, verify=False))


def _one_value(footer: pq.FileMetaData, column: str) -> tuple[Any] | None:
    """The value that all rows of a file have in a column; None where there are several, or it cannot be told."""
    schema = footer.schema.to_arrow_schema()
    place = next((at for at in range(footer.num_columns) if footer.schema.column(at).path == column), None)
    if place is None or not _makes_parts(schema.field(column).type):
        return None
    seen: set[Any] = set()
    for number in range(footer.num_row_groups):
        group = footer.row_group(number)
        seen |= _ends(group.column(place).statistics, group.num_rows)
    return (seen.pop(),) if len(seen) == 1 else None


def _ends(statistics: Any, rows: int) -> set[Any]:
    """The least and the greatest value, and None if one is missing; nothing where that is not told."""
    if statistics is None or not statistics.has_null_count:
        return set()
    if statistics.null_count == rows:
        return {None}
    ends = {statistics.min, statistics.max} if statistics.has_min_max else {0, 1}
    return ends | ({None} if statistics.null_count else set())


def _order(one: tuple[Any] | None) -> tuple[bool, Any]:
    """By value, the missing one last."""
    value = one[0] if one else None
    return (value is None, 0 if value is None else value)


# --- by the rows ----------------------------------------------------------------------------------------------


def _by_rows(table: pa.Table, column: str, made: Set[str], action: str, objects: Objects) -> Divided:
    """Within a part, rows stand in the order of the whole; a missing value is the last part. A table without rows is one."""
    _check_column(table, column, action)
    if not table.num_rows:
        return {None: (0, _kept(table, made, objects))}
    ordered = table.take(pc.sort_indices(table, sort_keys=[(column, "ascending")]))
    values = ordered.column(column)
    starts = _starts(values, action)
    found: Divided = {}
    for start, end in pairwise([*starts, table.num_rows]):
        found[_as_json(values[start].as_py())] = (end - start, _kept(ordered.slice(start, end - start), made, objects))
    return found


def _check_column(table: pa.Table, name: str, action: str) -> None:
    if name not in table.column_names:
        close = nearest(name, table.column_names)
        help_ = f"did you mean .{close}?" if close else f"it has {listing(table.column_names)}"
        raise Trouble(action, f"it has no column {name}", help_)
    type_ = table.schema.field(name).type
    if not _makes_parts(type_):
        raise Trouble(action, f".{name} is {tables.from_arrow(type_)}, which makes no parts", "go by another column")


def _makes_parts(type_: pa.DataType) -> bool:
    found = tables.from_arrow(type_)
    return found is not None and found.base not in ("float", "list")


def _starts(values: pa.ChunkedArray, action: str) -> list[int]:
    """Where each value begins, in a column that is in order."""
    codes = pa.concat_arrays(values.chunks).dictionary_encode(null_encoding="encode")
    _checked(len(codes.dictionary), action)
    changes = pc.not_equal(codes.indices[1:], codes.indices[:-1])
    return [0, *(place + 1 for place in pc.indices_nonzero(changes).to_pylist())]


def _kept(rows: pa.Table, made: Set[str], objects: Objects) -> str:
    """The digest of these rows as a table; kept in the store if what is made from them is not there yet."""
    stream = io.BytesIO()
    tables.put(tables.canonical(rows), stream)
    content = stream.getvalue()
    digest = hashlib.sha256(content).hexdigest()
    if digest not in made and not objects.has(digest):
        objects.put_bytes(content)
    return digest


def _aligned(found: Divided, first: Divided, given: Given, objects: Objects) -> Divided:
    """For each part of the first table, the rows of another one: none, where it has none."""
    missing = [of for of in first if of not in found]
    if not missing:
        return found
    none = tables.write(tables.read(objects, given.digest).slice(0, 0), objects).digest
    return {of: found.get(of, (0, none)) for of in first}


def _as_json(value: Any) -> Scalar:
    if isinstance(value, date):  # a datetime is one too
        return value.isoformat()
    return value if isinstance(value, bool | int | str) or value is None else str(value)
