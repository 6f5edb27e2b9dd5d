"""Sources beyond plain files: databases, web servers and buckets, each a real one on this machine."""

from __future__ import annotations

import gzip
import http.server
import io
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

import obstore
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from buckets import Server
from helpers import Project
from mlspec.compiler.load import InMemory
from mlspec.compiler.pipeline import compile_text
from mlspec.compiler.program import Recipe
from mlspec.compiler.types import INT, Column, Type
from mlspec.runtimes import sources, tables
from mlspec.runtimes.events import Failed, Settled
from mlspec.runtimes.local.disk import Disk
from mlspec.runtimes.local.session import Session
from mlspec.runtimes.order import Make
from mlspec.runtimes.recipes import read
from mlspec.runtimes.sources import database, remote, s3
from mlspec.runtimes.sources import http as web
from mlspec.runtimes.store.ledger import Ledger
from mlspec.runtimes.store.objects import Objects
from mlspec.runtimes.targets import targets
from mlspec.runtimes.trouble import Trouble
from obstore.store import S3Store

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


class Here:
    """A spec applied within this process, which costs less than a command."""

    def __init__(self, root: Path, spec: str) -> None:
        root.mkdir(exist_ok=True)
        self.path = root / "x.mlspec"
        self.path.write_text(spec)

    def reasons(self) -> dict[str, str]:
        """Why each block is not as it was; {} when nothing is to be made."""
        session = Session(self.path)
        return {action.names[0]: "\n".join(action.reason) for action in session.plan(session.check().program).changes()}

    def apply(self) -> dict[str, str]:
        """How each block came out; of one that failed the message."""
        session, events = Session(self.path), []  # type: ignore[var-annotated]
        program = session.check().program
        session.apply(program, session.plan(program), events.append)
        return {one.name: one.message if isinstance(one, Failed) else one.how
                for one in events if isinstance(one, Settled | Failed)}  # fmt: skip


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
        assert {
            path.name: path.read_bytes() for path in root.glob("shop.db*") if not path.name.endswith("-shm")
        } == held
        writer.execute("insert into orders (id) values (10)")
        with pytest.raises(Trouble, match="it changed while it was being read"):
            made(root, "sqlite", "shop.db", expected=files, table="orders")
    assert len(before) == 3


def test_a_database_that_changed_since_it_was_looked_at_is_refused(tmp_path: Path) -> None:
    root = shop(tmp_path)
    with pytest.raises(Trouble, match="it changed while it was being read"):
        made(root, "sqlite", "shop.db", expected={"shop.db": "0" * 64}, table="orders")


def test_a_sqlite_source_is_made_once_and_again_when_its_file_changes(tmp_path: Path) -> None:
    here = Here(shop(tmp_path), 'data orders from sqlite "shop.db" {\n  table = "orders"\n  id: int, unique\n}\n')
    assert here.apply() == {"orders": "made"}
    assert here.reasons() == {}
    with closing(sqlite3.connect(tmp_path / "shop.db")) as db, db:
        db.execute("insert into orders (id) values (4)")
    assert "shop.db" in here.reasons()["orders"]


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


# --- the web ---------------------------------------------------------------------------------------------------


@dataclass
class Page:
    """What a site answers with. `answers` are statuses to give first; `cut` breaks the first sendings off."""

    content: bytes
    headers: dict[str, str] = field(default_factory=dict)
    answers: list[int] = field(default_factory=list)
    cut: int = 0
    after: Any = None  # called once a body was sent
    token: str = ""
    verbs: tuple[str, ...] = ("HEAD", "GET")
    has_length: bool = True


class Site:
    def __init__(self, address: str) -> None:
        self.address, self.pages, self.asked = address, {}, []  # type: ignore[var-annotated]

    def put(self, path: str, content: str | bytes, **more: Any) -> str:
        plain = content.encode() if isinstance(content, str) else content
        headers = more.pop("headers", {"ETag": f'"{hash(plain)}"'})
        self.pages[path] = Page(plain, headers, **more)
        return self.address + path

    def count(self, verb: str) -> int:
        return sum(asked[0] == verb for asked in self.asked)


