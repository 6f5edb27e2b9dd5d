"""Text -> tree, and every syntax error of the file. Parsing never fails: what is broken is left out and told."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from . import tree
from .build import Build, plain
from .diagnostic import Diagnostic
from .habits import is_comment
from .misfit import fits
from .mistakes import explain_failure
from .pieces import Parts, brace_of_header, is_a_rest, names_of, split, words_of
from .source import Source, Span
from .table import Failure, makers, run, table
from .tokens import TOP_WORDS, Segment, Segments, Token, segments
from .whole import (
    MAX_DEPTH,
    body_never_closed,
    brace_in_header,
    breaks_off,
    cannot_begin,
    closed_early,
    ends_otherwise,
    header_goes_on,
    header_left_out,
    other_quotes,
    requoted,
    too_deep,
    unclosed_text,
)

MAX_CHARACTERS = 5_000_000
MAX_UNCLOSED = 10
VERSION = 1
OTHER_ENDS = frozenset({")", "]", "end", "done", "End", "END"})


@dataclass(frozen=True, slots=True)
class Parsed:
    """`lost` are the names that a header which could not be read would have declared; nothing more need be said of
    them."""

    document: tree.Document
    diagnostics: tuple[Diagnostic, ...]
    lost: tuple[tree.Name, ...] = ()


def parse(source: Source) -> Parsed:
    if len(source.text) > MAX_CHARACTERS:
        return _too_large(source)
    with _no_garbage_collection():
        cut, unclosed = _cut(source)
        reader = _Reader(source.path, frozenset(one.span.start for one in unclosed))
        read = [reader.statement(segment) for segment in cut.segments]
        statements = tuple(statement for statement in read if statement is not None)
    document = tree.Document(source.path, plain(cut.doc), statements)
    return Parsed(document, (*unclosed, *reader.diagnostics), tuple(reader.lost))


def _too_large(source: Source) -> Parsed:
    facts = {"size": f"{len(source.text) / 1e6:.0f} MB", "limit": f"{MAX_CHARACTERS / 1e6:.0f} MB"}
    error = Diagnostic(
        "E001", Span(source.path, 0, 0), facts, help='data is named by its place: data d from csv "d.csv"'
    )
    return Parsed(tree.Document(source.path, "", ()), (error,))


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """A large tree is all alive: to look through it for garbage again and again took a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _cut(source: Source) -> tuple[Segments, list[Diagnostic]]:
    """The statements. A text in triple quotes that is left open would end where the next one begins, and all between
    and after would be nonsense; so where that is the case, it is closed before the next header, and told."""
    text, told = source.text, []
    cut = segments(text, table().words)
    for _ in range(MAX_UNCLOSED):
        found = unclosed_text(cut, text, source.path)
        if found is None:
            break
        mistake, end = found
        told.append(mistake)
        text = text[: end - 3] + '"""' + text[end:]
        cut = segments(text, table().words)
    return cut, told


