"""Which artifacts are not known for what they are, because of a mistake that was told.

Each is asked about once, however many are made from it: without that a long chain of blocks takes the square of its length.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from ..grammar import tree
from ..grammar.diagnostic import Diagnostic
from ..grammar.source import Span
from .program import Node


class Mistaken:
    """Lives for one pass of the checker, which hands it what was told so far."""

    def __init__(self, block_of: Mapping[str, tree.Block]) -> None:
        self._block_of = block_of
        self._resting: set[str] = set()
        self._sound: set[str] = set()
        self._wrong: set[str] = set()  # in whose blocks something was told
        self._heard = 0
        self._starts: dict[str, list[int]] = {}
        self._blocks: dict[tuple[str, int], tuple[int, list[str]]] = {}
        for name, block in block_of.items():
            place = (block.span.path, block.span.start)
            self._blocks.setdefault(place, (block.span.end, []))[1].append(name)
        for path, start in sorted(self._blocks):
            self._starts.setdefault(path, []).append(start)

    def rests(self, node: Node, nodes: Mapping[str, Node], told: Sequence[Diagnostic]) -> bool:
        """Whether what goes into a node is not known because of a mistake that was told."""
        self._hear(told)
        wanted, seen = [item.name for item in node.inputs], set[str]()
        while wanted:
            name = wanted.pop()
            if name in seen or name in self._sound:
                continue
            if name in self._resting or self._is_wrong(name, nodes):
                self._resting.update(node.names)
                return True
            seen.add(name)
            wanted += [item.name for item in nodes[name].inputs]
        self._sound |= seen
        return False

    def _is_wrong(self, name: str, nodes: Mapping[str, Node]) -> bool:
        block = self._block_of.get(name)  # None where another has the name
        return block is None or name not in nodes or "" in block.unread or name in self._wrong

    def _hear(self, told: Sequence[Diagnostic]) -> None:
        """What was told since: later checks tell of blocks that were found sound before."""
        for one in told[self._heard :]:
            names = self._names_at(one.span)
            self._wrong.update(names)
            if not self._sound.isdisjoint(names):
                self._sound.clear()
        self._heard = len(told)

    def _names_at(self, span: Span) -> Sequence[str]:
        starts = self._starts.get(span.path, [])
        at = bisect_right(starts, span.start) - 1
        end, names = self._blocks[span.path, starts[at]] if at >= 0 else (0, [])
        return names if span.start < end else ()
