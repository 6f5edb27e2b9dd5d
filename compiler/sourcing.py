"""`data … from csv "…"`: what its source is known to hold, held against the columns that the block declares."""

from __future__ import annotations

import posixpath

from ..grammar import tree
from ..grammar.diagnostic import Fix
from ..grammar.kinds import RECIPES, SOURCES
from ..grammar.source import Span
from . import arguments, outside
from .declared import listed
from .load import Found, Unreadable, apart_by, is_remote
from .program import Node, Recipe
from .scope import Scope, did_you_mean
from .types import INT, TEXT, Column, Columns, by_name, optional, required


def node(block: tree.Block, base: Node, scope: Scope) -> Node | None:
    item = block.inputs[0]
    place = arguments.place(item.place, scope)
    if place is None or item.place is None:
        return None
    made = base.model_copy(update={"recipe": Recipe(word=base.recipe.word, place=place)})
    if not outside.is_sound(block, base, place, scope):
        return made.model_copy(update={"columns": dict.fromkeys(base.names)})
    found: Found = _locked(base, place, scope)
    if found is None:
        found = scope.files.columns(base.recipe.word, place, base.arguments, base.declared)
    if isinstance(found, Unreadable):
        help_ = _instead(base.recipe.word, place, found, scope)
        line = outside.line_of(block, found.argument)
        scope.tell("E701", line.value.span if line else item.place.span, {"why": found.why}, help=help_)
        return made.model_copy(update={"columns": dict.fromkeys(base.names)})
    if base.recipe.word == "folder":
        return made
    columns = base.declared or None  # where it is not looked into before it is read: what is used is declared
    if found is not None:
        columns = _renamed(block, base, found, scope)
        _as_pinned(item.place.span, base, columns, scope)
    outputs = {base.name: columns}
    if len(base.names) > 1:
        outputs[base.names[1]] = REJECTS
    return made.model_copy(update={"columns": outputs})


def _instead(word: str, place: str, found: Unreadable, scope: Scope) -> str:
    """The way out of a place that cannot be read: the nearest one, or the source that reads such files."""
    if not found.there:
        return found.help or did_you_mean(place, scope.files.names(), " ")
    ending = posixpath.splitext(place)[1].lower()
    other = next((source.word for source in SOURCES.values() if ending in source.endings), "")
    misread = other and found.argument == "" and ending not in SOURCES[word].endings
    return f'write from {other} "{place}"' if misread else found.help


def _locked(base: Node, place: str, scope: Scope) -> Columns | None:
    """By the lock, if that is to be taken as it is. What lies far away is not looked into with or without one."""
    pinned = scope.locked.get(base.name)
    return pinned.held(base.declared) if pinned and not is_remote(base.recipe.word, place) else None


REJECTS: Columns = (
    Column(name="file", type=TEXT),
    Column(name="line", type=INT),
    Column(name="column", type=optional(TEXT)),
    Column(name="value", type=optional(TEXT)),
    Column(name="reason", type=TEXT),
    Column(name="row", type=TEXT),
)


def _renamed(block: tree.Block, base: Node, found: Columns, scope: Scope) -> Columns:
    in_file = by_name(found)
    by_origin = {column.origin or column.name: column for column in base.declared}
    for line in block.lines:
        if isinstance(line, tree.ColumnLine):
            origin = line.origin.value if line.origin else line.name
            if origin not in in_file:
                span = line.origin.span if line.origin else line.name_span
                note = f"the file has {listed(found)}"
                apart = apart_by(list(in_file)) if base.recipe.word == "csv" else ""
                help_ = did_you_mean(origin, (name for name in in_file if name not in by_origin), " ")
                help_ = f"its values stand apart by another mark: {apart}" if apart else help_
                fix = None
                if line.name in {argument.name for argument in RECIPES[base.recipe.word].arguments}:
                    help_ = f"an argument gets its value by =: {line.name} = {scope.written(line.type.span)}"
                    fix = (
                        Fix(Span(span.path, line.name_span.end, line.type.span.start), " = ")
                        if line.type.values
                        else None
                    )
                scope.tell("E303", span, {"column": origin}, note=note, help=help_, fix=fix)
    return tuple(by_origin.get(column.name, column) for column in found)


def _as_pinned(span: Span, base: Node, columns: Columns, scope: Scope) -> None:
    """An undeclared column has the type that its values have; once it was accepted, another one is an error."""
    pinned = scope.pinned.get(base.name)
    for column in columns if pinned else ():
        before = pinned.type_of(column.name) if pinned else ""
        now = str(required(column.type))
        if before and before != now and not column.declared:
            name = column.name if column.name.isidentifier() else f'"{column.name}"'
            declare = f"{name}: {before}{'?' * column.type.optional}" if column.empty else f"{name}: {now}"
            facts = {"column": column.name, "before": before, "now": "without any value" if column.empty else now}
            help_ = f"declare what it is to be: {declare}"
            if now == "text" and not column.empty:
                help_ += f"; or as {name}: {before}, and the rows that do not hold one are named"
            scope.tell("E308", span, facts, help=help_)
