"""What was made of each part -> one table for each output, whose files are those of the parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..compiler import parts as planned
from ..compiler.program import Scalar
from ..compiler.state import Made
from ..compiler.types import Column, Columns, Type, by_name, required
from . import tables
from .order import Join, Outcome
from .store.objects import Objects
from .trouble import Trouble

NUMBERS = {"int", "float"}


@dataclass(frozen=True, slots=True)
class _Part:
    of: Scalar
    digest: str
    rows: int
    bytes: int
    columns: Columns


def join(order: Join, objects: Objects) -> Outcome:
    """Raises Trouble where the parts have not the same columns, or hold a value twice that is declared unique."""
    return Outcome(outputs={name: _joined(order, name, objects) for name in order.names})


def _joined(order: Join, name: str, objects: Objects) -> Made:
    place = order.names.index(name)
    parts = [
        _Part(piece.of, *piece.outputs[place][:3], order.shapes[piece.outputs[place][3]]) for piece in order.pieces
    ]
    columns = _columns(parts, order, name, objects)
    digests = [_of_shape(part, columns, name, objects) for part in parts]
    if place == 0:
        _all_unique(order.declared, digests, name, objects)
    digest = tables.put_together(zip((part.of for part in parts), digests, strict=True), objects)
    about = {"parts": len(parts), "each": f".{order.column}" if order.column else "file"}
    return Made(digest=digest, kind="table", bytes=sum(part.bytes for part in parts),
                rows=sum(part.rows for part in parts), columns=columns, about=about)  # fmt: skip


# --- the columns of the whole ---------------------------------------------------------------------------------


def _columns(parts: Sequence[_Part], order: Join, name: str, objects: Objects) -> Columns:
    """A part without rows says nothing, where another one has some."""
    telling = [part for part in parts if part.rows] or [*parts[:1]]
    first = telling[0]
    for columns in {part.columns: None for part in telling}:
        if {column.name for column in columns} != {column.name for column in first.columns}:
            raise _other_columns(name, order, first, next(part for part in telling if part.columns == columns))
    return tuple(_column(column.name, telling, order, name, objects) for column in first.columns)


def _column(column: str, parts: Sequence[_Part], order: Join, name: str, objects: Objects) -> Column:
    """An int in one part and a float in another is a float; what is missing in all rows of a part has the type that it
    has in the others."""
    found: dict[Type, list[_Part]] = {}
    missing = False
    for part in parts:
        type_ = by_name(part.columns)[column].type
        missing |= type_.optional
        found.setdefault(required(type_), []).append(part)
    if len(found) == 2 and any(type_.base == "text" for type_ in found):
        unsure = next(type_ for type_ in found if type_.base == "text")
        if all(_is_missing(part, column, objects) for part in found[unsure]):
            del found[unsure]
    if {type_.base for type_ in found} == NUMBERS:
        found = {Type(base="float"): []}
    if len(found) > 1:
        raise _other_types(name, order, column, *list(found.items())[:2])
    return Column(name=column, type=next(iter(found)).model_copy(update={"optional": missing}))


def _is_missing(part: _Part, column: str, objects: Objects) -> bool:
    values = pq.read_table(objects.path(part.digest), columns=[column]).column(0)
    return bool(values.null_count == len(values))


def _other_columns(name: str, order: Join, one: _Part, other: _Part) -> Trouble:
    lacking = [column.name for column in one.columns if column.name not in by_name(other.columns)]
    extra = [column.name for column in other.columns if column.name not in by_name(one.columns)]
    told = [f"lacks {', '.join(lacking)}"] * bool(lacking) + [f"also has {', '.join(extra)}"] * bool(extra)
    cause = f"the part of {_title(order, other)} {' and '.join(told)}, unlike that of {_title(order, one)}"
    return Trouble(f"put the parts of {name} together", cause, "all parts have the same columns")


def _other_types(
    name: str, order: Join, column: str, one: tuple[Type, list[_Part]], other: tuple[Type, list[_Part]]
) -> Trouble:
    first, second = (f"{type_} in the part of {_title(order, parts[0])}" for type_, parts in (one, other))
    help_ = f"declare what it is: {column}: {one[0]}"
    return Trouble(f"put the parts of {name} together", f".{column} is {first}, and {second}", help_)


def _title(order: Join, part: _Part) -> str:
    shown = "missing" if part.of is None else planned.shown(part.of)
    return f"{order.column} {shown}" if order.column else shown


# --- the parts as they go in ----------------------------------------------------------------------------------


def _of_shape(part: _Part, columns: Columns, name: str, objects: Objects) -> str:
    """A part with the columns of the whole, in their types and order: most have them already."""
    if [(c.name, required(c.type)) for c in part.columns] == [(c.name, required(c.type)) for c in columns]:
        return part.digest
    types = {column.name: tables.to_arrow(column.type) for column in columns}
    if not part.rows:
        return tables.write(pa.table({one: pa.array([], type_) for one, type_ in types.items()}), objects).digest
    table = tables.read(objects, part.digest)
    try:
        cast = {one: pc.cast(table.column(one), type_) for one, type_ in types.items()}
    except pa.ArrowInvalid as error:
        raise Trouble(f"put the parts of {name} together", str(error).splitlines()[0]) from None
    return tables.write(pa.table(cast), objects).digest


def _all_unique(declared: Columns, digests: Sequence[str], name: str, objects: Objects) -> None:
    for column in declared if len(digests) > 1 else ():
        if column.unique:
            values = pa.concat_tables([pq.read_table(objects.path(one), columns=[column.name]) for one in digests])
            counts = pc.value_counts(values.column(0).drop_null())
            twice = counts.filter(pc.greater(counts.field("counts"), 1))
            if len(twice):
                cause = f'{column.name} is "{twice[0]["values"].as_py()}" in more than one part, expected unique'
                raise Trouble(f"put the parts of {name} together", cause, "unique speaks of all parts together")