@pytest.fixture
def site() -> Iterator[Site]:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer("HEAD")

        def do_GET(self) -> None:
            self.answer("GET")

        def answer(self, verb: str) -> None:
            found.asked.append((verb, self.path, self.headers.get("Authorization")))
            page = found.pages.get(self.path.partition("?")[0])
            status = self.status(page, verb)
            self.send_response(status)
            if page is None or status >= 400:
                self.end_headers()
                return
            for name, value in page.headers.items():
                self.send_header(name, value)
            if page.has_length:
                self.send_header("Content-Length", str(len(page.content)))
            self.end_headers()
            if verb == "GET" and status == 200:
                self.send(page)

        def status(self, page: Page | None, verb: str) -> int:
            if page is None:
                return 404
            if verb not in page.verbs:
                return 405
            if page.token and self.headers.get("Authorization") != f"Bearer {page.token}":
                return 401
            return page.answers.pop(0) if page.answers else 302 if "Location" in page.headers else 200

        def send(self, page: Page) -> None:
            if page.cut:
                page.cut -= 1
                self.wfile.write(page.content[: len(page.content) // 2])
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            try:
                self.wfile.write(page.content)
            except ConnectionError:  # who only wanted the headers
                return
            if page.after:
                page.after()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    found = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "PAUSES", (0.01, 0.01))


CSV = "id,name\n1,a\n2,b\n"


def looked(place: str, token: str = "") -> dict[str, str]:
    return dict(web.look(place, token).files)


def parquet_bytes(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("word", "path", "content"),
    [
        ("csv", "/x.csv", CSV.encode()),
        ("csv", "/x.csv.gz?version=3", gzip.compress(CSV.encode(), mtime=0)),
        ("jsonl", "/x.jsonl", b'{"id": 1, "name": "a"}\n{"id": 2, "name": "b"}\n'),
        ("parquet", "/x.parquet", parquet_bytes(pa.table({"id": [1, 2], "name": ["a", "b"]}))),
    ],
)
def test_files_of_a_web_server_are_read_as_those_of_the_disk(
    site: Site, tmp_path: Path, word: str, path: str, content: bytes
) -> None:
    site.put(path.partition("?")[0], content)
    place = site.address + path
    table = made(tmp_path, word, place, expected=looked(place))
    assert table.to_pydict() == {"id": [1, 2], "name": ["a", "b"]}


def test_what_tells_content_apart_on_the_web(site: Site) -> None:
    day = {"Last-Modified": formatdate(0, usegmt=True)}
    place = site.put("/x.csv", CSV, headers={"ETag": '"a"', **day})
    assert looked(place) == {place: 'etag "a"'}
    site.put("/x.csv", CSV, headers=day)
    assert looked(place) == {place: f"changed {day['Last-Modified']}, {len(CSV)} bytes"}
    for headers in ({"ETag": 'W/"a"'}, {}, {"Last-Modified": formatdate(time.time() + 60, usegmt=True)}):
        site.put("/x.csv", CSV, headers=headers)
        assert web.look(place).unknown
        assert looked(place) != looked(place)
    assert site.count("GET") == 0


def test_a_server_that_takes_no_head_is_asked_for_headers_all_the_same(site: Site) -> None:
    place = site.put("/x.csv", CSV, verbs=("GET",))
    assert looked(place)[place].startswith("etag")


def test_what_passes_is_tried_again(site: Site, tmp_path: Path, quick: None) -> None:
    place = site.put("/x.csv", CSV, answers=[500, 503])
    expected = looked(place)
    page = site.pages["/x.csv"]
    page.answers, page.cut = [502], 2
    assert made(tmp_path, "csv", place, expected=expected).num_rows == 2


def test_what_breaks_off_each_time_is_said(site: Site, tmp_path: Path, quick: None) -> None:
    place = site.put("/x.csv", CSV, cut=9)
    with pytest.raises(Trouble, match="the connection broke off: 8 bytes are missing"):
        made(tmp_path, "csv", place, expected=looked(place))


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([410], "there is nothing at this address (410)"),
        ([403, 403], "the server refuses it (403 Forbidden)"),
        ([418], "the server answers 418"),
        ([500, 500, 500], "the server answers 500 Internal Server Error"),
    ],
)
def test_what_a_server_refuses_is_said_in_a_line(site: Site, quick: None, answers: list[int], said: str) -> None:
    place = site.put("/x.csv", CSV, answers=answers)
    with pytest.raises(Trouble) as caught:
        web.look(place)
    assert str(caught.value).startswith(f"could not read {place}: {said}")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("http://127.0.0.1:1/x.csv", "127.0.0.1 cannot be reached: Connection refused"),
        ("http://nowhere.invalid/x.csv", "nowhere.invalid cannot be reached: there is no such host, or no network"),
        ("http:///x.csv", "the address names no server"),
        ("http://127.0.0.1:port/x.csv", "it is no address: Port could not be cast"),
    ],
)
def test_what_cannot_be_reached_is_said_in_a_line(quick: None, place: str, said: str) -> None:
    with pytest.raises(Trouble) as caught:
        web.look(place)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_changes_before_or_while_it_is_read_is_refused(site: Site, tmp_path: Path) -> None:
    place = site.put("/x.csv", CSV)
    expected = looked(place)
    site.pages["/x.csv"].after = lambda: site.put("/x.csv", CSV + "3,c\n")
    for _ in range(2):
        with pytest.raises(Trouble, match="it changed while it was being read"):
            made(tmp_path, "csv", place, expected=expected)


