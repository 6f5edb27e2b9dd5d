"""A program without mistakes -> the same with its doubts, and warnings of what ruins models."""

from __future__ import annotations

from ..grammar.diagnostic import Diagnostic
from . import doubts, warnings
from .ancestry import Ancestry
from .load import Files
from .memo import Memo
from .program import Node, Program
from .resolve import Names


def look(program: Program, names: Names, files: Files, memo: Memo | None) -> tuple[Program, tuple[Diagnostic, ...]]:
    """`memo` holds what was found of nodes before, for those around which nothing has changed."""
    memo = memo or Memo()
    ancestry = Ancestry(program)
    affected = _affected(
        program, ancestry, memo.changed({n.name: (n, names.block_of.get(n.name)) for n in program.nodes})
    )
    nodes: list[Node] = []
    told: list[Diagnostic] = []
    for node in program.nodes:
        if node.kind == "model" or node.recipe.word in ("split", "predict"):
            found = memo.looked_at(node, affected)
            if found is None:
                found = _at(ancestry, node, names, files)
                memo.keep_looked(node, frozenset(one.name for one in ancestry.around(node)), found)
            node, warned = found
            told += warned
        nodes.append(node)
    return program.model_copy(update={"nodes": tuple(nodes)}), tuple(told)


def _affected(program: Program, ancestry: Ancestry, changed: set[str]) -> set[str]:
    """What has changed, and the splits from whose parts it learns."""
    if len(changed) >= len(program.nodes):
        return changed
    node_of = program.node_of()
    new = [node_of[name] for name in changed if name in node_of]
    return changed | {node.name for node in ancestry.before(*new) if node.recipe.word == "split"}


def _at(ancestry: Ancestry, node: Node, names: Names, files: Files) -> tuple[Node, tuple[Diagnostic, ...]]:
    told = tuple(warnings.find(ancestry, node, names, files))
    in_the_text = {"W201"} if any(one.code == "W102" for one in told) else set()  # the data would only tell it again
    asked = tuple(one for one in doubts.find(ancestry, node) if one.code not in in_the_text)
    with_doubts = node.model_copy(update={"doubts": asked}) if asked else node
    return with_doubts, told
