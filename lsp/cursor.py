"""A text and a place in it -> what is being written there. Works on tokens, since a line that is being written is broken."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..grammar.chunks import BEGINS
from ..grammar.table import table
from ..grammar.tokens import Token, lex, segments

MARK = "cursor__"  # stands where the word at the cursor is, so that lines and statements are cut as they will be
KINDS = frozenset({"DATA", "MODEL", "SERVICE"})
QUOTES = {"OPEN_STRING": 1, "OPEN_TEXT": 3}
WORD = re.compile(r"\w*\Z")
FILE = re.compile(r"[\w./-]*")


@dataclass(frozen=True, slots=True)
class Fed:
    """An input as written: `name` is an artifact's, or a source's word; `place` its quoted place, None without one."""

    name: str
    place: str | None = None
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """`kind` is the first word of the statement, "" for none. `alias` and `place` are those of a `use`, `runtime` that
    of an `env`."""

    kind: str = ""
    names: tuple[str, ...] = ()
    inputs: tuple[Fed, ...] = ()
    recipe: str = ""
    place: str | None = None
    runtime: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """`word` is what was written of the word at hand, `start` where it begins: that is replaced.

    `header` tokens and those of the `line` stand before it. `quoted` is the text since an open quote, None outside of
    quotes; `given` are the names of arguments and columns that other lines of the body give.
    """

    offset: int
    start: int
    word: str
    header: Header
    before: tuple[Token, ...]
    line: tuple[Token, ...]
    in_body: bool
    quoted: str | None = None
    quotes: int = 0
    query: bool = False
    comment: bool = False
    given: frozenset[str] = frozenset()
    lines: frozenset[str] = frozenset()

    @property
    def last(self) -> str:
        """The kind of the token before the word."""
        tokens = self.line if self.in_body else self.before
        return tokens[-1].kind if tokens else ""

    @property
    def in_query(self) -> bool:
        """Not where the quotes may hold a query's file as well."""
        return self.query and (self.quotes == 3 or FILE.fullmatch(self.quoted or "") is None)

    @property
    def replaced(self) -> int:
        """Where that begins which a completion takes the place of: a word, or all that stands in quotes."""
        return self.offset - len(_word_at(self.quoted or "")) if self.in_query else self.start

    @property
    def dotted(self) -> bool:
        """A dot stands right before the word, or before its quote."""
        return self.last == "DOT"


def cursor(text: str, offset: int) -> Cursor:
    begin = _begin(text, offset)
    piece = text[begin:offset]
    last = _last_token(piece)
    if last is not None and last.kind == "COMMENT":
        return _Reader(text, begin, offset, _word_at(piece)).read(comment=True)
    if last is not None and last.kind in QUOTES:
        quotes = QUOTES[last.kind]
        word = last.text[quotes:]
        return _Reader(text, begin, offset, word, quotes).read(quoted=word, query=quotes == 3)
    return _Reader(text, begin, offset, _word_at(piece)).read()


def _word_at(piece: str) -> str:
    found = WORD.search(piece)
    return found[0] if found else ""


def _begin(text: str, offset: int) -> int:
    """Where the statement that holds the offset begins; a line of a query may look like a header."""
    starts = [match.start() for match in BEGINS.finditer(text, 0, offset)]
    for start in reversed(starts):
        if text.count('"""', 0, start) % 2 == 0:
            return start
    return 0


def _last_token(piece: str) -> Token | None:
    last = None
    for last in lex(piece, table().words):  # noqa: B007
        pass
    return last


class _Reader:
    """Cuts one statement where the cursor stands in it."""

    def __init__(self, text: str, begin: int, offset: int, word: str, quotes: int = 0) -> None:
        self.text, self.begin, self.offset, self.word, self.quotes = text, begin, offset, word, quotes
        self.start = offset - len(word)

    def read(self, *, quoted: str | None = None, query: bool = False, comment: bool = False) -> Cursor:
        tokens = self._before()
        opened = next((i for i, token in enumerate(tokens) if token.kind == "_LBRACE"), None)
        whole = self._whole(tokens)
        body = tokens[opened + 1 :] if opened is not None else ()
        given, lines = _given(whole, self.start)
        return Cursor(
            self.offset, self.start, self.word, _header(whole),
            tuple(tokens[:opened]), tuple(_last_line(body)), opened is not None,
            quoted, self.quotes, query or (quoted is not None and opened is None and _begins_query(tokens)), comment, given, lines,
        )  # fmt: skip

    def _before(self) -> Sequence[Token]:
        """The tokens of the statement before the word. A dot that begins a column stands apart, as "DOT"."""
        piece = self.text[self.begin : self.start - self.quotes]
        dotted = piece.endswith(".") and not piece.endswith("..")
        piece = piece[:-1] if dotted else piece
        gap = "." if dotted else "" if piece[-1:].isspace() else " "
        cut = segments(piece + gap + MARK, table().words).segments
        tokens = cut[-1].tokens[:-1] if cut else ()
        shifted = [t._replace(start=t.start + self.begin, end=t.end + self.begin) for t in tokens]
        if dotted:
            shifted.append(Token("DOT", ".", self.start - self.quotes - 1, self.start - self.quotes))
        return shifted

    def _whole(self, before: Sequence[Token]) -> Sequence[Token]:
        """All tokens of the statement, those behind the cursor among them."""
        if not before:
            return ()
        first = before[0].start
        after = BEGINS.search(self.text, self.offset)
        end = after.start() if after else len(self.text)
        cut = segments(self.text[first:end], table().words).segments
        tokens = cut[0].tokens if cut else ()
        return [t._replace(start=t.start + first, end=t.end + first) for t in tokens]


