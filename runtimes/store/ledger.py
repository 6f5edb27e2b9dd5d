"""What is known besides the artifacts' bytes: records of keys, facts, names and their history, runs, leases.

One SQLite file beside the objects. Every change is one transaction; a killed process leaves nothing half done.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import time
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...compiler.state import Accepted, Record
from ..trouble import Trouble
from .objects import FOLDER

SCHEMA = """
create table if not exists records (key text primary key, body text not null);
create table if not exists facts (
  key text primary key, value text not null, about text not null default ''
);
create table if not exists names (
  spec text, env text, name text, kind text, digest text, key text, at real, withdrawn text,
  primary key (spec, env, name)
);
create table if not exists history (
  id integer primary key, spec text, env text, name text, digest text, key text, at real, event text
);
create table if not exists runs (
  id integer primary key, spec text, env text, process text, started real, ended real, status text, summary text
);
create table if not exists leases (key text primary key, process text, token integer);
create table if not exists seen (path text primary key, size integer, mtime integer, digest text, lines integer);
create table if not exists compiled (key text primary key, body blob not null);
create table if not exists inspected (key text primary key, columns text not null);
create table if not exists sent (id integer primary key, spec text, env text, digest text);
create table if not exists logs (spec text, env text, name text, path text, at real, primary key (spec, env, name));
"""
VERSION = 4
COMPILED, INSPECTED = 20, 2000  # that are remembered, the latest
REMEMBERED = 10  # entries of a name's history that can be rolled back to
SENT = (
    2  # projects that are held: the one that runs are made from now, and the one before, of which one may be under way
)


@dataclass(frozen=True, slots=True)
class Past:
    """One entry of a name's history. `event` is "accepted" or "rolled back"."""

    digest: str
    key: str
    at: float
    event: str


@dataclass(frozen=True, slots=True)
class Run:
    id: int
    started: float
    ended: float | None
    status: str
    summary: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Young:
    """What was written by other machines after this moment, seconds since the epoch by the store's clock: these keys' records."""

    since: float = 0.0
    keys: frozenset[str] = frozenset()


