"""A spec under edit -> what the compiler knows of its text as it is now, and of what it was when it last could be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..compiler.incremental import Editing, Placed
from ..compiler.pipeline import Compiled
from ..compiler.program import Node
from ..compiler.target import Target
from ..compiler.types import Columns
from ..grammar import tree
from ..grammar.source import Span
from .files import EditorFiles


@dataclass(frozen=True, slots=True)
class Analysis:
    """`path` is absolute. `placed` are the statements of this file alone, `starts` say where the pieces begin that
    their spans count from. `nodes` are by the artifact's name; where a block cannot be read now, as it last was."""

    path: str
    text: str
    compiled: Compiled
    placed: tuple[Placed, ...]
    starts: Mapping[str, int]
    nodes: Mapping[str, Node]
    files: EditorFiles
    targets: Mapping[str, Target]

    def in_file(self, span: Span) -> Span:
        start = self.starts.get(span.path)
        return span if start is None else Span(self.path, span.start + start, span.end + start)

    def columns(self, name: str) -> Columns:
        """The columns of a data artifact, as far as they are known."""
        node = self.nodes.get(name)
        return (node.columns.get(name) or node.at_least.get(name, ())) if node else ()

    def block_at(self, offset: int) -> tuple[tree.Block, int] | None:
        """The block that an offset lies in, and where its piece begins."""
        for one in self.placed:
            span = one.statement.span
            if isinstance(one.statement, tree.Block) and span.start + one.start <= offset <= span.end + one.start:
                return one.statement, one.start
        return None

    def blocks(self) -> list[tree.Block]:
        return [one.statement for one in self.placed if isinstance(one.statement, tree.Block)]


@dataclass(slots=True)
class Opened:
    """One spec that is open: each text of it is compiled by what was found of the text before."""

    path: str
    files: EditorFiles
    targets: Mapping[str, Target]
    _editing: Editing = field(init=False)
    _nodes: dict[str, Node] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._editing = Editing(self.path, self.files, self.targets)

    def analyse(self, text: str) -> Analysis:
        if self.files.changed():
            self.files.forget()
            self._editing.forget()
        compiled = self._editing.compile(text)
        placed = self._editing.statements()
        starts = {one.statement.span.path: one.start for one in placed if one.statement.span.path != self.path}
        self._remember(compiled.program.nodes)
        return Analysis(self.path, text, compiled, placed, starts, dict(self._nodes), self.files, self.targets)

    def _remember(self, nodes: Iterable[Node]) -> None:
        """Of an edit all nodes but a few are the very same."""
        for node in nodes:
            before = self._nodes.get(node.name)
            if before is not node:
                self._nodes |= dict.fromkeys(node.names, _with_columns(node, before))


def _with_columns(node: Node, before: Node | None) -> Node:
    """Where its columns cannot be told now, as they last were."""
    if before is None or before is node or None not in node.columns.values():
        return node
    known = {name: before.columns.get(name) if columns is None else columns for name, columns in node.columns.items()}
    return node.model_copy(update={"columns": known})


def opened(path: Path, buffers: Mapping[str, str], targets: Mapping[str, Target]) -> Opened:
    return Opened(str(path), EditorFiles(path.parent, buffers), targets)
