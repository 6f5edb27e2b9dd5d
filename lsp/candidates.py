"""What may be written at a place, by its kind: names, columns, metrics, functions, arguments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from ..compiler.types import Columns
from ..grammar import tree
from ..grammar.kinds import DATA_FUNCTIONS, METRICS, RECIPES, SERVICE_FACTS, Argument
from . import code, words
from .analysis import Analysis
from .cursor import Cursor, Fed

Sort = Literal[
    "kind", "keyword", "artifact", "param", "column", "metric", "function", "recipe", "argument", "type", "unit", "file",
    "folder", "value", "module", "snippet", "table",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """`insert` is put in the place of the word at hand, `snippet` where the editor knows those; `rank` sorts. `wide`:
    the character before the word, a quote, is replaced too."""

    label: str
    sort: Sort
    detail: str = ""
    doc: str = ""
    insert: str = ""
    snippet: str = ""
    rank: int = 5
    wide: bool = False


# --- names ----------------------------------------------------------------------------------------------------------


def artifacts(analysis: Analysis, kinds: Iterable[str], but: Iterable[str] = ()) -> Iterator[Item]:
    kinds, but = tuple(kinds), frozenset(but)
    told = set()
    for name, kind, doc in _declared(analysis):
        told.add(name)
        if kind in kinds and name not in but:
            yield Item(name, "artifact", kind, doc, rank=2)
    prefixes = tuple(f"{alias}." for alias in _aliases(analysis))
    for name, node in analysis.nodes.items():
        if prefixes and name.startswith(prefixes) and node.kind in kinds:
            yield Item(name, "artifact", node.kind, node.doc, rank=3)


def _declared(analysis: Analysis) -> Iterator[tuple[str, str, str]]:
    for one in analysis.placed:
        if isinstance(one.statement, tree.Block):
            for name in one.statement.names:
                yield name.text, one.statement.kind, one.statement.doc


def _aliases(analysis: Analysis) -> list[str]:
    return [one.statement.alias.text for one in analysis.placed if isinstance(one.statement, tree.Use)]


def params(analysis: Analysis) -> Iterator[Item]:
    values = analysis.compiled.program.params
    for one in analysis.placed:
        if isinstance(one.statement, tree.Param):
            name = one.statement.name.text
            value = values.get(name)
            yield Item(name, "param", words.value(value) if value is not None else "param", one.statement.doc, rank=3)


def secrets(analysis: Analysis) -> Iterator[Item]:
    for one in analysis.placed:
        if isinstance(one.statement, tree.Secret):
            yield from (Item(name.text, "param", "secret", rank=3) for name in one.statement.names)


# --- columns and metrics ----------------------------------------------------------------------------------------------


def columns(known: Columns, of: str, but: Iterable[str] = (), *, quoted: bool = False) -> Iterator[Item]:
    """After a dot. One that is no plain word is written in quotes; `quoted`: the first quote stands there already."""
    but = frozenset(but)
    for index, column in enumerate(known):
        if column.name in but:
            continue
        plain = column.name.isidentifier()
        insert = column.name if plain else f'"{column.name}"'
        yield Item(column.name, "column", str(column.type), f"a column of {of}", insert, rank=_rank(index), wide=quoted)


def _rank(index: int) -> int:
    """Columns stand in their own order."""
    return 100 + index


def data_facts() -> Iterator[Item]:
    yield Item("rows", "metric", "number", DATA_FUNCTIONS["rows"].doc, rank=1)


def service_facts() -> Iterator[Item]:
    return (Item(name, "metric", dimension, doc) for name, (dimension, doc) in SERVICE_FACTS.items())


def measured(analysis: Analysis, name: str) -> Iterator[Item]:
    """The metrics that a model's lines measure, as they last could be read."""
    node = analysis.nodes.get(name)
    for measure in node.measures if node else ():
        metric = METRICS.get(measure.metric)
        if metric is None or not metric.table:
            yield Item(measure.name, "metric", f"on {measure.on}", metric.doc if metric else "", rank=2)


def metrics(analysis: Analysis, name: str, given: Iterable[str] = ()) -> Iterator[Item]:
    node, given = analysis.nodes.get(name), frozenset(given)
    task = node.predict.task if node and node.predict else ""
    for metric in METRICS.values():
        if metric.name not in given and task in ("", "none", metric.task):
            yield Item(metric.name, "metric", metric.task, metric.doc)


def functions() -> Iterator[Item]:
    for function in DATA_FUNCTIONS.values():
        if function.name != "rows":
            rest = ", ${2:0.9}" if function.name == "quantile" else ""
            yield Item(
                function.name,
                "function",
                function.gives,
                function.doc,
                f"{function.name}(.",
                f"{function.name}(.${{1}}{rest})",
            )


def attributes(analysis: Analysis, name: str) -> list[Item]:
    """After `name.`: of a used spec its names, of data its columns and rows, of others their metrics."""
    inside = {one.removeprefix(f"{name}.") for one in analysis.nodes if one.startswith(f"{name}.")}
    if inside and name in _aliases(analysis):
        return [
            Item(one, "artifact", analysis.nodes[f"{name}.{one}"].kind, analysis.nodes[f"{name}.{one}"].doc)
            for one in sorted(inside)
        ]
    node = analysis.nodes.get(name)
    if node is None:
        return []
    if node.kind == "data":
        return [*data_facts(), *columns(analysis.columns(name), name)]
    return [*measured(analysis, name)] if node.kind == "model" else [*service_facts()]


# --- arguments ------------------------------------------------------------------------------------------------------


def arguments(at: Cursor, analysis: Analysis) -> Iterator[Item]:
    """Of the recipe at hand, less those that are given."""
    for name, detail, doc in _takes(at, analysis):
        if name not in at.given:
            yield Item(name, "argument", detail, doc, f"{name} = ", rank=4)


def _takes(at: Cursor, analysis: Analysis) -> Iterator[tuple[str, str, str]]:
    header = at.header
    word = source_word(at) or header.recipe
    if word == "split":
        yield from ((name, "share", "How much of the rows goes there.") for name in header.names)
    if word in RECIPES:
        yield from ((one.name, _detail(one), one.doc) for one in RECIPES[word].arguments)
    if header.place is not None and word in ("python", "notebook"):
        read = code.parameters if word == "python" else code.of_notebook
        fed = {one.alias or one.name for one in header.inputs}
        for one in read(header.place, analysis.files):
            if one.name not in fed:
                default = f" = {one.default}" if one.default else ""
                yield one.name, f"{one.annotation}{default}".strip(), one.doc


def _detail(argument: Argument) -> str:
    default = f" = {words.value(argument.default)}" if argument.default not in (None, "") else ""
    return f"{argument.takes}{default}"


def argument(at: Cursor, name: str, options: Iterable[Argument] = ()) -> Argument | None:
    recipe = RECIPES.get(source_word(at) or at.header.recipe)
    known = (*options, *(recipe.arguments if recipe else ()))
    return next((one for one in known if one.name == name), None)


def source_word(at: Cursor) -> str:
    """The word of the source that the block comes from, "" where it comes from artifacts."""
    first = at.header.inputs[0] if at.header.inputs else Fed("")
    return first.name if first.name in RECIPES and RECIPES[first.name].source else ""


def fed_data(at: Cursor, analysis: Analysis) -> str:
    """The first data that goes in."""
    return next(
        (
            one.name
            for one in at.header.inputs
            if one.name in analysis.nodes and analysis.nodes[one.name].kind == "data"
        ),
        "",
    )
