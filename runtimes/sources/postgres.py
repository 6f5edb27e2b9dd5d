"""A PostgreSQL server, and a table or a query -> a checksum that the server computes, and raw cells, by ADBC.

Rows that no query orders come in the order of all their columns, sorted here: a server keeps them in whatever order
its last writes left, and sorts texts as its own locale says.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ...compiler.program import Value
from ...compiler.state import SourceFiles
from ...grammar.diagnostic import nearest
from ..secrets import HIDDEN
from ..trouble import Trouble
from .database import distinct, one, orders_itself, quoted, spots
from .unseen import changed_meanwhile, is_unknown, unknown

if TYPE_CHECKING:
    import pyarrow as pa

    from .raw import Raw

PATIENCE = 120  # seconds that the server may take for a checksum
CONNECT = 10  # seconds

# How each type is asked for, so that it comes as one of the language's. Others are refused with the cast to write.
CASTS = {
    **dict.fromkeys(("smallint", "integer", "bigint", "oid"), "bigint"),
    **dict.fromkeys(("real", "double precision", "numeric"), "double precision"),
    **dict.fromkeys(("text", "character varying", "character", "name", "citext", "uuid", "enum"), "text"),
    "boolean": "boolean",
    "date": "date",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
}
LIKELY = {"money": "numeric", "interval": "text", "bytea": "text"}


@dataclass(frozen=True, slots=True)
class Asked:
    """`what` is how people call it, `query` the one select that gives its rows."""

    what: str
    query: str
    table: bool


def look(place: str, given: Mapping[str, Value]) -> SourceFiles:
    """A checksum over all rows. Where the server does not compute one for us the content is unknown."""
    asked = _asked(place, given)
    with _reading(asked, str(given["url"])) as cursor:
        columns = _columns(cursor, asked)
        cursor.execute(f"set local statement_timeout to '{PATIENCE}s'")
        try:
            return SourceFiles(files={asked.what: _checksum(cursor, asked, columns)})
        except _errors() as error:
            why = "its checksum takes too long" if "statement timeout" in str(error) else _cause(str(error))
            return unknown([asked.what], f"the server gives no checksum of it: {why}")


def read(place: str, given: Mapping[str, Value], expected: Mapping[str, str]) -> Raw:
    """Checksum and rows are of one moment: a snapshot that others' writes do not change."""
    asked = _asked(place, given)
    with _reading(asked, str(given["url"])) as cursor:
        columns = _columns(cursor, asked)
        digest = expected.get(asked.what, "")
        if not is_unknown(digest) and _checksum(cursor, asked, columns) != digest:
            raise changed_meanwhile(asked.what)
        wanted = ", ".join(
            f"q.{quoted(name)}::{_cast(name, type_, asked)} as {quoted(name)}" for name, type_ in columns
        )
        cursor.execute(f"select {wanted} from (\n{asked.query}\n) as q")
        table = cursor.fetch_arrow_table()
    return _raw(table, asked)


def _asked(place: str, given: Mapping[str, Value]) -> Asked:
    query = one(str(given.get("query", "")))
    if query:
        return Asked(place.strip() or "the query", query, False)
    return Asked(place, f"select * from {'.'.join(map(quoted, place.split('.')))}", True)


# --- what the server is asked ---------------------------------------------------------------------------------------


def _columns(cursor: Any, asked: Asked) -> tuple[tuple[str, str], ...]:
    """(name, type) as the server calls them, a domain by what it is of, an enum by that word."""
    cursor.adbc_prepare(asked.query)  # its mistakes are told of it alone, not of it inside another
    cursor.execute(f"select * from (\n{asked.query}\n) as q limit 0")
    names = distinct(cursor.fetch_arrow_table().column_names, asked.what)
    if not names:
        raise Trouble(f"read {asked.what}", "it has no columns")
    types = ", ".join(_TYPE.format(column=quoted(name)) for name in names)
    cursor.execute(f"select {types} from (select 1) as one left join (\n{asked.query}\n) as q on false")
    return tuple(zip(names, cursor.fetchone(), strict=True))


_TYPE = """(select case when typtype = 'e' then 'enum'
  else format_type(case when typbasetype = 0 then oid else typbasetype end, null) end
  from pg_type where oid = pg_typeof(q.{column}))"""


def _checksum(cursor: Any, asked: Asked, columns: tuple[tuple[str, str], ...]) -> str:
    """Of the rows in whatever order: both halves of their hashes, each summed."""
    halves = (f"sum(('x' || {side}(hash, 16))::bit(64)::bigint)::text" for side in ("left", "right"))
    cursor.execute(
        f"select count(*)::text, {', '.join(halves)} from (select md5(q::text) as hash from (\n{asked.query}\n) as q) as h"
    )
    whole = json.dumps([columns, cursor.fetchone()])
    return f"checksum {hashlib.sha256(whole.encode()).hexdigest()}"


def _cast(name: str, type_: str, asked: Asked) -> str:
    if type_ in CASTS:
        return CASTS[type_]
    written = f"{name}::{LIKELY.get(type_, 'text')}"
    source = f" from {asked.what}" if asked.table else " …"
    help_ = f'leave it out, or cast it: query = "select {written}, …{source}"'
    raise Trouble(f"read {asked.what}", f"column {name} is of the type {type_}, which mlspec does not hold", help_)