def test_content_that_is_packed_on_the_way_is_unpacked(site: Site, tmp_path: Path) -> None:
    headers = {"ETag": '"a"', "Content-Encoding": "gzip"}
    place = site.put("/x.csv", gzip.compress(CSV.encode()), headers=headers)
    assert made(tmp_path, "csv", place, expected=looked(place)).num_rows == 2
    site.put("/x.csv", b"nonsense", headers=headers)
    with pytest.raises(Trouble, match="cannot be unpacked"):
        made(tmp_path, "csv", place, expected=looked(place))


def test_a_page_of_html_is_no_data(site: Site, tmp_path: Path) -> None:
    """A login page comes with 200 OK, and each of its lines would be a row."""
    page, html = (
        "<!DOCTYPE html>\n<html><body>Log in, please</body></html>\n",
        {"Content-Type": "text/html; charset=utf-8"},
    )
    for word, headers in (("csv", html), ("jsonl", {"ETag": '"b"'}), ("parquet", html)):
        place = site.put(f"/x.{word}", page, headers=headers)
        with pytest.raises(Trouble, match="answers with a page of HTML, and no data") as caught:
            made(tmp_path, word, place, expected=looked(place))
        assert "if it wants a login: token = a_secret" in caught.value.help
    place = site.put("/rows.csv", CSV, headers=html)
    assert made(tmp_path, "csv", place, expected=looked(place)).num_rows == 2


def test_redirects_in_a_circle_are_told_in_one_line(site: Site) -> None:
    place = site.put("/round", "", headers={"Location": "/round"})
    with pytest.raises(Trouble, match="its redirects go round in a circle") as caught:
        web.look(place)
    assert "\n" not in str(caught.value)


