"""Tables held against the columns that a spec declares: what does not fit, row by row, or the table as declared.

The recipe that reads sources and those that take a table from SQL or Python share these checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from ..compiler.types import Column, Columns, Type, by_name, required
from ..grammar.diagnostic import listing, nearest
from . import tables
from .trouble import Trouble

if TYPE_CHECKING:
    import numpy as np

FEW = 10
EXACT = 2**53  # up to here a float holds every whole number
Mask = Any  # an Arrow array of bool


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a column: the first row that has it, and how many have."""

    column: str
    reason: str
    row: int
    rows: int


@dataclass(frozen=True, slots=True)
class Findings:
    """`first` says of each row which of `problems` it has, the first if it has several; -1 where it has none."""

    first: np.ndarray[Any, np.dtype[np.int64]]
    problems: tuple[Problem, ...]

    def rows(self) -> list[int]:
        import numpy as np

        found: list[int] = np.flatnonzero(self.first >= 0).tolist()
        return found

    def problem_of(self, row: int) -> Problem:
        return self.problems[int(self.first[row])]

    def told(self) -> list[Problem]:
        """By their first rows."""
        return sorted((one for one in self.problems if one.rows), key=lambda one: one.row)


def conform(table: pa.Table, declared: Columns, what: str) -> pa.Table:
    """The table with the declared columns in their types; Trouble where it cannot be so. `what` is its name."""
    table = tables.canonical(table)
    for column in declared:
        _is_there(table, column, what)
    typed, wrong = _as_declared(table, declared)
    problems = findings(typed, declared, wrong).told()
    if problems:
        cause, *others = [f"in row {one.row + 1}, {_said(table, one)}" for one in problems]
        help_ = "make such values otherwise, or declare the column so that they may be"
        raise Trouble(f"make {what}", cause, help_, "\n".join(few(others)))
    return typed


def _said(table: pa.Table, one: Problem) -> str:
    value = table.column(one.column)[one.row].as_py()
    is_missing = value is None or value != value  # a NaN is not equal to itself
    return said(one.column, None if is_missing else str(value), one.reason) + and_more(one.rows - 1)


def said(column: str, value: str | None, reason: str) -> str:
    return f"{column} is {reason}" if value is None else f'{column} is "{value}", {reason}'


def few(told: list[str]) -> list[str]:
    return told if len(told) <= FEW else [*told[:FEW], f"… and {len(told) - FEW} more such mistakes"]


def and_more(rows: int) -> str:
    return f", and {rows} more row{'s' * (rows != 1)}" if rows else ""


def _is_there(table: pa.Table, column: Column, what: str) -> None:
    names = table.column_names
    if column.name not in names:
        close = nearest(column.name, names)
        raise Trouble(
            f"make {what}",
            f"it has no column {column.name}",
            f"did you mean {close}?" if close else f"it has {listing(names)}",
        )
    found = tables.from_arrow(table.column(column.name).type)
    if found is not None and lossless(table.column(column.name), column.type) is None:
        cause = f"its column {column.name} is {found}, declared {required(column.type)}"
        raise Trouble(
            f"make {what}", cause, f"declare it as {found}, or turn it into {required(column.type)} where it is made"
        )


def _as_declared(table: pa.Table, declared: Columns) -> tuple[pa.Table, dict[str, Mask]]:
    """The table with what can be turned into its declared type; and masks of what cannot."""
    wrong: dict[str, Mask] = {}
    for column in declared:
        index = table.schema.get_field_index(column.name)
        if index < 0:
            continue
        found = lossless(table.column(index), column.type) or _nothing_of_it(table.column(index), column.type)
        table = table.set_column(index, column.name, found[0])
        if found[1] is not None:
            wrong[column.name] = found[1]
    return table, wrong


def _nothing_of_it(array: pa.ChunkedArray, type_: Type) -> tuple[pa.ChunkedArray, Mask]:
    return pa.chunked_array([pa.nulls(len(array), tables.to_arrow(type_))]), pc.is_valid(array)


# --- types ---------------------------------------------------------------------------------------------------


def may_be(found: Type, wanted: Type) -> bool:
    """Whether values of a type can be those of another without losing anything, if they are as they should."""
    if found.base == wanted.base == "list":
        return found.item is None or wanted.item is None or may_be(found.item, wanted.item)
    return found.base == wanted.base or (found.base, wanted.base) in _TURNS


def lossless(array: pa.ChunkedArray, type_: Type) -> tuple[pa.ChunkedArray, Mask | None] | None:
    """An array as a type, and a mask of the values that are not of it, or None. None for a type that cannot be it."""
    target, found = tables.to_arrow(type_), tables.from_arrow(array.type)
    if array.type == target:
        return array, None
    if array.null_count == len(array):
        return pa.chunked_array([pa.nulls(len(array), target)]), None
    if found is None or not may_be(found, type_):
        return None
    if (found.base, type_.base) not in _TURNS:
        return _cast(array, target)
    wrong = _TURNS[found.base, type_.base](array)
    if pc.any(wrong).as_py():
        return pc.cast(pc.if_else(wrong, pa.scalar(None, array.type), array), target, safe=False), wrong
    if pa.types.is_floating(array.type):  # a NaN is how pandas says that a whole number is missing
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    return pc.cast(array, target, safe=False), None


