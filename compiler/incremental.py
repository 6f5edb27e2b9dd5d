"""A spec compiled again and again while it is edited: what did not change is not read and not checked again.

The text is cut into pieces, a statement each; a piece that was read before keeps its tree, whose spans count from the
piece's own start. So the trees of a thousand blocks stay the very same objects when a line is put above them, and the
memo of the checker finds what depends on the edit. Only what is shown is brought to its place in the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..grammar import tree
from ..grammar.chunks import Chunk, chunks
from ..grammar.diagnostic import Diagnostic, Fix, Label
from ..grammar.parse import Parsed, parse
from ..grammar.source import Source, Span
from .load import Files
from .pipeline import Compiled, Memos, compile_parsed
from .target import Target


@dataclass(frozen=True, slots=True)
class _Piece:
    """`source` has a path of its own, so that spans in it are told from those of other pieces."""

    source: Source
    parsed: Parsed


@dataclass(frozen=True, slots=True)
class Placed:
    """A statement and where its piece begins in the file: its spans count from there."""

    statement: tree.Statement
    start: int


@dataclass(slots=True)
class Editing:
    """One spec under edit. `files` and `targets` as for compile_text; call `forget` when another file has changed."""

    path: str
    files: Files
    targets: Mapping[str, Target] = field(default_factory=dict)
    _pieces: dict[tuple[str, int], _Piece] = field(default_factory=dict)
    _starts: dict[str, int] = field(default_factory=dict)
    _whole: dict[tuple[str, str], Parsed] = field(default_factory=dict)
    _memos: dict[str, Memos] = field(default_factory=dict)
    _count: int = 0
    _placed: tuple[Placed, ...] = ()

    def compile(self, text: str, env: str = "local") -> Compiled:
        """As compile_text does; the spans of diagnostics are those of the file. Spans within `program` and
        `document` are brought there by `in_file`."""
        source = Source(self.path, text)
        pieces = self._cut(text)
        if pieces is None:
            parsed, sources = parse(source), {self.path: source}
            self._placed = tuple(Placed(s, 0) for s in parsed.document.statements)
        else:
            parsed, sources = self._joined(pieces), {p.source.path: p.source for p, _ in pieces} | {self.path: source}
        memos = self._memos.setdefault(env, Memos())
        compiled = compile_parsed(source, parsed, self.files, self._read, self.targets, env, memos, sources)
        told = tuple(self._told(one) for one in compiled.diagnostics)
        return replace(compiled, diagnostics=told)

    def forget(self) -> None:
        self._memos.clear()

    def in_file(self, span: Span) -> Span:
        """A span as the file has it."""
        start = self._starts.get(span.path)
        return span if start is None else Span(self.path, span.start + start, span.end + start)

    def statements(self) -> tuple[Placed, ...]:
        """Of the text that was compiled last, in its order."""
        return self._placed

    # --- reading ----------------------------------------------------------------------------------------------

    def _cut(self, text: str) -> list[tuple[_Piece, int]] | None:
        cut = chunks(text)
        if cut is None:
            return None
        kept: dict[tuple[str, int], _Piece] = {}
        seen: dict[str, int] = {}
        found = []
        for chunk in cut:
            nth = seen[chunk.text] = seen.get(chunk.text, -1) + 1
            piece = self._pieces.get((chunk.text, nth)) or self._piece(chunk)
            kept[chunk.text, nth] = piece
            found.append((piece, chunk.start))
        self._pieces = kept
        self._starts = {piece.source.path: start for piece, start in found}
        return found

    def _piece(self, chunk: Chunk) -> _Piece:
        self._count += 1
        source = Source(f"{self.path}\0{self._count}", chunk.text)
        return _Piece(source, parse(source))

    def _joined(self, pieces: Iterable[tuple[_Piece, int]]) -> Parsed:
        pieces = list(pieces)
        placed = [Placed(s, start) for piece, start in pieces for s in piece.parsed.document.statements]
        self._placed = tuple(placed)
        document = tree.Document(
            self.path, pieces[0][0].parsed.document.doc if pieces else "", tuple(one.statement for one in placed)
        )
        told = tuple(d for piece, _ in pieces for d in piece.parsed.diagnostics)
        lost = tuple(name for piece, _ in pieces for name in piece.parsed.lost)
        return Parsed(document, told, lost)

    def _read(self, source: Source) -> Parsed:
        """A used spec, read again when its text is another."""
        key = (source.path, source.text)
        if key not in self._whole:
            self._whole = {k: v for k, v in self._whole.items() if k[0] != source.path}
            self._whole[key] = parse(source)
        return self._whole[key]

    # --- telling ----------------------------------------------------------------------------------------------

    def _told(self, one: Diagnostic) -> Diagnostic:
        if one.span.path not in self._starts:
            return one
        labels = tuple(Label(self.in_file(label.span), label.text) for label in one.labels)
        fix = one.fix and Fix(self.in_file(one.fix.span), one.fix.text)
        return replace(one, span=self.in_file(one.span), labels=labels, fix=fix)
