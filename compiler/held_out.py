"""What a model was kept from: the other output of the split that it is made from. For the words of a mistake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..grammar import tree
from ..grammar.diagnostic import Diagnostic


def held_out(model: tree.Block, blocks: Iterable[tree.Block]) -> str:
    """The last name beside that of its input; "" where none is."""
    inputs = [item.reference.name for item in model.inputs if item.place is None and not item.reference.path]
    for block in blocks:
        names = [name.text for name in block.names]
        if inputs and inputs[0] in names and block.recipe is not None and block.recipe.reference.name == "split":
            return next((name for name in reversed(names) if name != inputs[0]), "")
    return ""


def with_data_named(diagnostics: Iterable[Diagnostic], document: tree.Document) -> Iterator[Diagnostic]:
    """`measure roc_auc`, which does not say on what: with the data of this very spec in its help."""
    blocks = [statement for statement in document.statements if isinstance(statement, tree.Block)]
    for one in diagnostics:
        around = [block for block in blocks if "measured" in one.facts and _holds(block, one)]
        name = held_out(around[0], blocks) if around else ""
        yield replace(one, help=f"write measure {one.facts['measured']} on {name}") if name else one


def _holds(block: tree.Block, one: Diagnostic) -> bool:
    return block.span.path == one.span.path and block.span.start <= one.span.start <= block.span.end
