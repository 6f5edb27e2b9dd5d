"""PostgreSQL as a source: a real server, started here where its programs are installed (apt-get install postgresql)."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from adbc_driver_postgresql import dbapi
from helpers import Project, until
from mlspec.compiler.program import Recipe
from mlspec.compiler.types import Column, Type
from mlspec.runtimes import tables
from mlspec.runtimes.order import Make
from mlspec.runtimes.recipes import read
from mlspec.runtimes.sources import postgres, remote
from mlspec.runtimes.store.objects import Objects
from mlspec.runtimes.trouble import Trouble

PASSWORD = "sword@fish-5d1f"
WRITTEN = "sword%40fish-5d1f"  # as it stands in an address
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))

pytestmark = pytest.mark.skipif(not PROGRAMS, reason="no PostgreSQL is installed")


@dataclass(frozen=True)
class Server:
    port: int

    def url(self, user: str = "owner", password: str = WRITTEN) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/postgres"

    def run(self, *statements: str) -> None:
        with dbapi.connect(self.url(), autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """A server of its own, as a user of its own: PostgreSQL does not run as root."""
    folder = Path(tempfile.mkdtemp(prefix="mlspec-postgres-"))
    bin_, port, options = PROGRAMS[-1].parent, free_port(), {}  # type: ignore[var-annotated]
    (folder / "password").write_text(PASSWORD)
    if os.geteuid() == 0:
        shutil.chown(folder, pwd.getpwnam("postgres").pw_uid)
        shutil.chown(folder / "password", pwd.getpwnam("postgres").pw_uid)
        options = {"user": "postgres"}
    run = {"cwd": folder, "stdout": subprocess.DEVNULL, **options}
    subprocess.run([bin_ / "initdb", "-D", folder / "data", "-U", "owner", f"--pwfile={folder / 'password'}",
                    "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"], check=True, **run)  # fmt: skip
    server = subprocess.Popen([bin_ / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder, "-c", "fsync=off",
                               "-c", "listen_addresses=127.0.0.1"], stderr=subprocess.DEVNULL, **run)  # fmt: skip
    found = Server(port)

    def answers() -> bool:
        try:
            found.run("select 1")
        except dbapi.Error:
            return False
        return True

    until(answers, 30)
    yield found
    server.terminate()
    server.wait(20)
    shutil.rmtree(folder)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


SHOP = (
    "drop schema if exists billing cascade",
    "create schema billing",
    """create table billing.invoices (id int primary key, customer text, amount numeric(10, 2), paid boolean,
         day date, at timestamptz, kind billing.kind, price real, number uuid, code char(4))""",
    """insert into billing.invoices values
         (2, 'Zoë', 2.50, true, '2026-01-02', '2026-01-02 10:00:00+02', 'open', 0.5, '00000000-0000-0000-0000-000000000001', 'a'),
         (1, 'abe', null, false, null, null, 'closed', null, null, null)""",
)


@pytest.fixture
def server(running: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv("WAREHOUSE_URL", running.url())
    running.run(*SHOP[:2], "create type billing.kind as enum ('open', 'closed')", *SHOP[2:])
    return running


HIDDEN = {"url": "warehouse_url"}
TABLE = "billing.invoices"


def held(place: str = TABLE, **arguments: Any) -> dict[str, str]:
    found = remote.look("postgres", place, arguments, HIDDEN)
    assert not found.unknown, found.unknown
    return dict(found.files)


def made(
    root: Path, place: str = TABLE, declared: tuple[Column, ...] = (), expected: dict[str, str] | None = None,
    **arguments: Any,
) -> pa.Table:  # fmt: skip
    objects = Objects(root / "store")
    order = Make(key="k", names=("raw",), kind="data", recipe=Recipe(word="postgres", place=place), arguments=arguments,
                 declared=declared, expected=expected or {}, secrets=HIDDEN, root=str(root))  # fmt: skip
    return tables.read(objects, read.make(order, objects).outputs["raw"].digest)


def test_a_table_comes_in_the_languages_types_and_in_the_order_of_all_columns(server: Server, tmp_path: Path) -> None:
    table = made(tmp_path, expected=held())
    assert {field.name: str(tables.from_arrow(field.type)) for field in table.schema} == {
        "id": "int", "customer": "text", "amount": "float", "paid": "bool", "day": "date", "at": "timestamp",
        "kind": "text", "price": "float", "number": "text", "code": "text"}  # fmt: skip
    assert table.to_pylist()[1] == {
        "id": 2, "customer": "Zoë", "amount": 2.5, "paid": True, "day": date(2026, 1, 2),
        "at": datetime(2026, 1, 2, 8), "kind": "open", "price": 0.5,
        "number": "00000000-0000-0000-0000-000000000001", "code": "a"}  # fmt: skip
    names = made(tmp_path, query="select customer from billing.invoices")
    assert names.to_pydict() == {"customer": ["Zoë", "abe"]}  # by code point, whatever the server's locale


def test_a_query_that_orders_its_rows_keeps_them(server: Server, tmp_path: Path) -> None:
    query = "select id from billing.invoices order by id desc; -- newest first"
    assert made(tmp_path, "the newest", query=query).to_pydict() == {"id": [2, 1]}
    assert list(held("the newest", query=query)) == ["the newest"]
    assert list(held("", query="select 1 as one")) == ["the query"]


def test_the_checksum_follows_the_content_and_nothing_else(server: Server) -> None:
    before = held()
    server.run("update billing.invoices set customer = customer", "vacuum full billing.invoices")
    assert held() == before
    seen = {before[TABLE]}
    for change in ("update billing.invoices set amount = 2.51 where id = 2", "delete from billing.invoices where id = 1",
                   "alter table billing.invoices rename customer to client",
                   "alter table billing.invoices alter id type bigint"):  # fmt: skip
        server.run(change)
        seen.add(held()[TABLE])
    assert len(seen) == 5


def test_a_table_that_changed_since_it_was_looked_at_is_refused(server: Server, tmp_path: Path) -> None:
    expected = held()
    server.run("delete from billing.invoices where id = 1")
    with pytest.raises(Trouble, match=r"could not read billing\.invoices: it changed while it was being read"):
        made(tmp_path, expected=expected)


def test_an_empty_table_keeps_its_types(server: Server, tmp_path: Path) -> None:
    server.run("delete from billing.invoices")
    table = made(tmp_path, expected=held())
    assert (table.num_rows, table.schema.field("amount").type) == (0, pa.float64())


def test_declared_columns_must_be_so(server: Server, tmp_path: Path) -> None:
    amount = Column(name="amount", type=Type(base="float"), declared=True)
    with pytest.raises(Trouble, match=r"amount"):
        made(tmp_path, declared=(amount,))
    spent = Column(name="spent", type=Type(base="float", optional=True), origin="amount", low=0.0, declared=True)
    assert "spent" in made(tmp_path, declared=(spent,)).column_names


@pytest.mark.parametrize(
    ("type_", "value", "help_"),
    [
        ("jsonb", "'{}'", 'cast it: query = "select odd::text, … from billing.invoices"'),
        ("interval", "'1 day'", "odd::text"),
        ("int[]", "'{1}'", "odd::text"),
        ("money", "1.5", "odd::numeric"),
    ],
)
def test_a_type_that_is_not_held_is_told_with_the_cast(
    server: Server, tmp_path: Path, type_: str, value: str, help_: str
) -> None:
    server.run(f"alter table billing.invoices add odd {type_} default {value}")
    with pytest.raises(Trouble, match="column odd is of the type") as caught:
        made(tmp_path)
    assert help_ in caught.value.help


@pytest.mark.parametrize("value", ["'infinity'", "'-infinity'"])
@pytest.mark.parametrize("type_", ["date", "timestamp"])
def test_a_date_without_end_is_told(server: Server, tmp_path: Path, type_: str, value: str) -> None:
    with pytest.raises(Trouble, match="column x holds a date without end") as caught:
        made(tmp_path, "", query=f"select {value}::{type_} as x")
    assert "nullif(x, 'infinity')" in caught.value.help
    made(tmp_path, "", query=f"select '4713-01-01 BC'::{type_} as x, '9999-12-31'::{type_} as y")


@pytest.mark.parametrize(
    ("place", "query", "said", "help_"),
    [
        ("billing.invoice", "", 'relation "billing.invoice" does not exist', "did you mean billing.invoices?"),
        ("late", "select idd from billing.invoices", 'column "idd" does not exist', ""),
        ("late", "selec", 'syntax error at or near "selec"', ""),
        ("late", "select 1 as a, 2 as a", "two of its columns are named a", "give each a name of its own"),
        ("late", "delete from billing.invoices returning id", "syntax error", ""),
        ("late", "select 1 / (id - id) as x from billing.invoices", "division by zero", ""),
    ],
)
def test_what_the_server_refuses_is_said_in_a_line(
    server: Server, tmp_path: Path, place: str, query: str, said: str, help_: str
) -> None:
    with pytest.raises(Trouble) as caught:
        made(tmp_path, place, **({"query": query} if query else {}))
    assert str(caught.value).startswith(f"could not read {place}: {said}")
    assert help_ in caught.value.help
    assert "\n" not in str(caught.value)


def test_the_place_in_the_query_is_shown(server: Server, tmp_path: Path) -> None:
    with pytest.raises(Trouble) as caught:
        made(tmp_path, "late", query="select id,\n  idd\nfrom billing.invoices")
    assert caught.value.detail == "  idd\n  ^"


def test_without_the_right_to_a_checksum_the_content_is_unknown(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.run("drop role if exists reader", f"create role reader login password '{PASSWORD}'",
               "grant usage on schema billing to reader", "grant select on billing.invoices to reader",
               "revoke execute on function md5(text) from public")  # fmt: skip
    monkeypatch.setenv("WAREHOUSE_URL", server.url("reader"))
    found = remote.look("postgres", TABLE, {}, HIDDEN)
    assert found.unknown == "the server gives no checksum of it: permission denied for function md5"
    assert remote.look("postgres", TABLE, {}, HIDDEN).files != found.files
    server.run("grant execute on function md5(text) to public", "revoke select on billing.invoices from reader")
    with pytest.raises(Trouble, match="permission denied for table invoices"):
        remote.look("postgres", TABLE, {}, HIDDEN)
    server.run("drop owned by reader", "drop role reader")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://owner:{written}@127.0.0.1:1/postgres", "connection to server at"),
        ("postgresql://owner:wrong-{written}@127.0.0.1:{port}/postgres", "password authentication failed"),
        ("postgresql://owner:{written}@127.0.0.1:{port}/postgres?nonsense=1", "invalid URI query parameter"),
        ("nonsense {written}", "missing"),
        ("host=127.0.0.1 port={port} user=owner password={written} nonsense=1", "invalid connection option"),
        ("host=127.0.0.1 port=1 user=owner password='{plain}'", "connection to server at"),
    ],
)
def test_no_failure_shows_the_address_or_its_password(
    server: Server, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setenv("WAREHOUSE_URL", url.format(port=server.port, written=WRITTEN, plain=PASSWORD))
    with pytest.raises(Trouble, match=said) as caught:
        remote.look("postgres", TABLE, {}, HIDDEN)
    shown = "".join((str(caught.value), caught.value.help, caught.value.detail))
    assert WRITTEN not in shown
    assert PASSWORD not in shown
    assert "\n" not in str(caught.value)


def test_a_password_is_taken_out_of_what_a_server_says() -> None:
    url = f"postgresql://owner:{WRITTEN}@host/db"
    assert postgres.without_password(f"bad {url} and {PASSWORD} and {WRITTEN}", url) == "bad ••• and ••• and •••"
    assert postgres.without_password("x 'a b' y", "host=h password='a b'") == "x ••• y"


SPEC = """mlspec 1

