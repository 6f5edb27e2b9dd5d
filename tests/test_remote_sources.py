"""Sources beyond plain files: databases, web servers and buckets, each a real one on this machine."""

from __future__ import annotations

import gzip
import http.server
import io
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from helpers import Project, Ran
from mlspec.compiler.load import InMemory, Unreadable
from mlspec.compiler.pipeline import compile_text
from mlspec.compiler.program import Recipe
from mlspec.compiler.types import INT, Column, Type
from mlspec.runtimes import sources, tables
from mlspec.runtimes.local.disk import Disk
from mlspec.runtimes.order import Make
from mlspec.runtimes.recipes import read
from mlspec.runtimes.sources import database, http as web, remote, s3
from mlspec.runtimes.store.ledger import Ledger
from mlspec.runtimes.store.objects import Objects
from mlspec.runtimes.targets import targets
from mlspec.runtimes.trouble import Trouble
from mlspec.runtimes.local.session import Session

PASSWORD = "swordfish-5d1f"


def made(
    root: Path, word: str, place: str, declared: tuple[Column, ...] = (), expected: dict[str, str] | None = None,
    secrets: dict[str, str] | None = None, **arguments: Any,
) -> pa.Table:  # fmt: skip
    """What the recipe makes of a source, from the store."""
    objects = Objects(root / "store")
    order = Make(key="k", names=("raw",), kind="data", recipe=Recipe(word=word, place=place), arguments=arguments,
                 declared=declared, expected=expected or {}, secrets=secrets or {}, root=str(root))  # fmt: skip
    outcome = read.make(order, objects).outputs["raw"]
    assert not list(objects.aside.iterdir())
    return tables.read(objects, outcome.digest)


def types(table: pa.Table) -> dict[str, str]:
    return {field.name: str(tables.from_arrow(field.type)) for field in table.schema}


def column(name: str, base: str, **more: Any) -> Column:
    return Column(name=name, type=Type.model_validate({"base": base}), declared=True, **more)


# --- SQLite ----------------------------------------------------------------------------------------------------

SHOP = """
create table orders (id integer primary key, amount decimal(10, 2), town text, paid boolean, day date, at timestamp, code);
insert into orders values (3, 5, 'Bern', 1, '2026-01-03', '2026-01-03 10:00:00', 7), (1, 2.5, null, 0, '2026-01-01', null, 'x');
create view large as select id, amount from orders where amount > 3;
create table empty (id integer, name text, price real);
create table pairs (a text, b int, primary key (a, b)) without rowid;
insert into pairs values ('b', 1), ('a', 2), ('a', 1);
create table photos (id int, picture blob);
insert into photos values (1, x'ff00');
"""


def shop(root: Path, script: str = SHOP) -> Path:
    root.mkdir(exist_ok=True)
    with closing(sqlite3.connect(root / "shop.db")) as db:
        db.executescript(script)
    return root


def inspected(root: Path, **arguments: Any) -> dict[str, str]:
    return {c.name: str(c.type) for c in sources.inspect(root, "sqlite", "shop.db", arguments, ())}


def test_a_sqlite_table_has_the_types_that_it_declares_and_its_own_order(tmp_path: Path) -> None:
    root = shop(tmp_path)
    table = made(root, "sqlite", "shop.db", table="orders")
    assert table.to_pydict()["id"] == [1, 3]
    assert types(table) == {"id": "int", "amount": "float", "town": "text", "paid": "bool", "day": "date",
                            "at": "timestamp", "code": "text"}  # fmt: skip
    assert table.to_pydict()["code"] == ["x", "7"]
    seen = {name: type_.rstrip("?") for name, type_ in inspected(root, table="orders").items()}
    assert seen == types(table)


def test_a_view_a_query_and_a_table_without_row_numbers_come_in_the_order_of_all_columns(tmp_path: Path) -> None:
    root = shop(tmp_path)
    assert made(root, "sqlite", "shop.db", table="pairs").to_pylist() == [
        {"a": "a", "b": 1}, {"a": "a", "b": 2}, {"a": "b", "b": 1}]  # fmt: skip
    assert made(root, "sqlite", "shop.db", table="large").to_pylist() == [{"id": 3, "amount": 5.0}]
    assert made(root, "sqlite", "shop.db", query="select id from orders").to_pydict() == {"id": [1, 3]}
    assert made(root, "sqlite", "shop.db", query="select id from orders order by 1 desc;").to_pydict() == {"id": [3, 1]}
    joined = made(root, "sqlite", "shop.db", query="select paid, day, amount * 2 as double from orders -- all")
    assert types(joined) == {"paid": "bool", "day": "date", "double": "float"}


def test_an_empty_table_keeps_its_types(tmp_path: Path) -> None:
    table = made(shop(tmp_path), "sqlite", "shop.db", table="empty")
    assert (table.num_rows, types(table)) == (0, {"id": "int", "name": "text", "price": "float"})