class _Reader:
    """Reads the segments of one file and gathers its diagnostics."""

    def __init__(self, path: str, unclosed: Set[int]) -> None:
        self.path, self.unclosed = path, unclosed
        self.build = Build(path)
        self.make = makers(self.build)
        self.diagnostics: list[Diagnostic] = []
        self.lost: list[tree.Name] = []

    def statement(self, segment: Segment) -> tree.Statement | None:
        tokens = segment.tokens
        node: Any = None if too_deep(tokens) else run(tokens, "statement", self.make)
        if node is None or isinstance(node, Failure):
            node = self._recover(tokens, node)
        elif self.build.problems:
            self._take_problems()
        if node is None:
            return None
        if isinstance(node, tree.Version):
            self._check_version(node, tokens[1])
        statement: tree.Statement = self.build.finish(node, segment.doc, tokens[0].start, tokens[-1].end)
        if self.unclosed and isinstance(statement, tree.Block) and any(t.start in self.unclosed for t in tokens):
            return replace(statement, unread=("", "from"))
        return statement

    def _check_version(self, version: tree.Version, number: Token) -> None:
        if number.text != str(VERSION):
            self._tell(Diagnostic("E013", version.span, {"found": number.text}, help=f"write mlspec {VERSION}"))

    def _recover(self, tokens: Sequence[Token], failure: Failure | None) -> Any:
        """Read the header and each line apart, so that each mistake is told and the rest is kept."""
        told = len(self.diagnostics)
        self.build.problems.clear()
        stray = brace_of_header(tokens)
        if stray is not None:
            self._tell(brace_in_header(stray, tokens, self.path))
            tokens = [token for token in tokens if token is not stray]
            if fits(tokens, "statement"):
                whole = run(tokens, "statement", self.make)
                self._take_problems()
                return whole
        parts = Parts(list(tokens), [], None, True) if is_comment(tokens) else split(tokens)
        if not parts.header:
            self._tell(cannot_begin(tokens[0], self.path))
            return None
        node = self._piece(parts.header, "statement")
        if node is None:
            self.lost += names_of(parts.header, self.path)
        is_orphan = fits(parts.header[:-1], "line") and parts.header[-1].kind == "_RBRACE"
        if node is None and (parts.stray is not None or is_orphan):
            self._take_back_fixes(parts.header, told)
        elif parts.stray is not None:
            self._tell(header_goes_on(parts.header, tokens, self.path))
        parts = self._without_other_end(parts, tokens)
        parts, left = self._without_orphans(parts, tokens)
        lines, unread = self._lines(parts, told)
        unread += left
        self._take_problems()
        if parts.opened is not None and node is not None and not parts.closed and not self._braces_told(parts, told):
            mistake = body_never_closed(parts.opened, tokens, self.path)
            # Of a header that stands twice, one is too many: closing its body would not help.
            self._tell(mistake if parts.lines else replace(mistake, fix=None))
        if failure is not None and len(self.diagnostics) == told:
            self._tell(explain_failure(failure, tokens, "statement", self.path))
        if node is None or self._is_begun_twice(parts):
            self.lost += names_of(parts.header, self.path) if node is not None else []
            return None
        return self.build.with_lines(node, lines, unread)

    def _is_begun_twice(self, parts: Parts) -> bool:
        """A header with nothing in its body before the next: that it is not closed is all there is to tell."""
        return parts.opened is not None and not parts.closed and not parts.lines

    def _take_back_fixes(self, header: Sequence[Token], told: int) -> None:
        """Of a header that is followed by more than its own mistake. Lines without any header are told as such."""
        kept = [one if one.code == "E005" else replace(one, fix=None) for one in self.diagnostics[told:]]
        if fits([token for token in header if token.kind != "_RBRACE"], "line"):
            kept = [header_left_out(header[0], self.path)]
            self.lost.append(tree.Name("", kept[0].span))
        self.diagnostics[told:] = kept

    def _without_other_end(self, parts: Parts, tokens: Sequence[Token]) -> Parts:
        """A body that ends with another bracket, or a word, in place of its brace: told, and read as closed."""
        last = parts.lines[-1] if parts.lines and not parts.closed else []
        if len(last) != 1 or last[0].text not in OTHER_ENDS:
            return parts
        self._tell(ends_otherwise(last[0], tokens, self.path))
        return replace(parts, lines=parts.lines[:-1], closed=True)

    def _without_orphans(self, parts: Parts, tokens: Sequence[Token]) -> tuple[Parts, tuple[str, ...]]:
        """What follows a brace that closes the body too early is left out, with its first words told: it is one mistake,
        also where it is no line of this body."""
        if not parts.early:
            return parts, ()
        brace = parts.early[0]
        number = next((i for i, line in enumerate(parts.lines) if line[-1].start > brace.start), len(parts.lines))
        if number == len(parts.lines):  # other braces alone
            self._tell(closed_early(brace, parts.early, tokens, self.path))
            return parts, ()
        line = parts.lines[number]
        after = next(token for token in line if token.start > brace.start)
        splits = number > 0 and breaks_off(parts.lines[number - 1])  # a line of the body
        if splits:
            number -= 1
        if splits or fits(line, "line") or after is not line[0]:
            self._tell(closed_early(brace, parts.early, tokens, self.path))
        else:
            self._tell(explain_failure(Failure(0, after, frozenset(TOP_WORDS)), line, "statement", self.path))
        words = tuple(word for one in parts.lines[number:] for word in words_of(one))
        return replace(parts, lines=parts.lines[:number]), words

    def _lines(self, parts: Parts, told: int) -> tuple[tuple[tree.Line, ...], tuple[str, ...]]:
        """The lines that could be read, and the first words of the others. Behind a header that broke wrongly, what
        follows is no body: then its mistake is the only one to tell."""
        if parts.opened is None and len(self.diagnostics) > told:
            return (), ("", "from")
        read: list[tuple[tree.Line | None, list[Token]]] = []
        broken = False
        for before, line in pairwise([[], *parts.lines]):
            node = None if broken and is_a_rest(line, before) else self._piece(line, "line")
            broken = broken or node is None
            read.append((node, line))
        unread = tuple(word for line, tokens in read if line is None for word in words_of(tokens))
        return tuple(line for line, _ in read if line is not None), unread

    def _piece(self, tokens: Sequence[Token], start: str) -> Any:
        deep = too_deep(tokens)
        if deep:
            self._tell(Diagnostic("E002", Span(self.path, deep.start, deep.end), {"limit": MAX_DEPTH}))
            return None
        read = self._requoted(tokens)
        node = run(read, start, self.make)
        if isinstance(node, Failure):
            if not self._holds_unclosed(read):
                self._tell(explain_failure(node, read, start, self.path))
            return None
        return node

    def _requoted(self, tokens: Sequence[Token]) -> Sequence[Token]:
        """Text in other quotes is told, and then read as what was meant."""
        found = [token for token in tokens if token.kind == "OTHER_QUOTES"]
        if not found or is_comment(tokens):
            return tokens
        self.diagnostics += [other_quotes(token, self.path) for token in found]
        return [_as_meant(token) for token in tokens]

    def _braces_told(self, parts: Parts, told: int) -> bool:
        """Whether what was told is why the body is not closed: a brace that opens once more, or a text left open, in
        which the brace stands that closes it."""
        tokens = [token for line in parts.lines for token in line]
        opens_again = any(token.kind == "_LBRACE" for token in tokens)
        mine = self.diagnostics[told:]
        return self._holds_unclosed(tokens) or any(
            opens_again or one.facts.get("found") == "{" or one.code == "E005" for one in mine
        )

    def _holds_unclosed(self, tokens: Sequence[Token]) -> bool:
        return bool(self.unclosed) and any(token.start in self.unclosed for token in tokens)

    def _take_problems(self) -> None:
        self.diagnostics += self.build.problems
        self.build.problems.clear()

    def _tell(self, diagnostic: Diagnostic) -> None:
        self.diagnostics.append(diagnostic)


def _as_meant(token: Token) -> Token:
    if token.kind != "OTHER_QUOTES":
        return token
    text = requoted(token)
    return token._replace(kind="TEXT" if text.startswith('"""') else "STRING", text=text)
