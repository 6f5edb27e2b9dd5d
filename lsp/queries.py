"""A word in a block's inline query -> what it stands for in the spec."""

from __future__ import annotations

import re

from ..grammar import tree
from ..grammar.source import Span
from .analysis import Analysis
from .modules import Module
from .occurrences import Occurrence

# `from customers c`, `join orders as o`: the table and what it is called from there on.
TABLE = re.compile(
    r'(?:\b(?:from|join)|,)\s+("?[\w.]+"?)(?:\s+(?:as\s+)?(?!(?:from|on|using|where|join|left|right|full|cross|inner|group|order|limit)\b)(\w+))?',
    re.I,
)
WORD = re.compile(r"\w+")


def occurrence(module: Module, analysis: Analysis, offset: int) -> Occurrence | None:
    """What stands at an offset of a spec; within a query, what its word stands for."""
    one = module.at(offset)
    if one is None or one.form != "place" or one.of != "sql" or one.text.strip().lower().endswith(".sql"):
        return one
    found = analysis.block_at(offset)
    word = word_at(module.text, offset)
    if found is None or word is None:
        return None
    text, start = word
    return _meant(text, Span(module.path, start, start + len(text)), module, found[0], one.text, analysis)


def word_at(text: str, offset: int) -> tuple[str, int] | None:
    """The word at an offset and where it begins."""
    start = offset
    while start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    found = WORD.match(text, start)
    return (found[0], start) if found else None


def _meant(
    text: str, span: Span, module: Module, block: tree.Block, query: str, analysis: Analysis
) -> Occurrence | None:
    before = module.text[span.start - 1 : span.start]
    if before == "$":
        return Occurrence("name", text, span) if module.declares(text) else Occurrence("argument", text, span)
    names = {(item.alias or str(item.reference).rpartition(".")[2]): str(item.reference) for item in block.inputs}
    if before == ".":
        qualifier = word_at(module.text, span.start - 1)
        data = artifact(qualifier[0], query, names) if qualifier else ""
        return Occurrence("column", text, span, data) if data else None
    if text in names or artifact(text, query, names):
        return _name(artifact(text, query, names), span)
    for data in names.values():
        if any(column.name == text for column in analysis.columns(data)):
            return Occurrence("column", text, span, data)
    return None


def artifact(table: str, query: str, names: dict[str, str]) -> str:
    """The artifact behind a table's name or what the query calls it; "" for none."""
    for found in TABLE.finditer(query):
        if found[2] == table:
            table = found[1].strip('"')
            break
    return names.get(table, "")


def _name(name: str, span: Span) -> Occurrence:
    of, _, last = name.rpartition(".")
    return Occurrence("member", last, span, of) if of else Occurrence("name", name, span)
