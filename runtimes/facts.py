"""Questions about a table of the store -> their answers, by one scan of the table by DuckDB where it can be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..compiler.identity import first_key
from ..compiler.program import Rows
from ..compiler.types import is_number, is_ordered
from ..compiler.verdict import ROW
from ..grammar.diagnostic import listing, nearest
from ..grammar.kinds import DATA_FUNCTIONS
from . import leaks, tables
from .order import Given, Question
from .recipes.sql import opened, quoted, said_plainly, table_files
from .store.objects import Objects
from .trouble import Trouble

ACTION = "judge the table"
TABLE = "the table"  # no name of the language holds a space, so none is hidden by it
SHOWN = 2  # rows that break a condition


def about_table(objects: Objects, digest: str, questions: Sequence[Question]) -> dict[str, Any]:
    """Key -> a number, a truth, a date or time as ISO text, or None where no value answers, as the mean of no rows.

    A missing value, and in a column of floats a NaN too, counts for `nulls` and `rows` alone: `unique`, `distinct` and
    the rest pass over it, and it breaks no condition. The sum of no values is 0. Where rows break a condition, the first
    of them come along, under `first_key`.
    """
    doubts = [question for question in questions if question.doubt is not None]
    if doubts:
        plain = [question for question in questions if question.doubt is None]
        return {**leaks.about(objects, digest, doubts), **(about_table(objects, digest, plain) if plain else {})}
    if tables.is_folder(objects, digest):
        raise Trouble(ACTION, "it is a folder of files, which has no rows", "expect this of a table")
    files = {TABLE: tables.files(objects, digest), **_others(objects, questions)}
    asked = {question.key: _expression(question, pq.read_schema(files[TABLE][0])) for question in questions}
    if not asked:
        return {}
    with opened(_raw(files), objects) as connection, said_plainly(ACTION):
        for name, paths in files.items():
            connection.execute(_without_nan(name, pq.read_schema(paths[0])))
        found = connection.execute(f"select {', '.join(asked.values())} from {quoted(TABLE)}").fetchone()
        answers = {key: _plain(value) for key, value in zip(asked, found, strict=True)}
        broken = [question for question in questions if question.rows is not None and answers[question.key]]
        return answers | {first_key(one.key): _first(connection, one.rows) for one in broken if one.rows}


def _first(connection: Any, rows: Rows) -> list[dict[str, Any]]:
    """A few of the rows that break a condition, by their number and the columns that it speaks of."""
    shown = ", ".join([quoted(ROW), *map(quoted, rows.columns)])
    numbered = f"(select *, row_number() over () as {quoted(ROW)} from {quoted(TABLE)})"
    found = connection.execute(f"select {shown} from {numbered} where {rows.broken} limit {SHOWN}").fetchall()
    return [dict(zip((ROW, *rows.columns), map(_told, row), strict=True)) for row in found]


def _told(value: Any) -> Any:
    plain = _plain(value)
    return plain if plain is None or isinstance(plain, bool | int | float | str) else str(plain)


def _others(objects: Objects, questions: Sequence[Question]) -> dict[str, tuple[Path, ...]]:
    digests = {name: digest for question in questions for name, digest in question.others.items()}
    given = (Given(alias=name, name=name, kind="data", digest=digest) for name, digest in digests.items())
    return {other.name: table_files(other, objects, ACTION) for other in given}


def _raw(files: Mapping[str, tuple[Path, ...]]) -> dict[str, tuple[Path, ...]]:
    return {f"raw {name}": paths for name, paths in files.items()}


def _without_nan(name: str, schema: pa.Schema) -> str:
    """A view in which a NaN is missing: pandas says so of a missing number, and it would be DuckDB's greatest."""
    floats = (quoted(field.name) for field in schema if pa.types.is_floating(field.type))
    replaced = ", ".join(f"case when isnan({column}) then null else {column} end as {column}" for column in floats)
    star = f"* replace ({replaced})" if replaced else "*"
    return f"create view {quoted(name)} as select {star} from {quoted(f'raw {name}')}"


def _expression(question: Question, schema: pa.Schema) -> str:
    if question.rows is not None and question.rows.others:  # a subquery must not stand within an aggregate
        return f"(select count(*) from {quoted(TABLE)} where {question.rows.broken})"
    if question.rows is not None:
        return f"count(*) filter (where {question.rows.broken})"
    function, _, share = question.function.partition(":")
    if function == "rows":
        return "count(*)"
    _check_column(function, question.column, schema)
    if function == "sum" and pa.types.is_integer(schema.field(question.column).type):
        return f"coalesce(sum({quoted(question.column)}), 0)"  # exact, where fsum gives a float
    return _AGGREGATES[function](quoted(question.column), float(share or 0))


# favg and fsum add floats up without the error that grows with the number of rows.
_AGGREGATES: dict[str, Callable[[str, float], str]] = {
    "unique": lambda column, _: f"count(distinct {column}) = count({column})",
    "nulls": lambda column, _: f"count(*) - count({column})",
    "min": lambda column, _: f"min({column})",
    "max": lambda column, _: f"max({column})",
    "mean": lambda column, _: f"favg({column})",
    "sum": lambda column, _: f"coalesce(fsum({column}), 0)",
    "std": lambda column, _: f"stddev_samp({column})",
    "median": lambda column, _: f"quantile_cont({column}, 0.5)",
    "quantile": lambda column, share: f"quantile_cont({column}, {share!r})",
    "distinct": lambda column, _: f"count(distinct {column})",
}


def _check_column(function: str, name: str, schema: pa.Schema) -> None:
    """The compiler has checked this where it knew the columns; those of a function's table show only now."""
    if name not in schema.names:
        close = nearest(name, schema.names)
        help_ = f"did you mean {close}?" if close else f"it has {listing(schema.names)}"
        raise Trouble(ACTION, f"it has no column {name}", help_)
    type_, takes = tables.from_arrow(schema.field(name).type), DATA_FUNCTIONS[function].column
    if type_ is None or (takes == "number" and not is_number(type_)) or (takes == "ordered" and not is_ordered(type_)):
        wanted = "a number" if takes == "number" else "a number or a date"
        raise Trouble(ACTION, f"{function} takes {wanted}, and .{name} is {type_}")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
