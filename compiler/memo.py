"""What was found of a spec's blocks when it was compiled before, for those that are as they were.

A block is as it was when its tree is the same object, and so is the node of every artifact that it names: then it
would be found the same. Files are not looked at: whoever keeps a memo begins a new one when they change.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..grammar import tree
from ..grammar.diagnostic import Diagnostic
from .program import Node
from .resolve import references
from .scope import Scope


@dataclass(frozen=True, slots=True)
class _Found:
    block: tree.Block
    named: tuple[object, ...]
    node: Node | None
    told: tuple[Diagnostic, ...]


@dataclass(slots=True)
class Memo:
    """Lives as long as its owner sees no file change but the spec itself."""

    params: object = None
    found: dict[str, _Found] = field(default_factory=dict)

    def begin(self, scope: Scope) -> None:
        if scope.params != self.params:
            self.found.clear()
        self.params = scope.params

    def known(self, block: tree.Block, scope: Scope) -> tuple[Node | None, tuple[Diagnostic, ...]] | None:
        found = self.found.get(block.names[0].text)
        if found is None or found.block is not block:
            return None
        named = _named(block, scope)
        same = len(named) == len(found.named) and all(a is b for a, b in zip(named, found.named, strict=True))
        return (found.node, found.told) if same else None

    def keep(self, block: tree.Block, scope: Scope, node: Node | None, told: tuple[Diagnostic, ...]) -> None:
        self.found[block.names[0].text] = _Found(block, _named(block, scope), node, told)


def _named(block: tree.Block, scope: Scope) -> tuple[object, ...]:
    """The nodes that a block's checks look at, and whether it is checked at all. Its own are not there yet."""
    own = {name.text for name in block.names}
    unknown = any(name in scope.names.unknown for name in own)
    others = (reference.name for reference in references(block) if reference.name not in own)
    return (unknown, *(part for name in others for part in (scope.nodes.get(name), _kind(name, scope))))


def _kind(name: str, scope: Scope) -> str | None:
    block = scope.names.block_of.get(name)
    return block.kind if block else None