secret warehouse_url

data invoices from postgres "billing.invoices" {
  url    = warehouse_url
  id:      int, unique
  amount:  float?
}

data paid from invoices by sql "select id, amount from invoices where amount > 1"
"""


def test_a_table_is_a_source_as_any_other_and_its_password_is_nowhere(server: Server, project: Project) -> None:
    project.write(x__mlspec=SPEC)
    environment = {"WAREHOUSE_URL": server.url()}
    ran = [project.run(*words, env=environment) for words in (("apply",), ("plan",))]
    assert [one.code for one in ran] == [0, 0]
    assert "Nothing to be made" in ran[1].out
    server.run("update billing.invoices set amount = 7 where id = 1")
    ran.append(project.run("plan", "--json", env=environment))
    assert "billing.invoices changed" in ran[2].out
    server.run("alter table billing.invoices add odd json")
    ran += [project.run("apply", env=environment), project.run("plan", env={"WAREHOUSE_URL": server.url("nobody")})]
    assert "column odd is of the type json" in ran[3].text
    assert "password authentication failed" in ran[4].text
    kept = b"".join(path.read_bytes() for path in project.root.rglob("*") if path.is_file())
    for written in (WRITTEN, PASSWORD, server.url()):
        assert written.encode() not in kept
        assert all(written not in one.text for one in ran)
    assert all("Traceback" not in one.text for one in ran)


def test_a_secret_that_is_not_set_says_which(project: Project) -> None:
    ran = project.write(x__mlspec=SPEC).run("plan", env={"WAREHOUSE_URL": ""})
    assert "WAREHOUSE_URL is not set in the environment" in ran.text
    assert "help: set it where mlspec runs" in ran.text
