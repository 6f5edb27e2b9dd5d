"""A spec -> its outline, and what of it folds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ..compiler.lines import word
from ..grammar import tree
from ..grammar.table import table
from ..grammar.tokens import Token, lex
from .modules import Module, names_of


@dataclass(frozen=True, slots=True)
class Entry:
    """`kind` is the word of the language: data, model, service, param, secret, env, use, column, expect, measure …
    `start:end` is all of it, `name_start:name_end` its name."""

    name: str
    kind: str
    detail: str
    start: int
    end: int
    name_start: int
    name_end: int
    inside: tuple[Entry, ...] = ()


def outline(module: Module) -> list[Entry]:
    return [entry for one in module.placed for entry in _entries(one.statement, one.start)]


def _entries(statement: tree.Statement, at: int) -> Iterator[Entry]:
    kind = statement.kind if isinstance(statement, tree.Block) else type(statement).__name__.lower()
    names = names_of(statement)
    for index, name in enumerate(names):
        span = statement.span
        start = span.start if index == 0 else name.span.start
        end = span.end if index == 0 else name.span.end
        inside = tuple(_inside(statement, at)) if index == 0 else ()
        yield Entry(
            name.text, kind, _detail(statement), start + at, end + at, name.span.start + at, name.span.end + at, inside
        )


def _detail(statement: tree.Statement) -> str:
    match statement:
        case tree.Block(recipe=recipe, inputs=inputs):
            by = f" by {recipe.reference}" if recipe else ""
            return "from " + ", ".join(str(item.reference) for item in inputs) + by if inputs else by.strip()
        case tree.Env():
            return f"on {statement.runtime.text}"
        case tree.Use():
            return statement.place.value
        case _:
            return ""


def _inside(statement: tree.Statement, at: int) -> Iterator[Entry]:
    for line in getattr(statement, "lines", ()):
        form, span = word(line), line.span
        named = line.name_span if isinstance(line, tree.ColumnLine | tree.Assign | tree.Among) else span
        if form in ("column", "argument", "among"):
            yield Entry(line.name, form, "", span.start + at, span.end + at, named.start + at, named.end + at)
        elif isinstance(line, tree.Measure):
            names = ", ".join(metric.alias or metric.name for metric in line.metrics)
            yield Entry(
                f"measure {names}",
                form,
                f"on {line.on}",
                span.start + at,
                span.end + at,
                span.start + at,
                span.end + at,
            )


# --- folding ------------------------------------------------------------------------------------------------------


class Fold(NamedTuple):
    """From the line that `start` stands in to that of `end`."""

    start: int
    end: int
    kind: Literal["region", "comment"]


def folds(text: str) -> list[Fold]:
    """Bodies, queries and runs of comments; by tokens, so that a broken text folds too."""
    found: list[Fold] = []
    opened: list[Token] = []
    for token in lex(text, table().words):
        if token.kind == "_LBRACE":
            opened.append(token)
        elif token.kind == "_RBRACE" and opened:
            found.append(Fold(opened.pop().start, token.start, "region"))
        elif token.kind == "TEXT":
            found.append(Fold(token.start, token.end, "region"))
    found += [Fold(run.start(), run.end(), "comment") for run in COMMENTS.finditer(text)]
    return [fold for fold in found if text.find("\n", fold.start, fold.end) >= 0]


COMMENTS = re.compile(r"^[ \t]*#[^\n]*(?:\n[ \t]*#[^\n]*)+", re.M)
