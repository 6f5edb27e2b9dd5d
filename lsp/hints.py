"""What a spec does not say and the compiler knows: columns that are not declared, and what an environment sets otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..compiler.types import Columns
from ..grammar import tree
from ..grammar.source import Span
from .analysis import Analysis

FEW = 4  # columns that a hint names
LONG = 72  # characters of a hint


class Hint(NamedTuple):
    """`text` is shown at `offset`; `more` when the reader points at it."""

    offset: int
    text: str
    more: str = ""


def hints(analysis: Analysis, start: int, end: int) -> list[Hint]:
    found = [*_columns(analysis), *_overrides(analysis)]
    return sorted(hint for hint in found if start <= hint.offset <= end)


# --- columns --------------------------------------------------------------------------------------------------------


def _columns(analysis: Analysis) -> Iterator[Hint]:
    """At the end of a header's line, what comes out of the block and is not declared in it."""
    for one in analysis.placed:
        block = one.statement
        if not isinstance(block, tree.Block) or block.kind != "data":
            continue
        declared = {line.name for line in block.lines if isinstance(line, tree.ColumnLine)}
        known = declared | _come_through(block, analysis)
        new = tuple(column for column in analysis.columns(block.names[0].text) if column.name not in known)
        if new:
            yield Hint(_line_end(analysis, block, one.start), _short(new, is_all=not known), _long(new))


def _come_through(block: tree.Block, analysis: Analysis) -> set[str]:
    """A split and a model hand on the columns that they get: the block before says those."""
    recipe = block.recipe
    if recipe is None or recipe.place is not None:
        return set()
    inputs = (str(item.reference) for item in block.inputs)
    return {column.name for name in inputs for column in analysis.columns(name)}


def _line_end(analysis: Analysis, block: tree.Block, start: int) -> int:
    end = analysis.text.find("\n", block.head.end + start)
    inline = analysis.text.find('"""', block.head.start + start, block.head.end + start)
    if inline >= 0:  # a query follows: the line that the header begins in
        end = analysis.text.find("\n", inline)
    end = len(analysis.text) if end < 0 else end
    return end - (analysis.text[end - 1 : end] == "\r")


def _short(columns: Columns, *, is_all: bool) -> str:
    named: list[str] = []
    for column in columns[:FEW]:
        named.append(f"{column.name}: {column.type}")
        if len(", ".join(named)) > LONG:
            named.pop()
            break
    rest = len(columns) - len(named)
    more = [f"{rest} more"] if rest and named else [f"{rest} columns"] if rest else []
    return ("" if is_all else "also ") + ", ".join([*named, *more])


def _long(columns: Columns) -> str:
    return "\n".join(f"{column.name}: {column.type}" for column in columns)


# --- environments ---------------------------------------------------------------------------------------------------


def _overrides(analysis: Analysis) -> Iterator[Hint]:
    """Behind a value, what an environment gives in its place."""
    places = dict(_places(analysis))
    for one in analysis.placed:
        if isinstance(one.statement, tree.Env):
            for line in one.statement.lines:
                if isinstance(line, tree.SetPath) and str(line.path) in places:
                    value = _written(analysis, line.value.span, one.start)
                    yield Hint(places[str(line.path)], f"{one.statement.name.text}: {value}")


def _written(analysis: Analysis, span: Span, start: int) -> str:
    return analysis.text[span.start + start : span.end + start]


def _places(analysis: Analysis) -> Iterator[tuple[str, int]]:
    """Where each value ends that an environment may set, by its path."""
    for one in analysis.placed:
        statement = one.statement
        if isinstance(statement, tree.Param):
            yield statement.name.text, statement.span.end + one.start
        elif isinstance(statement, tree.Block):
            for path, span in _of_block(statement).items():
                yield path, span.end + one.start


def _of_block(block: tree.Block) -> Mapping[str, Span]:
    name, found = block.names[0].text, dict[str, Span]()
    for line in block.lines:
        if isinstance(line, tree.Assign | tree.Among):
            found[f"{name}.{line.name}"] = line.span
        elif isinstance(line, tree.Needs | tree.Search):
            form = "needs" if isinstance(line, tree.Needs) else "search"
            found |= {f"{name}.{form}.{pair.name}": pair.span for pair in line.options}
    return found
