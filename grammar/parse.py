"""Text -> tree, and every syntax error of the file. Parsing never fails: what is broken is left out and told."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import dropwhile, pairwise
from typing import Any

from . import tree
from .build import Build, plain
from .diagnostic import Diagnostic
from .habits import is_comment
from .misfit import fits
from .mistakes import (
    MAX_DEPTH,
    body_never_closed,
    brace_in_header,
    breaks_off,
    cannot_begin,
    closed_early,
    ends_otherwise,
    explain_failure,
    header_goes_on,
    header_left_out,
    names_itself,
    other_quotes,
    requoted,
    too_deep,
    unclosed_text,
)
from .source import Source, Span
from .table import Failure, makers, run, table
from .tokens import COMPARATORS, HAVE_NO_BODY, LINE_WORDS, TOP_WORDS, Segment, Segments, Token, segments

MAX_CHARACTERS = 5_000_000
MAX_UNCLOSED = 10
VERSION = 1
NEVER_BEGINS = COMPARATORS | frozenset(
    ["_ASSIGN", "_COLON", "_COMMA", "_BAR", "TO", "OPTIONAL", "PLUS", "AND", "OR", "ELSE", "IN", "AS", "_ON"]
)  # no line does
OTHER_ENDS = frozenset({")", "]", "end", "done", "End", "END"})
DECLARES = TOP_WORDS - {"MLSPEC", "ENV"}
HAS_NAMES = frozenset({"DATA", "MODEL", "SERVICE", "SECRET"})
STRAYS = frozenset({"_COMMA", "_COLON", "_ASSIGN", "_BAR", "LPAREN", "LBRACKET", "TIMES", "MINUS", "UNKNOWN"})
ENDS_NAMES = frozenset({"FROM", "BY", "NAME"})
BRACES = {"_LBRACE": 1, "_RBRACE": -1}


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


@dataclass(frozen=True, slots=True)
class Parts:
    """A statement in pieces. `stray` begins the first line after a header that has no body; `early` are the braces that
    close a body before its last line."""

    header: list[Token]
    lines: list[list[Token]]
    opened: Token | None
    closed: bool
    stray: Token | None = None
    early: tuple[Token, ...] = ()


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
        stray = _brace_in_header(tokens)
        if stray is not None:
            self._tell(brace_in_header(stray, tokens, self.path))
            tokens = [token for token in tokens if token is not stray]
            if fits(tokens, "statement"):
                return run(tokens, "statement", self.make)
        parts = Parts(list(tokens), [], None, True) if is_comment(tokens) else _split(tokens)
        if not parts.header:
            self._tell(cannot_begin(tokens[0], self.path))
            return None
        node = self._piece(parts.header, "statement")
        if node is None:
            self.lost += _lost(parts.header, self.path)
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
            self.lost += _lost(parts.header, self.path) if node is not None else []
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
        words = tuple(word for one in parts.lines[number:] for word in _line_words(one))
        return replace(parts, lines=parts.lines[:number]), words

    def _lines(self, parts: Parts, told: int) -> tuple[tuple[tree.Line, ...], tuple[str, ...]]:
        """The lines that could be read, and the first words of the others. Behind a header that broke wrongly, what
        follows is no body: then its mistake is the only one to tell."""
        if parts.opened is None and len(self.diagnostics) > told:
            return (), ("", "from")
        read: list[tuple[tree.Line | None, list[Token]]] = []
        broken = False
        for before, line in pairwise([[], *parts.lines]):
            node = None if broken and _is_a_rest(line, before) else self._piece(line, "line")
            broken = broken or node is None
            read.append((node, line))
        unread = tuple(word for line, tokens in read if line is None for word in _line_words(tokens))
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


def _is_a_rest(line: Sequence[Token], before: Sequence[Token]) -> bool:
    """Of a line behind one that could not be read: whether it belongs to that one, and is the same mistake."""
    if {token.kind for token in line} <= {"COLUMN", "_COMMA"}:
        return True
    return breaks_off(before) and not names_itself(line) and not fits(line, "line")


def _as_meant(token: Token) -> Token:
    if token.kind != "OTHER_QUOTES":
        return token
    text = requoted(token)
    return token._replace(kind="TEXT" if text.startswith('"""') else "STRING", text=text)


def _line_words(line: Sequence[Token]) -> list[str]:
    """What a line may have been, or two that lost the end between them."""
    return [
        token.text if token.kind in LINE_WORDS else "" for token in line if token.kind in LINE_WORDS or token is line[0]
    ]


