"""A program -> where the rows and the values of its tables come from, through queries, splits and batch predictions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from . import lineage
from .program import Node, Program
from .types import Columns, by_name


class Value(NamedTuple):
    """A column of an artifact. `rows` tells rows apart where a query on the way reads a table in several places."""

    of: str
    column: str
    rows: tuple[str, ...] = ()


class Made(NamedTuple):
    """What a value is made of within its row. `same`: it is one of them, unchanged. `known`: there is nothing else."""

    of: tuple[Value, ...]
    same: bool
    known: bool


ROOT = Made((), same=False, known=False)
FAR = 1000  # steps up; nobody follows more


def trained_on(node: Node) -> str:
    """The data that a model was fitted on, "" where there is none."""
    return next((item.name for item in node.inputs if item.kind == "data" and not item.last), "")


class Ancestry:
    """What each question about one program has in common, found out once."""

    def __init__(self, program: Program) -> None:
        self.node_of = program.node_of()
        self._above: dict[str, str] = {}
        self.models = [node for node in program.nodes if node.kind == "model" and trained_on(node)]

    # --- rows -------------------------------------------------------------------------------------------------

    def with_rows_of(self, name: str) -> list[str]:
        """The artifact and all above it that hold its rows, nearest first."""
        found = [name]
        while (above := self._rows_from(found[-1])) and len(found) < FAR:
            found.append(above)
        return found

    def share_rows(self, one: str, other: str) -> bool:
        """Whether one of two tables certainly holds rows of the other."""
        return other in self.with_rows_of(one) or one in self.with_rows_of(other)

    def learners(self, split: Node) -> list[Node]:
        """The models that are fitted on rows of one of its parts."""
        return self._learners.get(split.name, [])

    @cached_property
    def _learners(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in self.models:
            for split in self._splits_of(trained_on(node)):
                found.setdefault(split, []).append(node)
        return found

    def decides(self, split: Node) -> bool:
        """Whether a model is fitted on one part of a split and measured on another."""
        measured = (measure.on for node in self.learners(split) for measure in node.measures)
        return any(name in split.names for on in dict.fromkeys(measured) for name in self.with_rows_of(on))

    def before(self, *nodes: Node) -> list[Node]:
        """The nodes, and all that they are made from and judged by."""
        found: dict[str, Node] = {}
        stack = list(nodes)
        while stack and len(found) < FAR:
            now = stack.pop()
            found[now.name] = now
            names = (*(item.name for item in now.inputs), *now.reads)
            stack += [one for name in names if (one := self.node_of.get(name)) is not None and one.name not in found]
        return list(found.values())

    def around(self, node: Node) -> list[Node]:
        """All nodes that what is said of a node may depend on."""
        return self.before(node, *(self.learners(node) if node.recipe.word == "split" else ()))

    def _splits_of(self, name: str) -> list[str]:
        nodes = (self.node_of.get(one) for one in self.with_rows_of(name))
        return [node.name for node in nodes if node is not None and node.recipe.word == "split"]

    def _rows_from(self, name: str) -> str:
        if name not in self._above:
            node = self.node_of.get(name)
            self._above[name] = self._passed(node) if node is not None and node.kind == "data" else ""
        return self._above[name]

    def _passed(self, node: Node) -> str:
        data = [item for item in node.inputs if item.kind == "data"]
        if node.recipe.word in ("split", "predict"):
            return data[0].name if data else ""
        if node.recipe.word != "sql":
            return ""
        rows = lineage.of(node.recipe.text, self._inputs(node)).rows
        return next((item.name for item in data if item.alias.lower() == rows), "")

    # --- values -----------------------------------------------------------------------------------------------

    def unchanged(self, value: Value) -> list[Value]:
        """The value and, above it, the same value under whatever name."""
        found = [value]
        while (made := self.made_of(found[-1])).same and len(found) < FAR:
            found.append(made.of[0])
        return found

    def above(self, value: Value) -> Iterator[Value]:
        """All values of the same row that a value is made of, itself first."""
        seen, stack = {value}, [value]
        while stack and len(seen) < FAR:
            yield (now := stack.pop())
            more = [one for one in self.made_of(now).of if one not in seen]
            seen.update(more)
            stack += more

    def made_of(self, value: Value) -> Made:
        """One step up."""
        node = self.node_of.get(value.of)
        if node is None or node.kind != "data":
            return ROOT
        if node.recipe.word in ("split", "predict"):
            return self._passed_on(node, value)
        return self._selected(node, value) if node.recipe.word == "sql" else ROOT

    def _passed_on(self, node: Node, value: Value) -> Made:
        above = self._rows_from(node.name)
        if node.recipe.word == "predict" and value.column not in by_name(self.columns(above) or ()):
            return ROOT
        return Made((value._replace(of=above),), same=True, known=True) if above else ROOT

    def _selected(self, node: Node, value: Value) -> Made:
        found = lineage.of(node.recipe.text, self._inputs(node))
        origin = found.columns.get(value.column.lower())
        if origin is None:
            return ROOT
        names = {item.alias.lower(): item.name for item in node.inputs}
        values = tuple(
            Value(names[table], self._spelled(names[table], column), (*value.rows, *([alias] if found.many else [])))
            for table, alias, column in sorted(origin.columns)
            if table in names
        )
        whole = len(values) == len(origin.columns)
        return Made(values, origin.same and len(values) == 1, origin.known and whole)

    def columns(self, name: str) -> Columns | None:
        node = self.node_of.get(name)
        return node.columns.get(name) if node is not None else None

    def _inputs(self, node: Node) -> lineage.Inputs:
        found = []
        for item in node.inputs:
            columns = self.columns(item.name)
            found.append((item.alias, tuple(column.name for column in columns) if columns is not None else None))
        return tuple(found)

    def _spelled(self, name: str, column: str) -> str:
        """SQL takes capitals for small letters."""
        return next((one.name for one in self.columns(name) or () if one.name.lower() == column), column)