# --- the rows ------------------------------------------------------------------------------------------------------


def _raw(table: pa.Table, asked: Asked) -> Raw:
    from .. import tables
    from .parquet import Typed
    from .raw import Raw

    _refuse_endless(table, asked)
    table = tables.canonical(table)
    if not orders_itself(asked.query) or asked.table:
        table = table.sort_by([(name, "ascending") for name in table.column_names])
    columns = {name: Typed(table.column(name), name, asked.what) for name in table.column_names}
    row = spots(asked.what, lambda number: table.slice(number, 1).to_pylist()[0])
    return Raw(asked.what, tuple(table.column_names), columns, table.num_rows, row)


def _refuse_endless(table: pa.Table, asked: Asked) -> None:
    """PostgreSQL's infinity, and what lies too far ahead, would come as a day before the first that it knows."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for name, column in zip(table.column_names, table.columns, strict=True):
        if not (pa.types.is_date(column.type) or pa.types.is_timestamp(column.type)):
            continue
        plain, first = (
            (pa.int32(), -2_440_588) if pa.types.is_date(column.type) else (pa.int64(), -210_866_803_200_000_000)
        )
        least = pc.min(column.cast(plain)).as_py()
        if least is not None and least < first:
            help_ = f"""put another in its place: query = "select nullif({name}, 'infinity') as {name}, …\""""
            raise Trouble(f"read {asked.what}", f"column {name} holds a date without end", help_)


# --- the connection ------------------------------------------------------------------------------------------------


@contextmanager
def _reading(asked: Asked, url: str) -> Iterator[Any]:
    """A cursor in a transaction that only reads, in which values are always written the same way."""
    dbapi = _driver()
    try:
        with dbapi.connect(_patient(url), autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute("begin isolation level repeatable read read only")
            for setting in ("timezone to 'UTC'", "datestyle to 'ISO'", "intervalstyle to 'postgres'",
                            "extra_float_digits to 1", "bytea_output to 'hex'"):  # fmt: skip
                cursor.execute(f"set local {setting}")
            yield cursor
            cursor.execute("rollback")
    except _errors() as error:
        message = without_password(str(error), url)
        raise Trouble(f"read {asked.what}", _cause(message), _help(message, asked, url), _line(message)) from None


def _driver() -> Any:
    try:
        from adbc_driver_postgresql import dbapi  # type: ignore[import-untyped]
    except ImportError:
        help_ = 'pip install "mlspec[databases]"'
        raise Trouble("read from postgres", "the package adbc-driver-postgresql is not installed", help_) from None
    return dbapi


def _errors() -> Any:
    from adbc_driver_manager import Error

    return Error


def _patient(url: str) -> str:
    """The address with an end to waiting for a server that does not answer."""
    if "connect_timeout" in url:
        return url
    if "://" not in url:
        return f"{url} connect_timeout={CONNECT}"
    return f"{url}{'&' if '?' in url else '?'}connect_timeout={CONNECT}"


# --- what goes wrong -----------------------------------------------------------------------------------------------


def without_password(text: str, url: str) -> str:
    """A message in which neither the address nor its password is to be seen."""
    found = {_patient(url), url}
    if "://" in url:
        password = _password(url)
        found |= {password, unquote(password)}
    found |= set(re.findall(r"password\s*=\s*('(?:[^'\\]|\\.)*'|[^\s&]+)", url))
    for part in sorted(found - {""}, key=len, reverse=True):
        text = text.replace(part, HIDDEN)
    return text


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:
        return ""


def _cause(message: str) -> str:
    """The server's own words, without those of driver and library around them."""
    text = re.split(r"\n|\. SQLSTATE", re.split(r"(?:ERROR|FATAL):\s+", message, maxsplit=1)[-1])[0]
    text = re.sub(r"^[A-Z_]+: (?:\[libpq\] )?", "", text).removeprefix("Failed to connect: ")
    return text[:300]


def _line(message: str) -> str:
    """The line of the query that the server points at."""
    found = re.search(r"LINE \d+: (.*\n\s*\^)", message)
    return "" if found is None else "\n".join(_undented(found[1], message[found.start() : found.start(1)]))


def _undented(shown: str, before: str) -> Iterator[str]:
    text, mark = shown.split("\n")
    yield text
    yield mark[len(before) :]


def _help(message: str, asked: Asked, url: str) -> str:
    if "does not exist" in message and "relation" in message and asked.table:
        close = nearest(asked.what, _tables(url))
        return f"did you mean {close}?" if close else "a table in a schema is named with it: billing.invoices"
    if "password authentication failed" in message or "no password supplied" in message:
        return "see whether user and password in the address are right"
    return ""


def _tables(url: str) -> list[str]:
    query = "select table_schema || '.' || table_name from information_schema.tables where table_schema !~ '^pg_|^inf'"
    try:
        with _driver().connect(_patient(url), autocommit=True) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            names = [row[0] for row in cursor.fetchall()]
    except _errors():
        return []
    return [*names, *(name.removeprefix("public.") for name in names if name.startswith("public."))]
