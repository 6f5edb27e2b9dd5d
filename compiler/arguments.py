"""The `name = value` lines and `needs` of a block, held against what its recipe takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..grammar import tree
from ..grammar.diagnostic import Fix, Label, listing, nearest
from ..grammar.foreign import OTHER_ARGUMENTS, OTHER_TYPES
from ..grammar.kinds import LINES, TYPES, Argument, Recipe
from ..grammar.source import Span
from . import meant, values
from .scope import Scope

Given = dict[str, tuple[object, tree.Assign]]


def read(block: tree.Block, recipe: Recipe, scope: Scope) -> Given:
    """Name -> value and its line, for every argument whose value is sound. Names are checked unless the recipe is open."""
    given: Given = {}
    takes = arguments_of(block, recipe)
    for line in block.lines:
        if not isinstance(line, tree.Assign):
            continue
        if line.name in given:
            scope.tell("E207", line.name_span, {"name": line.name}, help="take one of the two away")
            continue
        argument = takes.get(line.name)
        if argument is None and not recipe.open and not _is_a_type(line, block, scope):
            unknown(line.name, line.name_span, takes, recipe.word, scope)
            continue
        if _is_a_type(line, block, scope):
            continue
        told = len(scope.told)
        value = values.read(line.value, scope.params, scope.told, secrets=_may_be_secret(recipe, argument))
        if value is None:
            scope.told[told:] = [meant.unquoted(one, argument) for one in scope.told[told:]]
            continue
        if argument is not None and not values.fits(value, line.value, argument):
            _wrong(line, argument, scope)
            continue
        given[line.name] = (value, line)
    return given


def means_a_type(line: tree.Assign, block: tree.Block, scope: Scope) -> bool:
    """`id = int` for `id: int`."""
    word = str(line.value) if isinstance(line.value, tree.Reference) else ""
    return block.kind == "data" and word not in scope.params and (word in TYPES or word.lower() in OTHER_TYPES)


def _is_a_type(line: tree.Assign, block: tree.Block, scope: Scope) -> bool:
    """Whether it means a type, which is told."""
    if not means_a_type(line, block, scope):
        return False
    word = str(line.value)
    type_ = word if word in TYPES else OTHER_TYPES[word.lower()]
    fix = Fix(Span(line.span.path, line.name_span.end, line.value.span.end), f": {type_}")
    scope.tell("E106", line.value.span, {"name": word}, help=f"a column is written {line.name}: {type_}", fix=fix)
    return True


def moments(given: Given) -> tuple[str, ...]:
    """The arguments that are dates or timestamps."""
    return tuple(name for name, (value, _) in given.items() if values.is_moment(value))


def _may_be_secret(recipe: Recipe, argument: Argument | None) -> bool:
    """A secret goes to the user's own code, and to the sources that ask for one: never into a query or a key."""
    if argument is not None:
        return argument.secret
    return recipe.word in ("python", "shell", "notebook")


def arguments_of(block: tree.Block, recipe: Recipe) -> dict[str, Argument]:
    takes = {argument.name: argument for argument in recipe.arguments}
    if recipe.word == "split":
        takes |= {name.text: Argument(name.text, "cut", "How much of the rows goes there.") for name in block.names}
    return takes


def apart_from_inputs(block: tree.Block, scope: Scope) -> tree.Block:
    """Where inputs and arguments are handed on by name, each must have its own, or one of them would be lost. The block
    without the lines that were told."""
    inputs = {item.alias or item.reference.name: item for item in block.inputs}
    for line in block.lines:
        if isinstance(line, tree.Assign) and line.name in inputs:
            first = Label(inputs[line.name].span, "an input goes in under this name")
            help_ = f"name one of them otherwise, as in from {inputs[line.name].reference} as another"
            scope.tell("E102", line.name_span, {"name": line.name}, labels=(first,), help=help_)
    kept = (line for line in block.lines if not (isinstance(line, tree.Assign) and line.name in inputs))
    return replace(block, lines=tuple(kept))


def unknown(name: str, span: Span, known: Iterable[str], of: str, scope: Scope) -> None:
    known = list(known)
    close = nearest(name, known)
    other = OTHER_ARGUMENTS.get(name.lower())
    close = other if other in known else close
    otherwise = f"known: {listing(known)}" if known else f"{of} takes no arguments"
    if name in LINES and close is None:
        otherwise = f"{name} is a line of its own, without =: {LINES[name].form}"
    scope.tell(
        "E205",
        span,
        {"of": of, "name": name},
        help=f"did you mean {close}?" if close else otherwise,
        fix=Fix(span, close) if close else None,
    )


def _wrong(line: tree.Assign, argument: Argument, scope: Scope) -> None:
    help_, fix = meant.instead(line.value, argument)
    facts = {"name": line.name, "wanted": values.wanted(argument), "found": scope.written(line.value.span)}
    scope.tell("E206", line.value.span, facts, help=help_, fix=fix)


PLACE = Argument("the place", "text", "")


def place(written: tree.Text | tree.Reference | None, scope: Scope) -> str | None:
    """The quoted place, or the text of a param; None when a mistake has been told."""
    if isinstance(written, tree.Text):
        return written.value
    assert written is not None
    told = len(scope.told)
    value = values.read(written, scope.params, scope.told)
    scope.told[told:] = [meant.unquoted(one, PLACE) for one in scope.told[told:]]
    if value is not None and not isinstance(value, str):
        scope.tell("E206", written.span, {"name": "the place", "wanted": "a text in quotes", "found": str(written)})
        return None
    return value
