"""Text -> tokens, with line ends where a line ends. The words themselves are read from the grammar.

A line of a body ends where the line ends, but for inside brackets and after a comma or an operator; a header may
also break before `from` and `by`. A word of the language before `=` or `:` is a plain name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

TOP_WORDS = frozenset({"MLSPEC", "DATA", "MODEL", "SERVICE", "PARAM", "SECRET", "ENV", "USE"})
ALWAYS_WORDS = frozenset({"IN", "AND", "OR", "NOT", "ELSE", "TRUE", "FALSE"})
GOES_ON_AFTER = frozenset(
    ["_COMMA", "EQUAL", "UNEQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL", "PLUS", "MINUS", "TIMES", "DIVIDE", "_BAR", "AND", "OR", "NOT", "ELSE", "IN"]
)
BREAKS_BEFORE = frozenset({"FROM", "BY"})
OPENS = {"LPAREN": 1, "LBRACKET": 1, "RPAREN": -1, "RBRACKET": -1}


class Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


class Comment(NamedTuple):
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Words:
    """The lexer that a grammar's terminals describe: one compiled pattern, and the words that stand for themselves."""

    pattern: re.Pattern[str]
    keywords: dict[str, str]
    symbols: dict[str, str]


def words_from(terminals: list[tuple[str, str, bool]]) -> Words:
    """`terminals` are (name, pattern, is it a regular expression), the special ones before the general."""
    keywords = {text: name for name, text, is_regex in terminals if not is_regex and text.isalpha()}
    symbols = {text: name for name, text, is_regex in terminals if not is_regex and not text.isalpha()}
    order = ["TEXT", "STRING", "DATE", "TIME", "NUMBER", "NAME", "COLUMN"]
    regexes = {name: text for name, text, is_regex in terminals if is_regex}
    parts = [r"(?P<SPACE>[ \t\r\f\ufeff]+)", r"(?P<LINE>\n)", r"(?P<COMMENT>#[^\n]*)"]
    parts += [f"(?P<{name}>{regexes[name]})" for name in order]
    longest_first = sorted(symbols, key=len, reverse=True)
    parts.append("(?P<SYMBOL>" + "|".join(re.escape(text) for text in longest_first) + ")")
    # What is left open goes on as what it was meant to be, up to a place where it surely had to end.
    parts.append(r"(?P<OPEN_TEXT>\"\"\".*?(?=\n(?:" + "|".join(sorted(w.lower() for w in TOP_WORDS)) + r")\b|\Z))")
    parts.append(r"(?P<OPEN_STRING>\"[^\n]*)")
    parts.append(r"(?P<UNKNOWN>.)")
    return Words(re.compile("|".join(parts), re.S), keywords, symbols)


def lex(text: str, words: Words) -> Iterator[Token]:
    """Every token of the text, comments and line ends ("COMMENT", "LINE") among them.

    What is no token is "UNKNOWN", "OPEN_STRING" or "OPEN_TEXT", which no rule of the grammar takes.
    """
    keywords, symbols = words.keywords, words.symbols
    for match in words.pattern.finditer(text):
        kind = match.lastgroup
        if kind == "SPACE":
            continue
        value = match.group()
        if kind == "NAME":
            kind = keywords.get(value, "NAME")
        elif kind == "SYMBOL":
            kind = symbols[value]
        yield Token(kind or "UNKNOWN", value, match.start(), match.end())


@dataclass(frozen=True, slots=True)
class Segment:
    """The tokens of one top-level statement, line ends as `_NL`; `doc` the `##` lines right before it."""

    tokens: tuple[Token, ...]
    doc: str


@dataclass(frozen=True, slots=True)
class Segments:
    doc: str
    segments: tuple[Segment, ...]


def segments(text: str, words: Words) -> Segments:
    """Cut at each top-level word that begins a line, at depth 0 or in column 0: a mistake stays in its block."""
    cutter = _Cutter(text)
    for token in lex(text, words):
        cutter.take(token)
    return cutter.done()