class Ledger:
    """The file for one spec and environment. Not to be shared between threads."""

    is_shared = False  # whether other machines write it too

    def __init__(self, path: Path, spec: str, env: str) -> None:
        self.path, self.spec, self.env = path, spec, env
        self.db = _open(path)
        weakref.finalize(self, self.db.close)  # also where the process ends: else its log stays beside it

    # --- records and facts ------------------------------------------------------------------------------------

    def record(self, key: str) -> Record | None:
        row = self.db.execute("select body from records where key = ?", (key,)).fetchone()
        return Record.model_validate_json(row[0]) if row else None

    def records(self) -> Iterator[Record]:
        for (body,) in self.db.execute("select body from records"):
            yield Record.model_validate_json(body)

    def put_record(self, record: Record, token: int | None = None) -> bool:
        """Keep a record; with the token of a lease only while the lease is still ours. Returns whether it was kept."""
        with self._change():
            if token is not None:
                row = self.db.execute("select token from leases where key = ?", (record.key,)).fetchone()
                if row is None or row[0] != token:
                    return False
            self.db.execute("insert or replace into records values (?, ?)", (record.key, record.model_dump_json()))
        return True

    def fact(self, key: str, about: str = "") -> tuple[bool, Any]:
        """Whether it is known, and its value. `about` as in `put_facts`."""
        row = self.db.execute("select value from facts where key = ?", (key,)).fetchone()
        return (True, json.loads(row[0])) if row else (False, None)

    def put_facts(self, values: Mapping[str, Any], about: str = "") -> None:
        """`about` is the digest of what they speak of, or the key of what is made by them: they move with it."""
        with self._change():
            rows = [(key, json.dumps(value), about.removeprefix(FOLDER)) for key, value in values.items()]
            self.db.executemany("insert or replace into facts (key, value, about) values (?, ?, ?)", rows)

    def facts_about(self, about: str) -> dict[str, Any]:
        rows = self.db.execute("select key, value from facts where about = ?", (about.removeprefix(FOLDER),))
        return {key: json.loads(value) for key, value in rows}

    def look_for(self, keys: Iterable[str], abouts: Iterable[str] = ()) -> None:
        """Records and facts that are asked for soon: whatever has to be asked far away is asked at once."""

    def adopt(self, records: Iterable[Record], facts: Mapping[str, Mapping[str, Any]]) -> None:
        """What another store knows. `facts` are by what they are about."""
        for record in records:
            if self.record(record.key) is None:
                self.put_record(record)
        for about, values in facts.items():
            self.put_facts(values, about)

    # --- names ------------------------------------------------------------------------------------------------

    def names(self) -> dict[str, Accepted]:
        rows = self.db.execute(
            "select name, kind, digest, key, at, withdrawn from names where spec = ? and env = ? order by name",
            (self.spec, self.env),
        )
        return {row[0]: _accepted(row) for row in rows}

    def accept(self, accepted: Iterable[Accepted], event: str = "accepted") -> None:
        """Move names, all together."""
        with self._change():
            for one in accepted:
                self.db.execute(
                    "insert or replace into names values (?, ?, ?, ?, ?, ?, ?, ?)",
                    (self.spec, self.env, one.name, one.kind, one.digest, one.key, one.at, json.dumps(one.withdrawn)),
                )
                self.db.execute(
                    "insert into history (spec, env, name, digest, key, at, event) values (?, ?, ?, ?, ?, ?, ?)",
                    (self.spec, self.env, one.name, one.digest, one.key, one.at, event),
                )

    def rekey(self, names: Iterable[str], key: str) -> None:
        """The names stay where they point; what they point at came out of another key just now."""
        with self._change():
            self.db.executemany(
                "update names set key = ? where spec = ? and env = ? and name = ?",
                [(key, self.spec, self.env, name) for name in names],
            )

    def retire(self, name: str) -> None:
        with self._change():
            self.db.execute("delete from names where spec = ? and env = ? and name = ?", (self.spec, self.env, name))

    def history(self, name: str) -> list[Past]:
        """Newest first."""
        rows = self.db.execute(
            "select digest, key, at, event from history where spec = ? and env = ? and name = ? order by id desc",
            (self.spec, self.env, name),
        )
        return [Past(*row) for row in rows]

    def everyones(self, *, own: bool = False) -> list[tuple[str, str, str]]:
        """(name, digest, key) of every name and of the last entries of its history: over all specs, or our own."""
        which, ours = (" where spec = ? and env = ?", (self.spec, self.env)) if own else ("", ())
        held = self.db.execute(f"select name, digest, key from names{which}", ours).fetchall()
        past = self.db.execute(
            "select name, digest, key from (select name, digest, key, row_number() over "
            f"(partition by spec, env, name order by id desc) as place from history{which}) where place <= {REMEMBERED}",
            ours,
        ).fetchall()
        return [*held, *past]

    # --- projects that other machines take out of the store -----------------------------------------------------

    def put_sent(self, digest: str) -> None:
        """The folder that runs of our spec and environment are made from, from now on."""
        with self._change():
            ours = (self.spec, self.env)
            self.db.execute("delete from sent where spec = ? and env = ? and digest = ?", (*ours, digest))
            self.db.execute("insert into sent (spec, env, digest) values (?, ?, ?)", (*ours, digest))
            self.db.execute(
                "delete from sent where spec = ? and env = ? and id not in "
                f"(select id from sent where spec = ? and env = ? order by id desc limit {SENT})", (*ours, *ours),
            )  # fmt: skip

    def sent(self) -> list[str]:
        """Of all specs and environments."""
        return [digest for (digest,) in self.db.execute("select digest from sent order by id")]

    # --- runs -------------------------------------------------------------------------------------------------

    def begin_run(self, process: str) -> int:
        with self._change():
            cursor = self.db.execute(
                "insert into runs (spec, env, process, started, status, summary) values (?, ?, ?, ?, 'running', '{}')",
                (self.spec, self.env, process, time.time()),
            )
        return int(cursor.lastrowid or 0)

    def end_run(self, run: int, status: str, summary: Mapping[str, Any]) -> None:
        with self._change():
            self.db.execute(
                "update runs set ended = ?, status = ?, summary = ? where id = ?",
                (time.time(), status, json.dumps(summary), run),
            )

    def runs(self, limit: int = 20) -> list[Run]:
        rows = self.db.execute(
            "select id, started, ended, status, summary, process from runs where spec = ? and env = ? order by id desc limit ?",
            (self.spec, self.env, limit),
        ).fetchall()
        return [
            Run(id_, began, ended, _status(status, process), json.loads(body))
            for id_, began, ended, status, body, process in rows
        ]

    # --- leases -----------------------------------------------------------------------------------------------

    def lease(self, key: str, process: str) -> int | None:
        """A token when the key is ours to make now, None while another living process makes it."""
        with self._change():
            row = self.db.execute("select process, token from leases where key = ?", (key,)).fetchone()
            if row and row[0] != process and alive(row[0]):
                return None
            token = row[1] + 1 if row else 1
            self.db.execute("insert or replace into leases values (?, ?, ?)", (key, process, token))
        return int(token)

    def release(self, key: str, token: int) -> None:
        with self._change():
            self.db.execute("delete from leases where key = ? and token = ?", (key, token))

    def is_leased(self, key: str) -> bool:
        """Whether somebody makes it now, we ourselves included."""
        row = self.db.execute("select process from leases where key = ?", (key,)).fetchone()
        return row is not None and alive(row[0])

    def leased(self) -> set[str]:
        rows = self.db.execute("select key, process from leases").fetchall()
        return {key for key, process in rows if alive(process)}

    # --- what was seen of files, and compiled from them ---------------------------------------------------------

    def seen(self, path: str) -> tuple[int, int, str, int] | None:
        """(size, mtime in ns, digest, lines) of a file as it was when it was last hashed."""
        row = self.db.execute("select size, mtime, digest, lines from seen where path = ?", (path,)).fetchone()
        return tuple(row) if row else None

    def put_seen(self, path: str, size: int, mtime: int, digest: str, lines: int) -> None:
        with self._change():
            self.db.execute("insert or replace into seen values (?, ?, ?, ?, ?)", (path, size, mtime, digest, lines))

    def compiled(self, key: str) -> bytes | None:
        row = self.db.execute("select body from compiled where key = ?", (key,)).fetchone()
        return row[0] if row else None

    def put_compiled(self, key: str, body: bytes) -> None:
        with self._change():
            self.db.execute("insert or replace into compiled values (?, ?)", (key, body))
            self._forget_all_but("compiled", COMPILED)

    def inspected(self, key: str) -> str | None:
        row = self.db.execute("select columns from inspected where key = ?", (key,)).fetchone()
        return row[0] if row else None

    def put_inspected(self, key: str, columns: str) -> None:
        with self._change():
            self.db.execute("insert or replace into inspected values (?, ?)", (key, columns))
            self._forget_all_but("inspected", INSPECTED)

    def _forget_all_but(self, table: str, count: int) -> None:
        latest = f"select rowid from {table} order by rowid desc limit 1 offset {count}"
        self.db.execute(f"delete from {table} where rowid <= ({latest})")

    # --- logs -------------------------------------------------------------------------------------------------

    def put_log(self, name: str, path: str) -> None:
        with self._change():
            self.db.execute(
                "insert or replace into logs values (?, ?, ?, ?, ?)", (self.spec, self.env, name, path, time.time())
            )

    def log(self, name: str) -> str | None:
        row = self.db.execute(
            "select path from logs where spec = ? and env = ? and name = ?", (self.spec, self.env, name)
        ).fetchone()
        return row[0] if row else None

    def young(self, seconds: float, *, dry: bool) -> Young:
        """On one machine a sweep waits for applies, and nothing is young."""
        return Young()

    def forget_records(self, keys: Iterable[str]) -> None:
        with self._change():
            self.db.executemany("delete from records where key = ?", [(key,) for key in keys])

    @contextmanager
    def _change(self) -> Iterator[None]:
        try:
            self.db.execute("begin immediate")
            try:
                yield
            except BaseException:
                self.db.execute("rollback")
                raise
            self.db.execute("commit")
        except sqlite3.Error as error:
            raise Trouble("write to the store", _plain(error), _help(error)) from None


