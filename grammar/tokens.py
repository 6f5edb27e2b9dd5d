"""Text -> tokens, cut into statements, with line ends where a line ends. The words are read from the grammar.

A line of a body ends where the line ends, but for inside brackets and after a comma or an operator; a header may
also break before `from`, `by` and `{`. What follows a closed body is a statement of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

TOP_WORDS = frozenset({"MLSPEC", "DATA", "MODEL", "SERVICE", "PARAM", "SECRET", "ENV", "USE"})
LINE_WORDS = frozenset({"PREDICT", "SEARCH", "MEASURE", "EXPECT", "NEEDS", "EVERY", "EACH", "SET"})
ALWAYS_WORDS = frozenset({"IN", "AND", "OR", "NOT", "ELSE", "TRUE", "FALSE"})
COMPARATORS = frozenset({"EQUAL", "UNEQUAL", "LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL"})
ARITHMETIC = frozenset({"PLUS", "MINUS", "TIMES", "DIVIDE"})
GOES_ON_AFTER = COMPARATORS | ARITHMETIC | {"_COMMA", "_BAR", "AND", "OR", "NOT", "ELSE", "IN"}
BREAKS_BEFORE = frozenset({"FROM", "BY", "_LBRACE"})
OPENS = {"LPAREN": 1, "LBRACKET": 1, "RPAREN": -1, "RBRACKET": -1}
HAS_OPTIONS = frozenset({"NEEDS", "SEARCH"})
COMMENTS = (["DIVIDE", "DIVIDE"], ["MINUS", "MINUS"])
HAVE_NO_BODY = frozenset({"MLSPEC", "PARAM", "SECRET"})
STRANGE_STARTS = frozenset({"UNKNOWN", "OTHER_QUOTES", "DIVIDE", "MINUS", "TIMES"})  # comments as others write them
NEVER_GOES_ON = STRANGE_STARTS | {"_RBRACE", "_LBRACE", "_NL", "RPAREN", "RBRACKET"}  # behind a closed body
ENDS_LINE = frozenset({"_NL", "_LBRACE"})
# Tokens that in the middle of a line change nothing but the line.
PLAIN = GOES_ON_AFTER - {"IN"} | {"NAME", "STRING", "TEXT", "COLUMN", "NUMBER", "DATE", "TIME", "TO", "OPTIONAL"}

IS_A_NAME = re.compile(r"[ \t]*(?:=(?!=)|:|in\b)")
HAS_MORE = re.compile(r"[ \t]*[^\s#]")  # the line has
NAMES_A_LINE = re.compile(r"[ \t]*(?:=(?!=)|:)")
MAY_BE_A_HEADER = re.compile(r"(?:\w+[ \t]+)?\w+(?:[ \t]*,[ \t]*\w+)*[ \t]+(?:from|by)\b")
NAMES_A_BLOCK = re.compile(r"\w+(?:[ \t]*,[ \t]*\w+)*[ \t]+(?:from|by)\b")  # its kind was left out
NAMES_A_COLUMN = re.compile(r"[ \t]*:")


class Token(NamedTuple):
    kind: str
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
    """`terminals` are (name, pattern, is it a regular expression)."""
    keywords = {text: name for name, text, is_regex in terminals if not is_regex and text.isalpha()}
    symbols = {text: name for name, text, is_regex in terminals if not is_regex and not text.isalpha()}
    regexes = {name: text for name, text, is_regex in terminals if is_regex}
    # What is left open goes on as what it was meant to be, up to a place where it surely had to end.
    top = "|".join(sorted(word.lower() for word in TOP_WORDS))
    # The special before the general, the long before the short.
    parts = [f"(?P<TEXT>{regexes['TEXT']})", rf'(?P<OPEN_TEXT>""".*?(?=\n(?:{top})\b|\Z))']
    parts += [f"(?P<{name}>{regexes[name]})" for name in ("STRING", "DATE", "TIME", "NUMBER", "NAME", "COLUMN")]
    parts.append("(?P<SYMBOL>" + "|".join(re.escape(text) for text in sorted(symbols, key=len, reverse=True)) + ")")
    parts.append(r'(?P<OPEN_STRING>"[^\n]*)')
    parts.append(r"""(?P<OTHER_QUOTES>'''(?s:.*?)'''|'[^'"\\\n]*'|‘[^’"\\\n]*’|“[^”"\\\n]*”|«[^»"\\\n]*»)""")
    parts.append(r"(?P<UNKNOWN>.)")
    # The space before a token is taken with it, and never given back: a long run of it stays linear.
    pattern = r"[ \t\r\f\ufeff]*+(?:(?P<LINE>\n)|(?P<COMMENT>#[^\n]*)|(?P<END>\Z)|" + "|".join(parts) + ")"
    return Words(re.compile(pattern, re.S), keywords, symbols)