class _Cutter:
    """One pass over the tokens. Mutable only while the pass lasts."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[Segment] = []
        self.current: list[Token] = []
        self.depth = 0  # of ( and [
        self.braces = 0
        self.pending: Token | None = None  # a line end that has yet to prove itself
        self.doc: list[str] = []
        self.current_doc = ""
        self.file_doc: list[str] = []
        self.lines_since_doc = 0

    def take(self, token: Token) -> None:
        kind = token.kind
        if kind == "LINE":
            self._line_end(token)
        elif kind == "COMMENT":
            self._comment(token)
        else:
            self._word(token)

    def done(self) -> Segments:
        self._finish()
        self._drop_doc()
        return Segments("\n".join(self.file_doc), tuple(self.found))

    def _line_end(self, token: Token) -> None:
        self.lines_since_doc += 1
        if self.lines_since_doc > 1:
            self._drop_doc()
        if self.pending is None and self.current and not self.depth:
            self.pending = token

    def _comment(self, token: Token) -> None:
        if not token.text.startswith("##") or (self.current and self.braces):
            return
        self.doc.append(token.text[2:].strip())
        self.lines_since_doc = 0

    def _drop_doc(self) -> None:
        self.file_doc += self.doc
        self.doc = []

    def _word(self, token: Token) -> None:
        kind = token.kind
        if kind in ("_ASSIGN", "_COLON") and self.current:
            self._free_the_word_before()
        begins_line = self.pending is not None or not self.current
        if kind in TOP_WORDS and begins_line and self._begins_statement(token):
            self._finish()
            self.current_doc = "\n".join(self.doc)
            self.doc = []
        elif self.pending is not None:
            self._settle_line_end(kind)
        self.current.append(token)
        self._count(kind)

    def _free_the_word_before(self) -> None:
        before = self.current[-1]
        if before.kind != "NAME" and before.text.isidentifier() and before.kind not in ALWAYS_WORDS:
            self.current[-1] = before._replace(kind="NAME")

    def _begins_statement(self, token: Token) -> bool:
        """A top word starts a statement unless it is the name of a line, as in `data = 3`."""
        if self.braces == 0:
            return True
        in_first_column = token.start == 0 or self.text[token.start - 1] == "\n"
        return in_first_column and not re.match(r"[ \t]*(=(?!=)|:)", self.text[token.end : token.end + 40])

    def _settle_line_end(self, next_kind: str) -> None:
        line_end, self.pending = self.pending, None
        last = self.current[-1].kind if self.current else "_NL"
        if last in GOES_ON_AFTER or last in ("_NL", "_LBRACE") or next_kind in ("_RBRACE", "_NL"):
            return
        if self.braces == 0 and next_kind in BREAKS_BEFORE:
            return
        if line_end is not None:
            self.current.append(line_end._replace(kind="_NL"))

    def _count(self, kind: str) -> None:
        if kind == "_LBRACE":
            self.braces += 1
            self.depth = 0
        elif kind == "_RBRACE":
            self.braces = max(0, self.braces - 1)
            self.depth = 0
        elif kind in OPENS:
            self.depth = max(0, self.depth + OPENS[kind])

    def _finish(self) -> None:
        if self.current:
            tokens = _without_idle_line_ends(self.current)
            self.found.append(Segment(tokens, self.current_doc))
        self.current, self.current_doc, self.pending = [], "", None
        self.depth = self.braces = 0


def _without_idle_line_ends(tokens: list[Token]) -> tuple[Token, ...]:
    """Drop `;` that ends nothing: doubled, after `{`, before `}`, or last."""
    kept: list[Token] = []
    for token in tokens:
        if token.kind == "_NL" and (not kept or kept[-1].kind in ("_NL", "_LBRACE")):
            continue
        if token.kind == "_RBRACE" and kept and kept[-1].kind == "_NL":
            kept.pop()
        kept.append(token)
    while kept and kept[-1].kind == "_NL":
        kept.pop()
    return tuple(kept)