def _last_line(tokens: Sequence[Token]) -> Sequence[Token]:
    ends = [i for i, token in enumerate(tokens) if token.kind == "_NL"]
    return tokens[ends[-1] + 1 :] if ends else tokens


def _begins_query(tokens: Sequence[Token]) -> bool:
    return bool(tokens) and tokens[-1].text == "sql"


def _given(tokens: Sequence[Token], at: int) -> tuple[frozenset[str], frozenset[str]]:
    """What the lines of a body give, and with which words they begin; the line at the cursor left out."""
    names, words = set(), set()
    for first, second in pairwise(tokens):
        if first.kind not in ("_LBRACE", "_NL") or second.start <= at <= second.end:
            continue
        words.add(second.text)
        if second.kind in ("NAME", "STRING"):
            names.add(second.text.strip('"'))
    return frozenset(names), frozenset(words)


# --- the header -----------------------------------------------------------------------------------------------------


def _header(tokens: Sequence[Token]) -> Header:
    if not tokens:
        return Header()
    end = next((i for i, token in enumerate(tokens) if token.kind == "_LBRACE"), len(tokens))
    first, rest = tokens[0], [token for token in tokens[1:end] if token.kind != "_NL"]
    match first.kind:
        case "DATA" | "MODEL" | "SERVICE":
            return _of_block(first.text, rest)
        case "USE":
            place = next((_unquoted(token) for token in rest if token.kind == "STRING"), None)
            return Header("use", tuple(token.text for token in rest if token.kind == "NAME"), place=place)
        case "ENV":
            names = [token.text for token in rest if token.kind == "NAME"]
            return Header("env", tuple(names[:1]), runtime=names[1] if len(names) > 1 else "")
        case "PARAM" | "SECRET" | "MLSPEC":
            return Header(first.text, tuple(token.text for token in rest[:1] if token.kind == "NAME"))
        case _:
            return Header()


def _of_block(kind: str, rest: Sequence[Token]) -> Header:
    parts: dict[str, list[Token]] = {"names": [], "FROM": [], "BY": []}
    part = "names"
    for token in rest:
        if token.kind in parts:
            part = token.kind
        else:
            parts[part].append(token)
    recipe, place = _recipe(parts["BY"])
    names = tuple(token.text for token in parts["names"] if token.kind == "NAME")
    return Header(kind, names, tuple(_inputs(parts["FROM"])), recipe, place)


def _recipe(tokens: Sequence[Token]) -> tuple[str, str | None]:
    words = "".join(token.text for token in tokens if token.kind in ("NAME", "COLUMN"))
    place = next((_unquoted(token) for token in tokens if token.kind in ("STRING", "TEXT")), None)
    return words, place


def _inputs(tokens: Sequence[Token]) -> list[Fed]:
    found: list[Fed] = []
    items: list[list[Token]] = [[]]
    for token in tokens:
        if token.kind == "_COMMA":
            items.append([])
        elif token.kind != "LAST":
            items[-1].append(token)
    for item in items:
        alias = next((b.text for a, b in pairwise(item) if a.kind == "_AS"), "")
        place = next((_unquoted(token) for token in item if token.kind in ("STRING", "TEXT")), None)
        name = "".join(token.text for token in _first_name(item))
        if name:
            found.append(Fed(name, place, alias))
    return found


def _first_name(item: Sequence[Token]) -> Sequence[Token]:
    end = 1
    while end < len(item) and item[end].kind == "COLUMN":
        end += 1
    return item[:end] if item and item[0].kind == "NAME" else ()


def _unquoted(token: Token) -> str:
    return token.text[3:-3] if token.kind == "TEXT" else token.text[1:-1]