def lex(text: str, words: Words) -> Iterator[Token]:
    """Every token of the text, comments and line ends ("COMMENT", "LINE") among them.

    What is no token is "UNKNOWN", "OTHER_QUOTES", "OPEN_STRING" or "OPEN_TEXT", which no rule of the grammar takes.
    """
    keywords, symbols, new = words.keywords, words.symbols, tuple.__new__
    for match in words.pattern.finditer(text):
        kind = match.lastgroup
        value = match[kind]  # type: ignore[index]
        if kind == "NAME":
            kind = keywords.get(value, "NAME")
        elif kind == "SYMBOL":
            kind = symbols[value]
        elif kind == "END":
            continue
        end = match.end()
        yield new(Token, (kind, value, end - len(value), end))


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
        self.column = 0  # where the statement at hand begins in its line
        self.depth = 0  # of ( and [
        self.braces = 0
        self.closed = False  # the statement's body is
        self.semicolons = False
        self.line_word = ""  # the kind of the first token in the line at hand
        self.pending: Token | None = None  # a line end that has yet to prove itself
        self.docs = _Docs()

    def take(self, token: Token) -> None:
        kind = token[0]
        if self.pending is None and kind in PLAIN and self.current and not self.closed:
            self.current.append(token)
        elif kind == "LINE":
            self.docs.line_end()
            if self.pending is None and self.current:
                self.pending = token
        elif kind == "COMMENT":
            if self.pending is not None or not self.current:
                self.docs.comment(token)
        else:
            self._word(token)

    def done(self) -> Segments:
        self._finish()
        return Segments(self.docs.rest(), tuple(self.found))

    def _word(self, token: Token) -> None:
        line_end, self.pending = self.pending, None
        if self.closed and self._goes_on_behind(token):
            self.closed, self.braces = False, 1
        if not self.current or self.closed or (line_end is not None and self._begins_statement(token)):
            self._finish()
            self._begin(token)
        elif line_end is not None:
            self._settle_line_end(line_end, token)
            self.docs.forget()
        elif token.kind in ("_ASSIGN", "_COLON", "IN") and (self.braces or self._is_orphan()):
            self._free_the_word_before(token.kind)
        if self.current and self.current[-1].kind in ENDS_LINE:
            self.line_word = token.kind
        self.current.append(token)
        if not self._is_comment():
            self._count(token.kind)

    def _is_comment(self) -> bool:
        """Whether the statement at hand is a comment as others write them: it ends with its line."""
        signs = [token.kind for token in self.current[:2]]
        return signs in COMMENTS and self.current[0].end == self.current[1].start

    def _begins_statement(self, token: Token) -> bool:
        """Of the first token in a line: does it stand where statements begin? So a mistake stays in its statement."""
        if self._is_comment():
            # The lines of a block whose header is commented out are the same mistake.
            return self._column(token) <= self.column and token.kind != "_RBRACE"
        if token.kind in TOP_WORDS:
            if self.braces == 0:
                return True
            return self._column(token) <= self.column and not IS_A_NAME.match(self.text, token.end)
        last = self.current[-1]
        lacks_value = last.kind in ("_COLON", "_ASSIGN", "FROM", "BY") and self._column(token) > self.column
        goes_on = self.depth or token.kind in BREAKS_BEFORE or last.kind in GOES_ON_AFTER or last.text == "\\"
        goes_on = goes_on or lacks_value
        may_begin = token.kind == "NAME" and len(self.current) > 1 and not self.braces and not goes_on
        if may_begin and (self.current[0].kind in HAVE_NO_BODY or NAMES_A_BLOCK.match(self.text, token.start)):
            return True
        if self.braces or goes_on or not (token.text.isidentifier() or token.kind in STRANGE_STARTS):
            return False
        if self._is_orphan():
            return self._column(token) < self.column
        return self._column(token) <= self.column

    def _is_orphan(self) -> bool:
        """Whether the statement at hand begins as a line of a body does whose header is missing: so do those below it."""
        first = self.current[0]
        return self.column > 0 and (first.kind in LINE_WORDS or bool(NAMES_A_LINE.match(self.text, first.end)))

    def _goes_on_behind(self, token: Token) -> bool:
        """Of what follows a closed body, in its line or the next: does it stand where only lines of that body do? Then
        its brace closes it too early."""
        ends = token.kind == "_COMMA" and not HAS_MORE.match(self.text, token.end)
        if ends or token.kind in NEVER_GOES_ON or self.current[0].kind in NEVER_GOES_ON:
            return False
        begins = token.kind in TOP_WORDS and not IS_A_NAME.match(self.text, token.end)
        if begins or MAY_BE_A_HEADER.match(self.text, token.start):
            return False
        lines = self.text.count("\n", self.current[-1].end, token.start)
        return not lines or (lines == 1 and (token.kind in LINE_WORDS or self._column(token) > self.column))

    def _column(self, token: Token) -> int:
        return token.start - self.text.rfind("\n", 0, token.start) - 1

    def _settle_line_end(self, line_end: Token, token: Token) -> None:
        last, kind = self.current[-1].kind, token.kind
        in_header = self.braces == 0 and not self._is_orphan()
        if last in ENDS_LINE or kind in ("_RBRACE", "_NL") or (in_header and kind in BREAKS_BEFORE):
            return
        if self.current[-1].text == "\\":  # as others break a line; that it is none of our signs is told
            return
        if (self.depth or last in GOES_ON_AFTER) and not self._surely_begins_line(token):
            return
        self.depth = 0
        self.current.append(line_end._replace(kind="_NL"))

    def _surely_begins_line(self, token: Token) -> bool:
        """Even within an open bracket and after a comma or an operator, so that the mistake stays in its line.

        `search trials = 40, folds = 5` may go on with a name and `=` after the comma; with a name and `:` nothing goes on.
        """
        if self.braces == 0:
            return False
        after_comma = not self.depth and self.current[-1].kind == "_COMMA"
        names = NAMES_A_LINE
        if after_comma and self.line_word in HAS_OPTIONS:
            names = NAMES_A_COLUMN
        elif after_comma and token.text != "unique":  # `id: int, unique in 1..9`
            names = IS_A_NAME
        if names.match(self.text, token.end):
            return token.kind == "STRING" or token.text.isidentifier()
        return token.kind in LINE_WORDS and not IS_A_NAME.match(self.text, token.end)

    def _free_the_word_before(self, kind: str) -> None:
        before = self.current[-1]
        if before.kind == "NAME" or before.kind in ALWAYS_WORDS or not before.text.isidentifier():
            return
        if kind != "IN" or len(self.current) == 1 or self.current[-2].kind in ENDS_LINE:
            self.current[-1] = before._replace(kind="NAME")

    def _count(self, kind: str) -> None:
        if kind == "_LBRACE":
            self.braces += 1
            self.depth = 0
        elif kind == "_RBRACE":
            # In a header it closes nothing, and the header goes on.
            self.closed = self.braces == 1 or len(self.current) == 1
            self.braces = max(0, self.braces - 1)
            self.depth = 0
        elif kind == "_NL":
            self.semicolons = True
        elif kind in OPENS:
            self.depth = max(0, self.depth + OPENS[kind])

    def _begin(self, token: Token) -> None:
        self.column = self._column(token)
        self.docs.begin_statement()
        self.current, self.closed, self.semicolons = [], False, False
        self.depth = self.braces = 0

    def _finish(self) -> None:
        tokens = _without_idle_line_ends(self.current) if self.semicolons else tuple(self.current)
        if tokens:
            self.found.append(Segment(tokens, self.docs.of_statement))


