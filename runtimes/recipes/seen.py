"""The log of a service -> a table: a row for each row that it was asked about, with what it answered.

Read is exactly as much of each file as the key speaks of, whatever the service has written since.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from ...compiler.requests import Refused, Schema
from ...compiler.serving import ANSWERED, ASKED, AT, PREDICTION, PROBABILITY, RELEASE
from ...compiler.types import Column, Columns, by_name
from .. import tables
from ..declared import conform
from ..order import Make, Outcome
from ..serving import seen
from ..store.objects import Objects
from ..trouble import Trouble

SHOWN = 12  # characters of a release's id

Row = dict[str, Any]


def make(order: Make, objects: Objects) -> Outcome:
    name, root = order.names[0], Path(order.root)
    reader = _Reader(order.columns.get(name) or _columns(order, root))
    for content in _contents(root, order.expected, ".jsonl"):
        for line in content.splitlines():
            reader.read(line)
    table = conform(reader.table(), order.declared, name) if order.declared else reader.table()
    return Outcome(outputs={name: tables.write(table, objects)}, notes=reader.notes())


def _columns(order: Make, root: Path) -> Columns:
    """Where a spec does not tell them, those of what the service answers now."""
    for content in _contents(root, order.expected, seen.COLUMNS):
        return seen.columns_in(content)
    help_ = f"name those that are read, as in {order.names[0]} {{ amount: float }}"
    raise Trouble(f"make {order.names[0]}", "its columns are not known before the service has answered", help_)


def _contents(root: Path, expected: Mapping[str, str], ending: str) -> Iterator[bytes]:
    """Of each file as much as was there, checked."""
    for path, held in sorted(expected.items()):
        if path.endswith(ending):
            content = seen.beginning(root / path, held)
            if content is None:
                raise Trouble(f"read {path}", "it no longer begins as it did, and a log only grows", "apply again")
            yield content


class _Reader:
    """Gathers the rows whose values fit the columns; the others were asked of releases with other columns."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns
        names = by_name(columns)
        # where a feature has a name of the log's own, the log's has a prefix
        own = (AT, RELEASE, ASKED, ANSWERED, PREDICTION, PROBABILITY)
        self.own = {name: f"seen_{name}" if f"seen_{name}" in names else name for name in own}
        self.whole = set(names) == {AT, RELEASE, ASKED, ANSWERED}  # of a function, whose requests may be any JSON
        self.texts = {name: side for name, side in ((ASKED, 0), (ANSWERED, 1)) if name in names}
        self.checked = tuple(column for column in columns if column.name not in (self.own[AT], self.own[RELEASE]))
        answered = (self.own[PREDICTION], self.own[PROBABILITY])
        self.asked = tuple(column.name for column in self.checked if column.name not in answered) or answered
        self.schema = Schema(tuple(Column(name=column.name, type=column.type) for column in self.checked))
        self.rows: list[Row] = []
        self.count = self.unfit = 0

    def read(self, line: bytes) -> None:
        try:
            said = json.loads(line)
            about = {self.own[AT]: datetime.fromisoformat(said["at"]), self.own[RELEASE]: said["release"][:SHOWN]}
        except (ValueError, KeyError, TypeError):
            return  # cut by a crash
        for row in self._rows(said["request"], said["response"]):
            self.count += 1
            if not any(name in row for name in self.asked):  # though all that it lacks may be missing
                self.unfit += 1
                continue
            try:
                (values,) = self.schema.accept({name: row[name] for name in self.schema.names if name in row})
            except Refused:
                self.unfit += 1
                continue
            self.rows.append(about | dict(zip((column.name for column in self.checked), values, strict=True)))

    def _rows(self, request: Any, response: Any) -> Iterator[Row]:
        texts: Row = {
            name: json.dumps((request, response)[side], ensure_ascii=False) for name, side in self.texts.items()
        }
        if self.whole or not isinstance(request, dict | list):
            yield texts
            return
        many = isinstance(request, list)
        for asked, answer in zip(request if many else [request], response if many else [response], strict=False):
            if isinstance(asked, dict) and isinstance(answer, dict):
                answered: Row = {self.own.get(str(name), str(name)): one for name, one in answer.items()}
                yield texts | asked | answered

    def table(self) -> pa.Table:
        schema = pa.schema([(column.name, tables.to_arrow(column.type)) for column in self.columns])
        return pa.Table.from_pylist(self.rows, schema=schema)

    def notes(self) -> tuple[str, ...]:
        if not self.unfit:
            return ()
        return (f"{self.unfit} of {self.count} rows were asked of releases with other columns, and are left out",)
