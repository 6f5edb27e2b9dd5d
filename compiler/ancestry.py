"""A program -> where the rows and the values of its tables come from, through queries, splits and batch predictions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from . import lineage
from .program import Node, Program
from .types import by_name


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


def with_rows_of(program: Program, name: str) -> list[str]:
    """The artifact and all above it that hold its rows, nearest first."""
    found, node_of = [name], program.node_of()
    while (above := _rows_from(node_of.get(found[-1]))) and above not in found:
        found.append(above)
    return found


def _rows_from(node: Node | None) -> str:
    if node is None or node.kind != "data":
        return ""
    data = [item for item in node.inputs if item.kind == "data"]
    match node.recipe.word:
        case "split" | "predict":
            return data[0].name if data else ""
        case "sql":
            rows = lineage.of(node.recipe.text, _inputs(node, None)).rows
            return next((item.name for item in data if item.alias.lower() == rows), "")
    return ""


def share_rows(program: Program, one: str, other: str) -> bool:
    """Whether one of two tables certainly holds rows of the other."""
    return other in with_rows_of(program, one) or one in with_rows_of(program, other)


def trained_on(node: Node) -> str:
    """The data that a model was fitted on, "" where there is none."""
    return next((item.name for item in node.inputs if item.kind == "data" and not item.last), "")


def decides(program: Program, split: Node) -> bool:
    """Whether a model is fitted on one part of a split and measured on another."""
    for node in program.nodes:
        if node.kind == "model" and any(name in split.names for name in with_rows_of(program, trained_on(node))):
            measured = [row for measure in node.measures for row in with_rows_of(program, measure.on)]
            if any(name in split.names for name in measured):
                return True
    return False


def _inputs(node: Node, program: Program | None) -> lineage.Inputs:
    found = []
    for item in node.inputs:
        made = program.node_of().get(item.name) if program is not None else None
        columns = made.columns.get(item.name) if made is not None else None
        found.append((item.alias, tuple(column.name for column in columns) if columns is not None else None))
    return tuple(found)


def made_of(program: Program, value: Value) -> Made:
    """One step up."""
    node = program.node_of().get(value.of)
    if node is None or node.kind != "data":
        return ROOT
    if node.recipe.word in ("split", "predict"):
        return _passed_on(program, node, value)
    return _selected(program, node, value) if node.recipe.word == "sql" else ROOT


def _passed_on(program: Program, node: Node, value: Value) -> Made:
    above = _rows_from(node)
    made = program.node_of().get(above)
    columns = made.columns.get(above) if made is not None else None
    if node.recipe.word == "predict" and (columns is None or value.column not in by_name(columns)):
        return ROOT
    return Made((value._replace(of=above),), same=True, known=True) if above else ROOT


def _selected(program: Program, node: Node, value: Value) -> Made:
    found = lineage.of(node.recipe.text, _inputs(node, program))
    origin = found.columns.get(value.column.lower())
    if origin is None:
        return ROOT
    names = {item.alias.lower(): item.name for item in node.inputs}
    values = tuple(
        Value(names[table], _spelled(program, names[table], column), (*value.rows, *([alias] if found.many else [])))
        for table, alias, column in sorted(origin.columns)
        if table in names
    )
    return Made(values, origin.same and len(values) == 1, origin.known and len(values) == len(origin.columns))


def _spelled(program: Program, name: str, column: str) -> str:
    """SQL takes capitals for small letters."""
    node = program.node_of().get(name)
    columns = (node.columns.get(name) if node is not None else None) or ()
    return next((one.name for one in columns if one.name.lower() == column), column)


def unchanged(program: Program, value: Value) -> list[Value]:
    """The value and, above it, the same value under whatever name."""
    found = [value]
    while (made := made_of(program, found[-1])).same and made.of[0] not in found:
        found.append(made.of[0])
    return found


def above(program: Program, value: Value) -> Iterator[Value]:
    """All values of the same row that a value is made of, itself first."""
    seen, stack = {value}, [value]
    while stack:
        yield (now := stack.pop())
        more = [one for one in made_of(program, now).of if one not in seen]
        seen.update(more)
        stack += more
