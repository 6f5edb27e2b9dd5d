"""What tables of the store tell of what ruins models: answers to the doubts of a program (`compiler/doubts.py`).

None is the answer where there is nothing to tell; so it is where a question cannot be answered, for nobody asked it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..compiler.doubts import is_key
from ..compiler.program import Doubt
from . import tables
from .order import Question
from .recipes.sql import opened, quoted
from .store.objects import Objects
from .trouble import Trouble

FEW = 20  # rows of which nothing is said
CHANCE = math.log(1e-9)  # how unlikely it must be that it is so by chance


def about(objects: Objects, digest: str, questions: Sequence[Question]) -> dict[str, Any]:
    return {question.key: _answer(objects, digest, question) for question in questions}


def _answer(objects: Objects, digest: str, question: Question) -> Any:
    doubt, digests = question.doubt, [digest, *question.others.values()]
    if doubt is None or any(tables.is_folder(objects, one) for one in digests):
        return None
    import duckdb

    try:
        return _ANSWERS[doubt.code](_Tables(objects, digests), doubt)
    except (duckdb.Error, pa.ArrowException, Trouble, MemoryError, OSError):
        return None


class _Tables:
    """The tables that a doubt looks at, as t0, t1, … to DuckDB; a NaN is missing there."""

    def __init__(self, objects: Objects, digests: Sequence[str]) -> None:
        self.objects, self.digests = objects, digests
        self.files = {f"t{place}": tables.files(objects, digest) for place, digest in enumerate(digests)}
        self.schema = pq.read_schema(self.files["t0"][0])

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return next(self.each([query]))

    def each(self, queries: Sequence[str]) -> Generator[list[tuple[Any, ...]], None, None]:
        with opened({f"raw {name}": files for name, files in self.files.items()}, self.objects) as connection:
            for name, files in self.files.items():
                connection.execute(_without_nan(name, pq.read_schema(files[0])))
            for query in queries:
                yield connection.execute(query).fetchall()


def _without_nan(name: str, schema: pa.Schema) -> str:
    floats = (quoted(field.name) for field in schema if pa.types.is_floating(field.type))
    replaced = ", ".join(f"case when isnan({column}) then null else {column} end as {column}" for column in floats)
    return f"create view {name} as select *{f' replace ({replaced})' if replaced else ''} from {quoted(f'raw {name}')}"


# --- W201: a column that tells the answer ---------------------------------------------------------------------


def _determined(found: _Tables, doubt: Doubt) -> Any:
    """The first feature that knows the target: by its values, by its order or by a straight line."""
    target = _target(doubt)
    shares = found.rows(
        f"select {target}, count(*) from t0 where {target} is not null group by 1 order by 2 desc limit 1000"
    )
    rows = sum(count for _, count in shares)
    features = [
        name for name in doubt.columns or found.schema.names if name not in doubt.but and name in found.schema.names
    ]
    if rows < FEW or len(shares) < 2:
        return None
    queries = [
        query for name in features for query in (_groups(name, target), _ends(name, target, doubt, found.schema))
    ]
    answers = found.each(queries)
    for name, groups, ends in zip(features, answers, answers, strict=True):  # the one generator gives both in turn
        how = _by_values(groups, [count / rows for _, count in shares]) or _by_order(ends, len(shares))
        if how:
            answers.close()
            return {"column": name, "how": how}
    return None


def _target(doubt: Doubt) -> str:
    column = quoted(doubt.target)
    if doubt.positive is None:
        return column
    value = doubt.positive
    text = "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value).lower()
    return f"({column} = {text})"


def _groups(feature: str, target: str) -> str:
    """How many values of the feature go with one and with more answers, by how often they stand there."""
    return (
        f"select rows_, answers > 1, count(*) from (select count(*) as rows_, count(distinct {target}) as answers "
        f"from t0 where {target} is not null group by {quoted(feature)}) group by 1, 2"
    )


def _by_values(groups: list[tuple[Any, ...]], shares: list[float]) -> str:
    """Each value goes with one answer, and so often that it is no chance."""
    if any(mixed for _, mixed, _ in groups):
        return ""
    chance = sum(count * math.log(sum(share**rows for share in shares)) for rows, _, count in groups if rows > 1)
    values = sum(count for _, _, count in groups)
    return f"each of its {values:,} values goes with one answer" if chance < CHANCE else ""


def _ends(feature: str, target: str, doubt: Doubt, schema: pa.Schema) -> str:
    """For each answer the least and the greatest value; and how well a straight line fits."""
    if not _is_number(schema, feature):
        return "select null where false"
    straight = (
        f"corr({quoted(feature)}, {target})"
        if doubt.positive is None and _is_number(schema, doubt.target)
        else "max(null)"
    )
    column, where = quoted(feature), f"from t0 where {target} is not null and {quoted(feature)} is not null"
    return (
        f"select min({column}), max({column}), count(*), (select {straight} {where}), count(distinct {column}) "
        f"{where} group by {target} order by 1 limit 3"
    )


def _is_number(schema: pa.Schema, name: str) -> bool:
    type_ = schema.field(name).type
    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_))


def _by_order(ends: list[tuple[Any, ...]], answers: int) -> str:
    if not ends:
        return ""
    if answers == 2 and len(ends) == 2:
        (_, high, few, *_), (low, _, many, *_) = ends
        chance = -(math.lgamma(few + many + 1) - math.lgamma(few + 1) - math.lgamma(many + 1))
        return "all values of one answer lie below all of the other" if high < low and chance < CHANCE else ""
    straight = ends[0][3]
    return "a straight line through it fits all rows" if straight is not None and abs(straight) > 1 - 1e-12 else ""


# --- W202: the same on both sides -----------------------------------------------------------------------------

MANY = 10  # values that a key has at least


def _on_both_sides(found: _Tables, doubt: Doubt) -> Any:
    """The key, or the whole row, that stands most on both sides. `other` is the place of the other side."""
    keys = [key for key in _keys(found.schema, doubt) if key not in doubt.but and key in found.schema.names]
    others = range(1, len(found.files))
    told = [one for key in keys for other in others if (one := _shared(found, other, quoted(key), key))]
    best = max(told, key=lambda one: int(one["shared"]), default=None)
    if best is not None:
        return best
    return next((one for other in others if (one := _shared(found, other, "*", ""))), None)


def _keys(schema: pa.Schema, doubt: Doubt) -> Sequence[str]:
    return [name for name in schema.names if is_key(name)] if doubt.columns == ("*",) else doubt.columns


def _shared(found: _Tables, other: int, what: str, key: str) -> dict[str, Any] | None:
    there = f"where {what} is not null" if key else ""
    query = (
        f"with a as (select distinct {what} from t0 {there}), b as (select distinct {what} from t{other} {there}) "
        f"select (select count(*) from (select * from a intersect select * from b)), "
        f"(select count(*) from (select * from a union select * from b)), "
        f"(select count(*) from t0) + (select count(*) from t{other})"
    )
    shared, values, rows = found.rows(query)[0]
    few = values < MANY or (not key and values < rows / 2)  # where rows are of few kinds, equal ones are no doubles
    return None if not shared or few else {"key": key, "other": other, "shared": shared, "of": values}


# --- W203: rows in time ---------------------------------------------------------------------------------------

REGULAR = 0.8  # of the steps between times


def _in_time(found: _Tables, doubt: Doubt) -> Any:
    """The column by whose time the rows stand in order, or follow each other in equal steps."""
    times = [field.name for field in found.schema if pa.types.is_date(field.type) or pa.types.is_timestamp(field.type)]
    for name in times:
        if doubt.columns != ("*",) and name not in doubt.columns:
            continue
        if _is_in_time(tables.read(found.objects, found.digests[0]).column(name), name in doubt.but):
            return {"column": name}
    return None


def _is_in_time(column: pa.ChunkedArray, put_in_order: bool) -> bool:
    import numpy as np

    if column.null_count or len(column) < FEW:
        return False
    moments = column.cast(pa.timestamp("us")).to_numpy().astype("datetime64[us]").astype(np.int64)
    different = np.unique(moments)
    if len(different) < MANY:
        return False
    steps = np.diff(moments)
    if not put_in_order and (bool((steps >= 0).all()) or bool((steps <= 0).all())):
        return True
    if len(different) < len(moments):
        return False
    _, counts = np.unique(np.diff(different), return_counts=True)
    return bool(counts.max() >= REGULAR * (len(different) - 1))


# --- W204: the most frequent answer ---------------------------------------------------------------------------


def _most_frequent(found: _Tables, doubt: Doubt) -> Any:
    target = _target(doubt)
    query = f"select max(n) / sum(n) from (select count(*) as n from t0 where {target} is not null group by {target})"
    return found.rows(query)[0][0]


_ANSWERS: dict[str, Callable[[_Tables, Doubt], Any]] = {
    "W201": _determined, "W202": _on_both_sides, "W203": _in_time, "W204": _most_frequent,
}  # fmt: skip