class _Docs:
    """Which `##` lines describe a statement: those right before it. Those that describe none describe the file."""

    def __init__(self) -> None:
        self.of_statement = ""
        self.of_file: list[str] = []
        self.lines: list[str] = []
        self.line_ends = 0

    def comment(self, token: Token) -> None:
        if token.text.startswith("##"):
            self.lines.append(token.text[2:].strip())
            self.line_ends = 0

    def line_end(self) -> None:
        self.line_ends += 1
        if self.line_ends > 1:
            self.of_file += self.lines
            self.lines = []

    def begin_statement(self) -> None:
        self.of_statement = "\n".join(self.lines)
        self.lines = []

    def forget(self) -> None:
        """They stood within a statement."""
        self.lines = []

    def rest(self) -> str:
        return "\n".join([*self.of_file, *self.lines])


def _without_idle_line_ends(tokens: list[Token]) -> tuple[Token, ...]:
    """Drop `;` that ends nothing: doubled, after `{`, before `}`, or last."""
    kept: list[Token] = []
    for token in tokens:
        if token.kind == "_NL" and (not kept or kept[-1].kind in ENDS_LINE):
            continue
        if token.kind == "_RBRACE" and kept and kept[-1].kind == "_NL":
            kept.pop()
        kept.append(token)
    while kept and kept[-1].kind == "_NL":
        kept.pop()
    return tuple(kept)