def test_a_token_goes_to_its_own_server_alone(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", PASSWORD)
    site.put("/x.csv", CSV, token=PASSWORD)
    place = site.put("/here", "", headers={"Location": "/x.csv"}, token=PASSWORD)
    held = remote.look("csv", place, {}, {"token": "api_token"})
    assert made(tmp_path, "csv", place, expected=dict(held.files), secrets={"token": "api_token"}).num_rows == 2
    site.asked.clear()
    other = site.address.replace("127.0.0.1", "localhost")
    site.put("/away", "", headers={"Location": other + "/x.csv"}, token=PASSWORD)
    with pytest.raises(Trouble, match="the server refuses it"):
        web.look(site.address + "/away", PASSWORD)
    assert [token for _, path, token in site.asked if path == "/x.csv"] == [None]


def test_a_secret_that_is_not_set_is_the_trouble_of_its_source(site: Site) -> None:
    with pytest.raises(Trouble, match="API_TOKEN is not set in the environment"):
        remote.look("csv", site.put("/x.csv", CSV), {}, {"token": "api_token"})


def test_nothing_is_asked_to_compile(site: Site, tmp_path: Path) -> None:
    place = site.put("/x.csv", CSV)
    spec = (f'data far from csv "{place}"\ndata near from far by sql "select anything from far"\n'
            f'data told from csv "{place}" {{\n  id: int\n}}\ndata ids from told by sql "select id from told"\n')  # fmt: skip
    compiled = compile_text("x.mlspec", spec, Disk(tmp_path, Ledger(tmp_path / "s.db", "x", "local")), targets())
    assert compiled.diagnostics == ()
    assert [node.columns[node.name] for node in compiled.program.nodes][:2] == [None, None]
    assert compiled.program.nodes[-1].columns["ids"] == (Column(name="id", type=INT),)
    assert site.asked == []
    assert compile_text("x.mlspec", spec, InMemory({}), targets()).diagnostics == ()


TWICE = 'data far from csv "{0}"\ndata more from csv "{0}" {{\n  id: int\n}}\ndata n from far by sql "select count(*) as n from far"\n'


def test_no_change_costs_one_look_a_place_and_another_validator_stops_at_the_same_content(
    site: Site, tmp_path: Path
) -> None:
    place = site.put("/x.csv", CSV)
    here = Here(tmp_path, TWICE.format(place))
    assert here.apply() == {"far": "made", "more": "made", "n": "made"}
    site.asked.clear()
    assert here.reasons() == {}
    assert (site.count("HEAD"), site.count("GET")) == (1, 0)
    site.put("/x.csv", CSV, headers={"ETag": '"another"'})
    assert here.reasons()["far"] == f"{place} changed"
    assert here.apply() == {"far": "made", "more": "made", "n": "reused"}


def test_content_that_is_unknown_is_read_each_time_and_that_is_said(site: Site, project: Project) -> None:
    place = site.put("/x.csv", CSV, headers={})
    spec = f'data far from csv "{place}"\ndata n from far by sql "select count(*) as n from far"\n'
    here = Here(project.root, spec)
    why = "the server says neither its ETag nor when it changed"
    assert here.reasons()["far"] == f"new\n{why}: read each time"
    assert project.run("plan", "--save", "plan.json").code == 0
    assert project.apply("plan.json").code == 0
    assert here.reasons()["far"] == f"{place} may have changed: {why}, so it is read each time"
    assert here.apply() == {"far": "made", "n": "reused"}
    site.put("/x.csv", CSV + "3,c\n", headers={})
    assert here.apply() == {"far": "made", "n": "made"}


def test_without_a_network_the_rest_goes_on(project: Project) -> None:
    project.write(
        x__mlspec='data far from csv "http://nowhere.invalid/x.csv"\ndata near from csv "y.csv"\n', y__csv=CSV
    )
    ran = project.apply()
    assert ran.code == 4
    assert "nowhere.invalid cannot be reached" in ran.text
    assert "near" in ran.out
    assert "Traceback" not in ran.text


def test_many_places_are_asked_at_once(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = [site.put(f"/{number}.csv", CSV) for number in range(8)]
    here = Here(tmp_path, "".join(f'data d{number} from csv "{place}"\n' for number, place in enumerate(places)))
    together = threading.Barrier(8, timeout=10)  # passed only by eight at once
    original = web.look

    def look(place: str, token: str = "") -> Any:
        together.wait()
        return original(place, token)

    monkeypatch.setattr(web, "look", look)
    assert set(here.reasons().values()) == {"new"}


# --- buckets ---------------------------------------------------------------------------------------------------


class Bucket:
    def __init__(self, address: str) -> None:
        self.store = S3Store("acme", config={"endpoint": address}, client_options={"allow_http": True})

    def put(self, key: str, content: str | bytes) -> str:
        obstore.put(self.store, key, content.encode() if isinstance(content, str) else content)
        return f"s3://acme/{key}"


@pytest.fixture
def bucket(s3_server: Server, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", PASSWORD)
    return Bucket(s3_server.address)


def test_an_object_is_read_and_told_apart_by_its_etag(bucket: Bucket, tmp_path: Path) -> None:
    place = bucket.put("in/x y+z.csv", CSV)
    held = dict(s3.look(place).files)
    assert held[place].startswith("etag ")
    assert made(tmp_path, "csv", place, expected=held).num_rows == 2
    bucket.put("in/x y+z.csv", CSV + "3,c\n")
    with pytest.raises(Trouble, match="it changed while it was being read"):
        made(tmp_path, "csv", place, expected=held)
    assert s3.look(place).files != held


def test_many_objects_by_a_pattern(bucket: Bucket, tmp_path: Path) -> None:
    part = parquet_bytes(pa.table({"id": [1]}))
    for key in ("x/b.parquet", "x/a.parquet", "x/deep/c.parquet", "x/note.txt", "xy/a.parquet"):
        bucket.put(key, part)
    near = dict(s3.look("s3://acme/x/*.parquet").files)
    assert list(near) == ["s3://acme/x/a.parquet", "s3://acme/x/b.parquet"]
    assert len(s3.look("s3://acme/x/**/*.parquet").files) == 3
    assert len(s3.look("s3://acme/x*/[!b].parquet").files) == 2
    assert made(tmp_path, "parquet", "s3://acme/x/*.parquet", expected=near).num_rows == 2
    bucket.put("x/d.parquet", part)
    with pytest.raises(Trouble, match="it changed while it was being read"):
        made(tmp_path, "parquet", "s3://acme/x/*.parquet", expected=near)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("s3://acme/nothing.csv", "there is no such object, or no such bucket"),
        ("s3://nobody/x.csv", "there is no such object, or no such bucket"),
        ("s3://acme/nothing/*.csv", "no object is named so"),
        ("s3://acme", "it names no object"),
        ("s3://acme/in/", "it names no object"),
    ],
)
def test_what_a_bucket_does_not_hold_is_said_in_a_line(bucket: Bucket, place: str, said: str) -> None:
    with pytest.raises(Trouble) as caught:
        s3.look(place)
    assert str(caught.value) == f"could not read {place}: {said}"


def test_a_bucket_that_cannot_be_reached(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    began = time.monotonic()
    with pytest.raises(Trouble, match="the store cannot be reached"):
        s3.look("s3://acme/x.csv")
    assert time.monotonic() - began < 15


def test_without_the_extra_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(Trouble) as caught:
        s3.look("s3://acme/x.csv")
    assert caught.value.help == 'pip install "mlspec[s3]"'


def test_a_bucket_is_a_source_as_any_other(bucket: Bucket, tmp_path: Path) -> None:
    place = bucket.put("x.csv", CSV)
    here = Here(tmp_path, f'data far from csv "{place}"\n')
    assert here.apply() == {"far": "made"}
    assert here.reasons() == {}
    bucket.put("x.csv", CSV + "3,c\n")
    assert here.reasons() == {"far": f"{place} changed"}
    assert PASSWORD.encode() not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
