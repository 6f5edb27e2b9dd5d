"""A place in a spec -> where what stands there is declared, and everywhere it is spoken of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from ..compiler.program import Node
from ..grammar import tree
from ..grammar.kinds import SOURCES
from . import code, queries
from .analysis import Analysis
from .modules import Module, Read, beside, led_to
from .occurrences import Occurrence


class Spot(NamedTuple):
    """A place in a file: offsets in a spec's text, or a line counted from 1 and a column."""

    path: str
    start: int
    end: int
    by_line: bool = False


class Symbol(NamedTuple):
    """What several places mean: a name that the spec at `path` declares, or a column or metric `of` an artifact."""

    form: Literal["name", "column", "metric"]
    path: str
    name: str
    of: str = ""


def symbol(module: Module, analysis: Analysis, read: Read, one: Occurrence) -> Symbol | None:
    match one.form:
        case "name":
            return Symbol("name", module.path, one.text) if module.declares(one.text) else None
        case "member":
            used = led_to(module, one.of, read)
            if used is not None:
                return Symbol("name", used.path, one.text) if used.declares(one.text) else None
            return _asked(analysis, one)
        case "column":
            if one.of in analysis.nodes and one.text not in _names(analysis, one.of):
                return None
            return Symbol("column", module.path, one.text, origin(analysis, one.of, one.text))
        case "metric":
            block = analysis.block_at(one.span.start)
            return Symbol("metric", module.path, one.text, block[0].names[0].text) if block else None
        case _:
            return None


def _asked(analysis: Analysis, one: Occurrence) -> Symbol | None:
    """`train.x`, `churn.roc_auc`."""
    node = analysis.nodes.get(one.of)
    if node is None:
        return None
    if node.kind == "data":
        known = one.text in _names(analysis, one.of)
        return Symbol("column", analysis.path, one.text, origin(analysis, one.of, one.text)) if known else None
    return Symbol("metric", analysis.path, one.text, node.name)


def _names(analysis: Analysis, data: str) -> set[str]:
    return {column.name for column in analysis.columns(data)}


def origin(analysis: Analysis, data: str, column: str) -> str:
    """The first artifact upstream that has a column of this name."""
    seen = {data}
    while True:
        node = analysis.nodes.get(data)
        if node is None:
            return data
        before = next((item.name for item in node.inputs if item.kind == "data" and item.name not in seen
                       and column in _names(analysis, item.name)), None)  # fmt: skip
        if before is None:
            return node.name
        seen.add(before)
        data = before


# --- definition -------------------------------------------------------------------------------------------------


def definition(module: Module, analysis: Analysis, read: Read, offset: int) -> list[Spot]:
    one = queries.occurrence(module, analysis, offset)
    if one is None:
        return []
    match one.form:
        case "place":
            return _place(analysis, one)
        case "argument":
            return _argument(analysis, one)
        case _:
            meant = symbol(module, analysis, read, one)
            return _declared(meant, module, analysis, read) if meant else []


def _declared(meant: Symbol, module: Module, analysis: Analysis, read: Read) -> list[Spot]:
    if meant.form == "name":
        found = read(meant.path)
        place = found.declares(meant.name) if found else None
        return [Spot(place[1].path, place[1].start, place[1].end)] if place else []
    if meant.form == "metric":
        return _metric(meant, module, analysis)
    written = [o for o in module.occurrences() if o.form == "column" and o.declares and o.text == meant.name]
    own = [o for o in written if origin(analysis, o.of, o.text) == meant.of]
    return _spots(own) or _in_query(meant, module, analysis) or _block(meant.of, module, read)


def _metric(meant: Symbol, module: Module, analysis: Analysis) -> list[Spot]:
    found = [o for o in module.occurrences() if o.form == "metric" and o.declares and o.text == meant.name]
    blocks = [(o, analysis.block_at(o.span.start)) for o in found]
    return _spots(o for o, block in blocks if block and block[0].names[0].text == meant.of)


def _block(name: str, module: Module, read: Read) -> list[Spot]:
    *aliases, last = name.split(".")
    home = led_to(module, ".".join(aliases), read) if aliases else module
    found = home.declares(last) if home else None
    return [Spot(found[1].path, found[1].start, found[1].end)] if found else []


def _in_query(meant: Symbol, module: Module, analysis: Analysis) -> list[Spot]:
    """Where a query makes the column."""
    node = analysis.nodes.get(meant.of)
    if node is None or node.recipe.word != "sql":
        return []
    found = re.search(rf'\bas\s+"?(\b{re.escape(meant.name)}\b)', node.recipe.text, re.I) or re.search(
        rf"(\b{re.escape(meant.name)}\b)", node.recipe.text
    )
    if found is None:
        return []
    if node.recipe.place:
        line = node.recipe.text.count("\n", 0, found.start(1)) + 1
        column = found.start(1) - (node.recipe.text.rfind("\n", 0, found.start(1)) + 1)
        return [Spot(str(analysis.files.root / node.recipe.place), line, column, by_line=True)]
    inner = query_of(node, module)
    return [Spot(module.path, inner + found.start(1), inner + found.end(1))] if inner is not None else []


def query_of(node: Node, module: Module) -> int | None:
    """Where the text of an inline query begins in the spec."""
    for one in module.placed:
        block = one.statement
        if isinstance(block, tree.Block) and block.names[0].text == node.name and block.recipe is not None:
            place = block.recipe.place
            plain = isinstance(place, tree.Text) and len(place.value) == place.inner.end - place.inner.start
            return one.start + place.inner.start if isinstance(place, tree.Text) and plain else None
    return None


def _place(analysis: Analysis, one: Occurrence) -> list[Spot]:
    if one.of == "python":
        place = code.place_of(one.text, analysis.files)
        return [Spot(place.path, place.line, place.column, by_line=True)] if place else []
    is_file = one.of in SOURCES or one.of in ("use", "notebook") or one.text.lower().endswith(".sql")
    path = beside(analysis.path, one.text)
    return [Spot(path, 1, 0, by_line=True)] if is_file and Path(path).is_file() else []


def _argument(analysis: Analysis, one: Occurrence) -> list[Spot]:
    block = analysis.block_at(one.span.start)
    recipe = block[0].recipe if block else None
    if recipe is None or recipe.reference.name != "python" or not isinstance(recipe.place, tree.Text) or one.of:
        return []
    place = code.place_of_parameter(recipe.place.value, one.text, analysis.files)
    return [Spot(place.path, place.line, place.column, by_line=True)] if place else []


# --- references -------------------------------------------------------------------------------------------------


def references(module: Module, analysis: Analysis, read: Read, modules: Iterable[Module], offset: int) -> list[Spot]:
    one = queries.occurrence(module, analysis, offset)
    meant = symbol(module, analysis, read, one) if one else None
    if meant is None:
        return []
    if meant.form == "name":
        return _spots(o for other in modules for o in naming(meant, other, read))
    return _spots(o for o in module.occurrences() if o.form in ("column", "metric", "member") and o.text == meant.name
                  and symbol(module, analysis, read, o) == meant)  # fmt: skip


def naming(meant: Symbol, module: Module, read: Read) -> Iterator[Occurrence]:
    """Where a spec names what another, or itself, declares."""
    for one in module.occurrences():
        if one.text != meant.name:
            continue
        if one.form == "name" and module.path == meant.path:
            yield one
        elif one.form == "member":
            used = led_to(module, one.of, read)
            if used is not None and used.path == meant.path:
                yield one


def _spots(found: Iterable[Occurrence]) -> list[Spot]:
    return [Spot(one.span.path, one.span.start, one.span.end) for one in found]