def _cast(array: pa.ChunkedArray, target: pa.DataType) -> tuple[pa.ChunkedArray, None] | None:
    try:
        return pc.cast(array, target), None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _too_long_for_float(array: pa.ChunkedArray) -> Mask:
    return pc.or_(pc.greater(array, EXACT), pc.less(array, -EXACT))


def _not_whole(array: pa.ChunkedArray) -> Mask:
    in_range = pc.and_(pc.less(array, 2.0**63), pc.greater_equal(array, -(2.0**63)))
    return pc.and_(pc.invert(pc.is_nan(array)), pc.invert(pc.and_(in_range, pc.equal(pc.floor(array), array))))


def _not_midnight(array: pa.ChunkedArray) -> Mask:
    return pc.not_equal(pc.floor_temporal(array, unit="day"), array)


def _never(array: pa.ChunkedArray) -> Mask:
    return pa.chunked_array([pa.array([False]).take(pa.array([0] * len(array)))])


_TURNS = {
    ("int", "float"): _too_long_for_float,
    ("float", "int"): _not_whole,
    ("timestamp", "date"): _not_midnight,
    ("date", "timestamp"): _never,
}


# --- values --------------------------------------------------------------------------------------------------


def findings(table: pa.Table, declared: Columns, wrong: Mapping[str, Mask]) -> Findings:
    """What is wrong with each row. `table` has the declared types; `wrong` marks what could not be turned into them.

    A value that repeats is looked for last, among the rows that are otherwise right.
    """
    import numpy as np

    columns = by_name(declared)
    first = np.full(table.num_rows, -1, np.int64)
    problems: list[Problem] = []

    def mark(name: str, reason: str, mask: np.ndarray[Any, Any]) -> None:
        first[mask & (first < 0)] = len(problems)
        problems.append(Problem(name, reason, int(mask.argmax()) if len(mask) else 0, int(mask.sum())))

    for name in table.column_names:
        if name in columns:
            for mask, reason in _checked(table.column(name), columns[name], wrong.get(name)):
                mark(name, reason, _bools(mask))
    for name in table.column_names:
        if name in columns and columns[name].unique:
            mark(name, "expected unique, stands in an earlier row", _repeated(table.column(name), first < 0))
    return Findings(first, tuple(problems))


def _bools(mask: Mask) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = pc.fill_null(mask, False).to_numpy()
    return array


def _checked(array: pa.ChunkedArray, column: Column, wrong: Mask | None) -> Iterator[tuple[Mask, str]]:
    """Each thing that may be wrong with a value, as a mask and in words."""
    type_, missing = required(column.type), pc.is_null(array, nan_is_null=pa.types.is_floating(array.type))
    if wrong is not None:
        yield wrong, f"expected {type_}"
        missing = pc.and_(missing, pc.invert(wrong))
    if not column.type.optional:
        yield missing, f"missing, expected {type_}"
    if column.type.values:
        known = pc.is_in(array, value_set=pa.array(column.type.values, pa.string()))
        yield pc.and_(pc.is_valid(array), pc.invert(known)), f"expected {type_}"
    if column.low is not None or column.high is not None:
        yield pc.and_(_outside(array, column), pc.invert(missing)), f"expected {_range(column)}"


def _outside(array: pa.ChunkedArray, column: Column) -> Mask:
    low, high = _bound(column.low, array.type, last=False), _bound(column.high, array.type, last=True)
    above = pc.greater(array, high) if high is not None else pa.scalar(False)
    below = pc.less(array, low) if low is not None else pa.scalar(False)
    return pc.or_(above, below)


def _bound(end: float | str | None, type_: pa.DataType, *, last: bool) -> Any:
    """An end of a range as the column's values are. A date that ends a range of timestamps holds all of its day."""
    if not isinstance(end, str):
        return end
    if pa.types.is_date(type_):
        return pa.scalar(date.fromisoformat(end[:10]), type_)
    moment = datetime.fromisoformat(end)
    return pa.scalar(datetime.combine(moment, time.max) if last and len(end) == 10 else moment, type_)


def _range(column: Column) -> str:
    return "..".join("" if end is None else _shown(end) for end in (column.low, column.high))


def _shown(end: float | str) -> str:
    return str(int(end)) if isinstance(end, float) and end.is_integer() else str(end)


def _repeated(array: pa.ChunkedArray, among: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Which values stand in an earlier row, of those rows that count."""
    import numpy as np

    counted = np.flatnonzero(among & _bools(pc.is_valid(array)))
    values = array.take(pa.array(counted))
    if pa.types.is_list(array.type):
        values = pa.chunked_array([pa.array([str(value) for value in values.to_pylist()], pa.string())])
    repeated = np.zeros(len(array), bool)
    if pc.count_distinct(values).as_py() < len(values):
        codes = pc.index_in(values, value_set=pc.unique(values)).to_numpy()
        _, firsts = np.unique(codes, return_index=True)
        repeated[np.delete(counted, firsts)] = True
    return repeated