def _open(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        db.execute("pragma synchronous = normal")
        if not _is_ready(db):
            _set_up(db, path)
    except (sqlite3.Error, OSError) as error:
        raise Trouble(f"open the store {path.parent}", _plain(error), _help(error)) from None
    return db


def _is_ready(db: sqlite3.Connection) -> bool:
    held = (db.execute("pragma journal_mode").fetchone()[0], db.execute("pragma user_version").fetchone()[0])
    return held == ("wal", VERSION)


def _set_up(db: sqlite3.Connection, path: Path) -> None:
    """By one process at a time: SQLite does not wait for another that changes the journal's mode, it fails."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_ready(db):
            return
        db.execute("pragma journal_mode = wal")
        if db.execute("pragma user_version").fetchone()[0] == 1:  # facts did not say what they are about
            db.execute("alter table facts add column about text not null default ''")
        db.executescript(SCHEMA)
        db.execute(f"pragma user_version = {VERSION}")


def _plain(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _help(error: Exception) -> str:
    if "full" in str(error):
        return "free some space (mlspec gc does), then apply again: what was finished stays"
    return ""


def _accepted(row: tuple[Any, ...]) -> Accepted:
    name, kind, digest, key, at, withdrawn = row
    return Accepted(name=name, kind=kind, digest=digest, key=key, at=at, withdrawn=tuple(json.loads(withdrawn)))


def _status(status: str, process: str) -> str:
    return "killed" if status == "running" and not alive(process) else status


# --- which process --------------------------------------------------------------------------------------------


def this_process() -> str:
    """A name for this process that no other has, before or after a restart of the machine."""
    return f"{os.uname().nodename}:{os.getpid()}:{_started(os.getpid())}"


def alive(process: str) -> bool:
    """Whether a process is there. One on another machine is taken to be."""
    host, pid, started = process.rsplit(":", 2)
    if host != os.uname().nodename:
        return True
    return _started(int(pid)) == started


def _started(pid: int) -> str:
    """When a process began, in the system's ticks; "" when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return _started_without_proc(pid)
    return stat.rsplit(")", 1)[1].split()[19]


def _started_without_proc(pid: int) -> str:
    if Path("/proc/self/stat").exists():
        return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        return "?"
    return "?"
