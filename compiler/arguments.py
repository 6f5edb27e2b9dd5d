"""The `name = value` lines and `needs` of a block, held against what its recipe takes."""

from __future__ import annotations

from collections.abc import Iterable

from ..grammar import tree
from ..grammar.diagnostic import Fix, nearest
from ..grammar.kinds import Argument, Recipe
from ..grammar.source import Span
from . import values
from .scope import Scope, did_you_mean

Given = dict[str, tuple[object, tree.Assign]]


def read(block: tree.Block, recipe: Recipe, scope: Scope) -> Given:
    """Name -> value and its line, for every argument whose value is sound. Names are checked unless the recipe is open."""
    given: Given = {}
    takes = arguments_of(block, recipe)
    for line in block.lines:
        if not isinstance(line, tree.Assign):
            continue
        if line.name in given:
            scope.tell("E207", line.name_span, {"name": line.name})
            continue
        argument = takes.get(line.name)
        if argument is None and not recipe.open:
            unknown(line.name, line.name_span, takes, recipe.word, scope)
            continue
        value = values.read(line.value, scope.params, scope.told, secrets=_may_be_secret(recipe, argument))
        if value is None:
            continue
        if argument is not None and not values.fits(value, line.value, argument):
            _wrong(line, argument, scope)
            continue
        given[line.name] = (value, line)
    return given


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


def unknown(name: str, span: Span, known: Iterable[str], of: str, scope: Scope) -> None:
    known = list(known)
    close = nearest(name, known)
    otherwise = "" if known else f"{of} takes no arguments"
    scope.tell(
        "E205",
        span,
        {"of": of, "name": name},
        help=did_you_mean(name, known, otherwise),
        fix=Fix(span, close) if close else None,
    )


def _wrong(line: tree.Assign, argument: Argument, scope: Scope) -> None:
    wanted = values.WORDS[argument.takes]
    if argument.choices:
        wanted = " or ".join(f'"{choice}"' for choice in argument.choices)
    scope.tell(
        "E206",
        line.value.span,
        {"name": line.name, "wanted": wanted, "found": scope.written(line.value.span)},
        help=argument.doc,
    )
