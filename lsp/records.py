"""What the store beside a spec knows of its names, read and never written: no store is made because a file is open."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..compiler.answers import Answers
from ..compiler.outlook import Known
from ..compiler.program import Node, Program
from ..compiler.state import Accepted, Record, State

FOLDER, FILE = ".mlspec", "state.db"


@dataclass(frozen=True, slots=True)
class Kept:
    """An artifact that a name points at. `at` is in seconds since the epoch."""

    digest: str
    at: float
    rows: int | None = None
    bytes: int = 0
    seconds: float = 0.0
    metrics: dict[str, float] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)


def kept(root: Path, program: Program, name: str) -> Kept | None:
    """What was accepted last under a name; None where nothing was, or there is no store."""
    node = program.node_of().get(name)
    option = program.environment.options.get("store")
    path = root / (str(option) if option else FOLDER) / FILE
    if node is None or not path.is_file():
        return None
    try:
        with _opened(path) as database:
            return _kept(database, program, node, name)
    except (sqlite3.Error, ValueError, KeyError):
        return None  # of another version, or just being made


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Unless somebody writes just now, not even the files are made that SQLite keeps beside while it reads."""
    how = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True, timeout=1)) as database:
        yield database


def _kept(database: sqlite3.Connection, program: Program, node: Node, name: str) -> Kept | None:
    names = _names(database, program)
    accepted = names.get(name)
    record = _record(database, accepted.key) if accepted else None
    if accepted is None:
        return None
    if record is None or name not in node.names or len(record.outputs) != len(node.names):
        return Kept(accepted.digest, accepted.at)
    made = record.outputs[node.names.index(name)]
    return Kept(
        accepted.digest, accepted.at, made.rows, made.bytes, record.seconds,
        _metrics(database, program, node, record, names), dict(made.about.get("arguments") or {}),
    )  # fmt: skip


def _names(database: sqlite3.Connection, program: Program) -> dict[str, Accepted]:
    rows = database.execute(
        "select name, kind, digest, key, at from names where spec = ? and env = ?",
        (program.spec, program.environment.name),
    )
    return {row[0]: Accepted(name=row[0], kind=row[1], digest=row[2], key=row[3], at=row[4]) for row in rows}


def _record(database: sqlite3.Connection, key: str) -> Record | None:
    row = database.execute("select body from records where key = ?", (key,)).fetchone()
    return Record.model_validate_json(row[0]) if row else None


def _metrics(
    database: sqlite3.Connection, program: Program, node: Node, record: Record, names: dict[str, Accepted]
) -> dict[str, float]:
    if node.kind != "model":
        return {}

    def fact(key: str, _: str) -> tuple[bool, Any]:
        row = database.execute("select value from facts where key = ?", (key,)).fetchone()
        return (True, json.loads(row[0])) if row else (False, None)

    state = State(lambda key: _record(database, key), lambda digest: True, fact, names, {}, {}, {})
    made = dict(zip(node.names, record.outputs, strict=True))
    outlooks = {one: Known(accepted.digest) for one, accepted in names.items()}
    try:
        measured = Answers(node, program, made, record, outlooks, state).measured()
    except KeyError:  # it is measured on what was never accepted
        measured = dict(record.metrics)
    return {metric: value for metric, value in measured.items() if isinstance(value, int | float)}
