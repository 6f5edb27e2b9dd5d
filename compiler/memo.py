"""What was found of a spec's blocks when it was compiled before, for those that are as they were.

A block is as it was when its tree is the same object, and so is the node of every artifact that it names: then it
would be found the same. Files are not looked at: whoever keeps a memo begins a new one when they change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..grammar import tree
from ..grammar.diagnostic import Diagnostic
from .program import Node
from .resolve import References
from .scope import Scope


@dataclass(frozen=True, slots=True)
class _Found:
    block: tree.Block
    named: tuple[object, ...]
    node: Node | None
    told: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class _Looked:
    around: frozenset[str]
    found: tuple[Node, tuple[Diagnostic, ...]]


@dataclass(slots=True)
class Memo:
    """Lives as long as its owner sees no file change but the spec itself."""

    params: object = None
    found: dict[str, _Found] = field(default_factory=dict)
    named: References = field(default_factory=References)
    looked: dict[str, _Looked] = field(default_factory=dict)
    seen: dict[str, tuple[object, object]] = field(default_factory=dict)

    def begin(self, scope: Scope) -> None:
        if scope.params != self.params:
            self.found.clear()
        self.named.keep_only(scope.names.blocks)
        self.params = scope.params

    def known(self, block: tree.Block, scope: Scope) -> tuple[Node | None, tuple[Diagnostic, ...]] | None:
        found = self.found.get(block.names[0].text)
        if found is None or found.block is not block:
            return None
        for now, then in zip(self._looked_at(block, scope), found.named, strict=True):
            if now is not then:
                return None
        return found.node, found.told

    def keep(self, block: tree.Block, scope: Scope, node: Node | None, told: tuple[Diagnostic, ...]) -> Node | None:
        """Returns the node; the one of before if it came out the same, so that what follows is as it was too."""
        before = self.found.get(block.names[0].text)
        if before is not None and before.node == node:
            node = before.node
        self.found[block.names[0].text] = _Found(block, tuple(self._looked_at(block, scope)), node, told)
        return node

    def _looked_at(self, block: tree.Block, scope: Scope) -> Iterator[object]:
        """What a block's checks look at: whether it is checked at all, and the nodes and kinds of what it names."""
        own = [name.text for name in block.names]
        yield any(name in scope.names.unknown for name in own)
        for reference in self.named.of(block):
            name = reference.name
            if name not in own:
                yield scope.nodes.get(name)
                other = scope.names.block_of.get(name)
                yield other.kind if other else None
                yield other.unread if other else None

    # What is said of a node by all that is around it (`looked.py`).

    def changed(self, now: dict[str, tuple[object, object]]) -> set[str]:
        """The nodes that are another than when this was last asked, with their blocks; and those that are gone."""
        before, self.seen = self.seen, now
        new = {
            name
            for name, (node, block) in now.items()
            if (old := before.get(name)) is None or old[0] is not node or old[1] is not block
        }
        return new | (before.keys() - now.keys())

    def looked_at(self, node: Node, affected: set[str]) -> tuple[Node, tuple[Diagnostic, ...]] | None:
        before = self.looked.get(node.name)
        return before.found if before is not None and before.around.isdisjoint(affected) else None

    def keep_looked(self, node: Node, around: frozenset[str], found: tuple[Node, tuple[Diagnostic, ...]]) -> None:
        self.looked[node.name] = _Looked(around, found)
