"""The `each` line of a block -> the parts that it is made in; or why it cannot be made part by part."""

from __future__ import annotations

from ..grammar import tree
from ..grammar.diagnostic import Fix, listing
from ..grammar.kinds import SOURCES
from .meant import dotted
from .program import Each, Input, Node
from .scope import Scope, column_missing, did_you_mean
from .types import Columns, by_name

READ_BY_FILE = ("csv", "parquet", "jsonl", "excel")
MAGIC = "*?["  # what makes a place a pattern
NO_PARTS = ("float", "list")
AT_ONCE = {
    "split": ("a split deals all rows at once", "split what was made part by part"),
    "seen": ("what a service saw is read at once", "make another data of it, each .column"),
}


def with_each(block: tree.Block, node: Node, scope: Scope) -> Node:
    lines = [line for line in block.lines if isinstance(line, tree.Each)]
    for line in lines[1:]:
        scope.tell("E207", line.span, {"name": "each"}, help="take one of the two away")
    if not lines or node.kind != "data":  # of another kind it is told that the line does not belong there
        return node
    return node.model_copy(update={"each": _read(lines[0], node, scope)})


def _read(line: tree.Each, node: Node, scope: Scope) -> Each | None:
    """None when a mistake has been told."""
    if isinstance(line.by, tree.Reference) and str(line.by) != "file":
        _no_parts(line, line.by, node, scope)
    elif node.recipe.word in AT_ONCE:
        _cannot(line, node, *AT_ONCE[node.recipe.word], scope)
    elif node.recipe.word in SOURCES:
        return _of_source(line, node, scope)
    elif not _tables(node):
        _cannot(line, node, "it is made from no data", "take the line away", scope)
    elif isinstance(line.by, tree.Column):
        return _by_column(line.by, node, scope)
    else:
        return _by_file(line, node, scope)
    return None


def _no_parts(line: tree.Each, word: tree.Reference, node: Node, scope: Scope) -> None:
    known = [column.name for item in _tables(node) for column in scope.columns.get(item.name) or ()]
    is_column = word.name in known and not word.path
    instead = dotted(word.name) if is_column else "file" if node.recipe.word in SOURCES else ""
    help_ = f"write each {instead}" if instead else "write each .column, or each file"
    fix = Fix(word.span, instead) if instead else None
    scope.tell("E235", line.span, {"found": str(word)}, help=help_, fix=fix)


def _cannot(line: tree.Each, node: Node, why: str, help_: str, scope: Scope) -> None:
    scope.tell("E231", line.span, {"name": node.title, "why": why}, help=help_)


def _tables(node: Node) -> list[Input]:
    """The inputs that may have parts."""
    return [item for item in node.inputs if item.kind == "data" and not item.last]


# --- a source -------------------------------------------------------------------------------------------------


def _of_source(line: tree.Each, node: Node, scope: Scope) -> Each | None:
    word, place = node.recipe.word, node.recipe.place
    if isinstance(line.by, tree.Column):
        by = dotted(line.by.name)
        help_ = (
            f'go by it in a data of its own: data … from {node.name} by sql "select * from {node.name}" {{ each {by} }}'
        )
        scope.tell("E232", line.span, {"name": node.title, "column": line.by.name}, help=help_)
    elif word not in READ_BY_FILE:
        why = "a folder is kept as it is" if word == "folder" else f"{word} reads no files of rows"
        _cannot(line, node, why, "take the line away", scope)
    elif not any(mark in place for mark in MAGIC):
        ending = place.rpartition("/")[2].partition(".")[2] or word
        help_ = f'name many by a pattern, as in {word} "{place.rpartition("/")[0] or "data"}/*.{ending}"'
        _cannot(line, node, f"{place} is one file", help_, scope)
    else:
        return Each()
    return None


# --- a block made from others ---------------------------------------------------------------------------------


def _by_file(line: tree.Each, node: Node, scope: Scope) -> Each | None:
    inputs = _tables(node)
    for item in inputs:
        each = scope.nodes[item.name].each if item.name in scope.nodes else None
        if each is not None and not each.column:
            return Each(of=(item.alias,))
    if not scope.rests_on_mistakes(node):
        named = f"{listing([item.name for item in inputs])} {'is' if len(inputs) == 1 else 'are'}"
        help_ = f"write each file in {inputs[0].name} too, or go by a column: each .day"
        scope.tell("E233", line.span, {"inputs": named}, help=help_)
    return None


def _by_column(by: tree.Column, node: Node, scope: Scope) -> Each | None:
    """Of the inputs that are known to have the column; of the first whose columns are not known, if none is."""
    inputs = _tables(node)
    known = {item.alias: scope.columns_with(item.name, by.name) for item in inputs}
    having = [alias for alias, columns in known.items() if columns and by.name in by_name(columns)]
    unknown = [alias for alias, columns in known.items() if columns is None]
    if having:
        return _of_same_type(by, having, known, scope)
    if unknown:
        return Each(column=by.name, of=(unknown[0],))
    if len(inputs) == 1:
        column_missing(scope, by, known[inputs[0].alias] or (), inputs[0].name)
        return None
    columns = dict.fromkeys(column.name for found in known.values() for column in found or ())
    facts = {"column": by.name, "of": listing([item.name for item in inputs])}
    scope.tell("E302", by.span, facts, help=did_you_mean(by.name, columns, " ").strip())
    return None


def _of_same_type(by: tree.Column, having: list[str], known: dict[str, Columns | None], scope: Scope) -> Each | None:
    types = {alias: by_name(known[alias] or ())[by.name].type for alias in having}
    first = types[having[0]]
    if first.base in NO_PARTS:
        help_ = (
            "round it, or turn it into a text, where it is made" if first.base == "float" else "go by another column"
        )
        scope.tell("E234", by.span, {"column": by.name, "type": str(first)}, help=help_)
        return None
    for alias in having[1:]:
        if types[alias].base != first.base:
            facts = {"column": by.name, "declared": first.base, "found": types[alias].base}
            help_ = (
                f"{having[0]} has it as {first.base}, {alias} as {types[alias].base}: cast one of them where it is made"
            )
            scope.tell("E304", by.span, facts, help=help_)
            return None
    return Each(column=by.name, of=tuple(having))
