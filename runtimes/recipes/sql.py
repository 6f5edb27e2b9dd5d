"""A query over tables of the store -> one table: DuckDB, in memory, reaching nothing but its inputs."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pyarrow as pa

from ...compiler.program import Value, handed
from .. import tables
from ..declared import conform
from ..order import Given, Make, Outcome
from ..store.objects import Objects
from ..trouble import Trouble


def make(order: Make, objects: Objects) -> Outcome:
    """Run the query of an order. Its rows come out in a defined order, so that the same inputs give the same bytes."""
    name, query = order.names[0], order.recipe.text
    action = f"run the query of {name}"
    inputs = {given.alias: table_files(given, objects, action) for given in order.inputs}
    cores = max(1, int(order.needs.cpu or 1))
    with _connected(inputs, objects, cores, order.needs.memory) as connection, said_plainly(action):
        ordered = _is_ordered(connection, query, action)
        connection.execute("select setseed(?)", [_seed(order.arguments.get("seed"))]).fetchall()
        table = connection.sql(query, params=_bound(connection, order)).to_arrow_table()
        table = table if ordered else _in_order_of_all_columns(connection, table)
    if order.declared:
        table = conform(table, order.declared, name)
    return Outcome(outputs={name: tables.write(table, objects)})


def table_files(given: Given, objects: Objects, action: str) -> tuple[Path, ...]:
    """The Parquet files of an input, their bytes verified: one, or of a table in parts one for each."""
    if given.kind != "data" or tables.is_folder(objects, given.digest):
        what = "a folder of files" if given.kind == "data" else f"a {given.kind}"
        raise Trouble(action, f"{given.name} is {what}, not a table", "make a table of it first, by python or shell")
    return tables.files(objects, given.digest)


# --- the connection ------------------------------------------------------------------------------------------


@contextmanager
def opened(
    inputs: Mapping[str, Sequence[Path]], objects: Objects, *, cores: int = 1, memory: int | None = None
) -> Iterator[Any]:
    """A connection of its own, to an empty database in which each input is a view of its Parquet files.

    A fresh one costs some milliseconds, and nothing of one query is left for the next.
    """
    import duckdb

    spill = objects.scratch(".spill")
    connection = duckdb.connect(":memory:", config=_configured(cores))
    try:
        for setting in (
            *_settings(chain.from_iterable(inputs.values()), spill, memory),
            *map(_view, inputs, inputs.values()),
        ):
            connection.execute(setting)
        yield connection
    finally:
        connection.close()
        shutil.rmtree(spill, ignore_errors=True)


ZONE = "set TimeZone = 'UTC'"
SMALL = 1 << 20  # bytes of all inputs, up to which opening a database would take longer than the query
_SHARED: dict[int, Any] = {}  # by process, the database that such queries share: to open one takes 15 ms


@contextmanager
def _connected(inputs: Mapping[str, Sequence[Path]], objects: Objects, cores: int, memory: int | None) -> Iterator[Any]:
    """For one query that is a SELECT, and so leaves nothing behind: small inputs come as tables in memory, to a
    database that reaches no file at all."""
    size = sum(file.stat().st_size for files in inputs.values() for file in files)
    if cores > 1 or memory or size > SMALL:
        with opened(inputs, objects, cores=cores, memory=memory) as connection:
            yield connection
        return
    cursor = _shared().cursor()
    try:
        cursor.execute(ZONE)  # each connection has its own
        for name, files in inputs.items():
            cursor.register(name, tables.of_files(files))
        yield cursor
    except BaseException:
        _SHARED.pop(os.getpid(), None)  # whatever went wrong, the next one begins anew
        raise
    finally:
        cursor.close()


def _shared() -> Any:
    here = os.getpid()
    if here not in _SHARED:
        import duckdb

        connection = duckdb.connect(":memory:", config=_configured(1))
        for setting in _settings((), Path(gettempdir()) / f"mlspec-{here}.spill", None):
            connection.execute(setting)
        _SHARED[here] = connection
    return _SHARED[here]


def _configured(cores: int) -> dict[str, Any]:
    """With one thread the sum of floats is the same each time."""
    return {"threads": cores, "autoload_known_extensions": False, "autoinstall_known_extensions": False,
            "python_enable_replacements": False}  # fmt: skip


# DuckDB counts its buffers only; the rest is for what it does not count. So it spills before the process is stopped.
_BUFFERS = 0.7


def _settings(files: Iterable[Path], spill: Path, memory: int | None) -> Iterator[str]:
    yield ZONE
    yield f"set temp_directory = {_text(str(spill))}"
    if memory:
        yield f"set memory_limit = '{int(memory * _BUFFERS)}B'"
    yield f"set allowed_paths = [{', '.join(_text(str(file)) for file in files)}]"
    yield "set enable_external_access = false"  # the last: it closes the settings above


def _view(name: str, files: Sequence[Path]) -> str:
    listed = ", ".join(_text(str(file)) for file in files)
    return f"create view {quoted(name)} as select * from read_parquet([{listed}])"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


# --- the query -----------------------------------------------------------------------------------------------


def _is_ordered(connection: Any, query: str, action: str) -> bool:
    """Whether the one query orders its rows itself, at its top level."""
    statements = connection.extract_statements(query)  # raises for what is no SQL, with its place
    answer = json.loads(connection.execute("select json_serialize_sql(?::varchar)", [query]).fetchall()[0][0])
    if len(statements) != 1 or answer["error"]:
        found = "this is another statement" if len(statements) == 1 else f"there are {len(statements) or 'none'}"
        help_ = "write one; a part of it can be named: with x as (select …)"
        raise Trouble(action, f"a query is one SELECT, and {found}", help_)
    modifiers = answer["statements"][0]["node"]["modifiers"]
    return any(modifier["type"] == "ORDER_MODIFIER" and modifier["orders"] for modifier in modifiers)


def _seed(seed: Value) -> float:
    """DuckDB takes a seed from 0 to 1."""
    return seed % 2**31 / 2**31 if isinstance(seed, int) else 0.0


def _bound(connection: Any, order: Make) -> dict[str, Any] | None:
    """The values of the $parameters that stand in the query: DuckDB refuses any other."""
    names = connection.extract_statements(order.recipe.text)[0].named_parameters
    values = {name: value for name, value in order.arguments.items() if name in names}
    moments = order.recipe.moments
    return {name: handed(value, is_moment=name in moments) for name, value in values.items()} or None


def _in_order_of_all_columns(connection: Any, table: pa.Table) -> pa.Table:
    # A second step, not a query around the query: so DuckDB's complaints show the user's own lines, and two columns
    # of one name are not renamed in passing.
    if len(set(table.column_names)) < table.num_columns:
        return table  # refused when it is kept
    connection.register("what came out", table)
    return connection.sql('select * from "what came out" order by all nulls first').to_arrow_table()


# --- complaints ----------------------------------------------------------------------------------------------


@contextmanager
def said_plainly(action: str) -> Iterator[None]:
    """DuckDB's complaints as Trouble: the first line as the cause, the place in the query below it."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException:
        raise MemoryError from None  # worded where all of a job's are
    except duckdb.Error as error:
        first, _, rest = str(error).partition("\n")
        cause = first.partition("Error: ")[2] or first
        place = rest[rest.find("LINE ") :] if "LINE " in rest else ""
        raise Trouble(action, cause[:1].lower() + cause[1:], detail=place.rstrip()) from None