def _brace_in_header(tokens: Sequence[Token]) -> Token | None:
    """A brace before the one that opens the body, or of a statement that has none."""
    braces = [i for i, token in enumerate(tokens) if token.kind == "_LBRACE"]
    if braces and tokens[0].kind in HAVE_NO_BODY:
        return tokens[braces[0]]
    if len(braces) < 2 or is_comment(tokens):
        return None
    first, second = tokens[braces[0]], tokens[braces[1]]
    header = [*tokens[: braces[0]], *tokens[braces[0] + 1 : braces[1] + 1], second._replace(kind="_RBRACE", text="}")]
    return first if fits(header, "statement") else None


def _split(tokens: Sequence[Token]) -> Parts:
    opened = next((i for i, token in enumerate(tokens) if token.kind == "_LBRACE"), None)
    if opened is None:
        return _without_body(tokens)
    lines: list[list[Token]] = [[]]
    depth = 1
    early: list[Token] = []
    last = len(tokens) - 1
    for i, token in enumerate(tokens[opened + 1 :], opened + 1):
        depth += BRACES.get(token.kind, 0)
        if depth == 0 and i < last:
            early.append(token)
            depth = 1
            if len(early) == 1 and fits(lines[-1], "line"):
                lines.append([])
        elif depth == 0:
            break
        elif token.kind == "_NL" and depth == 1:
            lines.append([token])
        else:
            lines[-1].append(token)
    lines = _with_broken_lines(lines)
    # Where a brace closes too early, that the last is not closed is the same mistake.
    closed = depth == 0 or bool(early)
    return Parts(list(tokens[:opened]), lines, tokens[opened], closed, early=tuple(early))


def _with_broken_lines(lines: Sequence[Sequence[Token]]) -> list[list[Token]]:
    """Lines that each begin with the line end before them -> lines; what begins with a sign is no line of its own."""
    joined: list[list[Token]] = []
    for line in lines:
        own = [token for token in line if token.kind != "_NL" or token is not line[0]]
        if own and joined and own[0].kind in NEVER_BEGINS:
            joined[-1] += line
        elif own:
            joined.append(own)
    return joined


def _without_body(tokens: Sequence[Token]) -> Parts:
    """A header, and what stands in the lines below it, further to the right."""
    pieces: list[list[Token]] = [[]]
    for token in tokens:
        if token.kind == "_NL" and token.text == "\n":
            pieces.append([])
        else:
            pieces[-1].append(token)
    header, *lines = pieces
    return Parts(header, lines, None, True, lines[0][0] if lines else None)


def _lost(header: Sequence[Token], path: str) -> list[tree.Name]:
    """The names that a header declares, as far as it can be told; "" stands for one that is not there to be read."""
    words = [i for i, token in enumerate(header) if token.kind in DECLARES]
    lost: list[tree.Name] = []
    if not words:  # the first may be a word that was mistyped
        words = [0] if [token.kind for token in header[:2]] == ["NAME", "NAME"] else [-1]
    for start, end in zip(words, [*words[1:], len(header)], strict=True):
        found, complete = _names(header[start + 1 : end], header[start].kind if start >= 0 else "NAME")
        lost += [tree.Name(token.text, Span(path, token.start, token.end)) for token in found]
        lost += [] if complete else [tree.Name("", Span(path, header[0].start, header[0].end))]
    return lost


def _names(tokens: Sequence[Token], word: str) -> tuple[list[Token], bool]:
    """`a, b`, also with a comma too few, and whether none is missing among them."""
    if word == "USE":
        after_as = [after for before, after in pairwise(tokens) if before.kind == "AS"]
        named = [token for token in after_as or tokens[-1:] if token.kind == "NAME"]
        return named, bool(named)
    if tokens and tokens[0].kind in STRAYS:  # or one in the place of a name
        return _names(list(dropwhile(lambda token: token.kind in STRAYS, tokens)), word)[0], False
    found: list[Token] = []
    before = "_COMMA"
    for token, after in zip(tokens, [*(t.kind for t in tokens[1:]), "FROM"], strict=False):
        if token.kind == "NAME" and (before == "_COMMA" or after in ("FROM", "BY", "_COMMA")):
            found.append(token)
        elif token.kind != "_COMMA" or before == "_COMMA":
            return found, before == "NAME" and (token.kind in ENDS_NAMES or word not in HAS_NAMES)
        before = token.kind
    return found, before == "NAME"
