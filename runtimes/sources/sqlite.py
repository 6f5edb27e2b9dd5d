"""A SQLite file, and a table or a query -> raw cells.

Read by Python's own sqlite3, value by value: SQLite keeps values of any type in any column, and what guesses a
column's type by its first rows, as the Arrow driver does, fails at a later one.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from ...compiler.program import Value
from ...compiler.types import BOOL, DATE, FLOAT, INT, TEXT, TIMESTAMP, Type
from ...grammar.diagnostic import listing, nearest
from ..trouble import Trouble
from .beside import beside
from .database import distinct, one, orders_itself, quoted, spots
from .raw import Raw, Unfit, unfit
from .typed import Reading
from .unseen import changed_meanwhile
from .values import Values

_AS_IT_IS = Reading(missing=(), numbers_in_text=False)


def read(root: Path, place: str, arguments: Mapping[str, Value], expected: Mapping[str, str]) -> Raw:
    """The rows of a table in the order in which it keeps them; those of a query as it orders them, else by all columns.

    With `expected`, the digests of the file and of those beside it, what was read is what they speak of.
    """
    if not (root / place).is_file():
        raise Trouble(f"read {place}", "a database is one file, and there is none of this name")
    try:
        with _opened(root, place, expected) as database:
            return _rows(database, place, arguments)
    except sqlite3.Error as error:
        if expected and _digests(root, expected) != expected:
            raise changed_meanwhile(place) from None
        raise _unfit(place, str(error), "query" if "query" in arguments else "table") from None


def _unfit(place: str, cause: str, argument: str, help_: str = "") -> Unfit:
    at_fault = "" if "not a database" in cause or "malformed" in cause else argument
    return unfit(at_fault, f"read {place}", cause, help_)


# --- the file ------------------------------------------------------------------------------------------------------


@contextmanager
def _opened(root: Path, place: str, expected: Mapping[str, str]) -> Iterator[sqlite3.Connection]:
    """The file as it is, untouched and unlocked; with what a writer has put beside it, a copy of all of them."""
    files = (place, *beside(root, place))
    if len(files) == 1:
        with closing(
            sqlite3.connect(f"file:{quote(str((root / place).absolute()))}?immutable=1", uri=True)
        ) as database:
            yield database
        if expected and _digests(root, expected) != expected:
            raise changed_meanwhile(place)
        return
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            shutil.copyfile(root / file, Path(folder, Path(file).name))
        copied = {file: _digest(Path(folder, Path(file).name)) for file in files}
        if expected and copied != expected:
            raise changed_meanwhile(place)
        with closing(sqlite3.connect(Path(folder, Path(place).name))) as database:
            yield database


def _digests(root: Path, files: Mapping[str, str]) -> dict[str, str]:
    return {file: _digest(root / file) for file in files if (root / file).is_file()}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- the rows ------------------------------------------------------------------------------------------------------


def _rows(database: sqlite3.Connection, place: str, arguments: Mapping[str, Value]) -> Raw:
    table, query = str(arguments.get("table", "")), one(str(arguments.get("query", "")))
    if not query:
        return _raw(place, *_of_table(database, place, table))
    cursor = database.execute(query)
    if cursor.description is None:
        raise _unfit(place, "the query gives no rows", "query", "a query is one select")
    names = [column[0] for column in cursor.description]
    rows = cursor.fetchall() if orders_itself(query) else sorted(cursor, key=_order)
    database.execute(f"create temp view mlspec_columns as {query}")
    return _raw(place, names, _types(database, "mlspec_columns", len(names)), rows)


def _of_table(database: sqlite3.Connection, place: str, table: str) -> tuple[list[str], list[str], list[Any]]:
    known = dict(database.execute("select name, type from sqlite_master where type in ('table', 'view')").fetchall())
    if table not in known:
        close = nearest(table, known)
        help_ = f"did you mean {close}?" if close else f"there is {listing(sorted(known))}" if known else ""
        raise _unfit(place, f"it has no table {table}", "table", help_)
    cursor = database.execute(f"select * from {quoted(table)}{_in_its_order(database, table, known[table])}")
    names = [column[0] for column in cursor.description]
    rows = cursor.fetchall() if _has_rows_by_number(database, table, known[table]) else sorted(cursor, key=_order)
    return names, _types(database, table, len(names)), rows


def _in_its_order(database: sqlite3.Connection, table: str, kind: str) -> str:
    return " order by rowid" if _has_rows_by_number(database, table, kind) else ""


def _has_rows_by_number(database: sqlite3.Connection, table: str, kind: str) -> bool:
    """Views and tables `without rowid` have none."""
    try:
        database.execute(f"select rowid from {quoted(table)} limit 0")
    except sqlite3.OperationalError:
        return False
    return kind == "table"


def _order(row: Sequence[Any]) -> list[tuple[int, Any]]:
    """As SQLite orders: missing, numbers, texts, bytes."""
    return [
        (0, 0) if v is None else (1, v) if isinstance(v, int | float) else (2 + isinstance(v, bytes), v) for v in row
    ]


def _types(database: sqlite3.Connection, table: str, count: int) -> list[str]:
    """The types that the columns are declared with, "" for one that is computed."""
    found = [row[2] for row in database.execute(f"pragma table_info({quoted(table)})")]
    return found if len(found) == count else [""] * count


def _raw(place: str, names: list[str], types: list[str], rows: list[tuple[Any, ...]]) -> Raw:
    columns = dict(zip(distinct(names, place), zip(*rows, strict=True) if rows else [()] * len(names), strict=True))
    for name, items in columns.items():
        if any(isinstance(item, bytes) for item in items):
            help_ = f'leave it out, or write it as text: query = "select hex({name}) as {name}, …"'
            raise _unfit(place, f"column {name} holds bytes", "table", help_)
    cells = {name: Stored(Values(items, _AS_IT_IS), _asked_for(type_))
             for (name, items), type_ in zip(columns.items(), types, strict=True)}  # fmt: skip
    return Raw(
        place, tuple(columns), cells, len(rows), spots(place, lambda row: dict(zip(names, rows[row], strict=True)))
    )


# --- the cells -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stored:
    """Cells and the type that the database's own declaration asks for: a wish to SQLite, and so to us."""

    values: Values
    wish: Type | None

    def inferred(self) -> pa.ChunkedArray:
        if self.wish is not None:
            array, mask = self.fitted(self.wish)
            if mask is None:
                return array
        return self.values.inferred()

    def fitted(self, type_: Type) -> tuple[pa.ChunkedArray, pa.ChunkedArray | None]:
        items = self.values.items
        if type_.base == "bool" and all(item in (0, 1, None) for item in items):  # SQLite has no bool of its own
            truths = [None if item is None else bool(item) for item in items]
            return pa.chunked_array([pa.array(truths, pa.bool_())]), None
        return self.values.fitted(type_)

    def shown(self, row: int) -> str | None:
        return self.values.shown(row)

    def with_more(self, others: Sequence[Stored]) -> Stored:
        return Stored(self.values.with_more([other.values for other in others]), self.wish)


_WISHES = (
    (r"BOOL", BOOL), (r"^DATE$", DATE), (r"^DATETIME|^TIMESTAMP", TIMESTAMP), (r"INT", INT),
    (r"CHAR|CLOB|TEXT", TEXT), (r"REAL|FLOA|DOUB|NUMERIC|DECIMAL", FLOAT),
)  # fmt: skip


def _asked_for(declared: str) -> Type | None:
    return next((type_ for pattern, type_ in _WISHES if re.search(pattern, declared.upper())), None)