def test_declared_columns_must_be_so_in_sqlite_too(tmp_path: Path) -> None:
    root = shop(tmp_path)
    asked = (column("amount", "float", low=0.0, high=3.0), column("bought", "date", origin="day"))
    with pytest.raises(Trouble, match=r"row|line 2 of shop.db: amount"):
        made(root, "sqlite", "shop.db", asked, table="orders")
    table = made(root, "sqlite", "shop.db", asked[1:], query="select id, day from orders")
    assert types(table) == {"id": "int", "bought": "date"}


@pytest.mark.parametrize(
    ("arguments", "said", "help_"),
    [
        ({"table": "order"}, "it has no table order", "did you mean orders?"),
        ({"query": "select idd from orders"}, "no such column: idd", ""),
        ({"query": "selec"}, 'near "selec": syntax error', ""),
        ({"query": "select 1; select 2"}, "one statement at a time", ""),
        ({"query": "delete from orders"}, "readonly database", ""),
        ({"query": "select id, id from orders"}, "two of its columns are named id", "give each a name of its own"),
        ({"table": "photos"}, "column picture holds bytes", "hex(picture)"),
    ],
)  # fmt: skip
def test_what_sqlite_cannot_give_is_said_in_a_line(tmp_path: Path, arguments: Any, said: str, help_: str) -> None:
    root = shop(tmp_path)
    with pytest.raises(Trouble) as caught:
        made(root, "sqlite", "shop.db", **arguments)
    assert said in str(caught.value)
    assert help_ in caught.value.help
    assert "\n" not in str(caught.value)


def test_a_wrong_query_is_told_at_compile_time_at_the_query(tmp_path: Path) -> None:
    spec = 'data orders from sqlite "shop.db" {\n  query = "select idd from orders"\n}\n'
    disk = Disk(shop(tmp_path), Ledger(tmp_path / "state.db", "x", "local"))
    compiled = compile_text("x.mlspec", spec, disk, targets())
    (told,) = compiled.diagnostics
    assert (told.code, spec[told.span.start : told.span.end]) == ("E701", '"select idd from orders"')


def test_no_database_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "shop.db").write_text("id,name\n1,a\n" * 100)
    with pytest.raises(Trouble, match="file is not a database"):
        made(tmp_path, "sqlite", "shop.db", table="orders")


def test_what_a_writer_has_put_beside_the_file_belongs_to_it_and_nothing_is_touched(tmp_path: Path) -> None:
    root = shop(tmp_path)
    disk = Disk(root, Ledger(tmp_path / "state.db", "x", "local"))
    with closing(sqlite3.connect(root / "shop.db", isolation_level=None)) as writer:
        writer.execute("pragma journal_mode = wal")
        before = sources.inspect(root, "sqlite", "shop.db", {"table": "empty"}, ())
        writer.execute("insert into orders (id) values (9)")
        files = {path: disk.digest(path)[0] for path in ("shop.db", "shop.db-wal")}
        held = {path.name: path.read_bytes() for path in root.glob("shop.db*") if not path.name.endswith("-shm")}
        assert made(root, "sqlite", "shop.db", expected=files, table="orders").to_pydict()["id"] == [1, 3, 9]
        assert {path.name: path.read_bytes() for path in root.glob("shop.db*") if not path.name.endswith("-shm")} == held
        writer.execute("insert into orders (id) values (10)")
        with pytest.raises(Trouble, match="it changed while it was being read"):
            made(root, "sqlite", "shop.db", expected=files, table="orders")
    assert len(before) == 3


def test_a_database_that_changed_since_it_was_looked_at_is_refused(tmp_path: Path) -> None:
    root = shop(tmp_path)
    with pytest.raises(Trouble, match="it changed while it was being read"):
        made(root, "sqlite", "shop.db", expected={"shop.db": "0" * 64}, table="orders")


def test_a_sqlite_source_is_made_once_and_again_when_its_file_changes(project: Project) -> None:
    shop(project.root)
    project.write(x__mlspec='data orders from sqlite "shop.db" {\n  table = "orders"\n  id: int, unique\n}\n')
    assert project.events() == {"orders": "made"}
    assert "Nothing to be made" in project.run("plan").out
    with closing(sqlite3.connect(project.root / "shop.db")) as db, db:
        db.execute("insert into orders (id) values (4)")
    assert "shop.db" in project.run("plan").out
    assert project.events() == {"orders": "made"}


@pytest.mark.parametrize(
    ("query", "ordered"),
    [
        ("select a from t order by a", True),
        ("select a from t ORDER\n BY a limit 3", True),
        ("select a, row_number() over (order by a) from t", False),
        ("select a from (select a from t order by a) x", False),
        ("select 'order by' as \"order by\" from t -- order by a", False),
        ("select a from t /* order by */ where b = $x$ order by $x$", False),
    ],
)
def test_whether_a_query_orders_its_rows(query: str, ordered: bool) -> None:
    assert database.orders_itself(query) is ordered
