"""A statement that could not be read as a whole -> its header, its lines and its braces, so that each is read apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import dropwhile, pairwise

from . import tree
from .habits import is_comment
from .misfit import fits
from .source import Span
from .tokens import COMPARATORS, HAVE_NO_BODY, LINE_WORDS, TOP_WORDS, Token
from .whole import breaks_off, names_itself

NEVER_BEGINS = COMPARATORS | frozenset(
    ["_ASSIGN", "_COLON", "_COMMA", "_BAR", "TO", "OPTIONAL", "PLUS", "AND", "OR", "ELSE", "IN", "AS", "_ON"]
)  # no line does
DECLARES = TOP_WORDS - {"MLSPEC", "ENV"}
HAS_NAMES = frozenset({"DATA", "MODEL", "SERVICE", "SECRET"})
STRAYS = frozenset({"_COMMA", "_COLON", "_ASSIGN", "_BAR", "LPAREN", "LBRACKET", "TIMES", "MINUS", "UNKNOWN"})
ENDS_NAMES = frozenset({"FROM", "BY", "NAME"})
BRACES = {"_LBRACE": 1, "_RBRACE": -1}


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


def is_a_rest(line: Sequence[Token], before: Sequence[Token]) -> bool:
    """Of a line behind one that could not be read: whether it belongs to that one, and is the same mistake."""
    if {token.kind for token in line} <= {"COLUMN", "_COMMA"}:
        return True
    return breaks_off(before) and not names_itself(line) and not fits(line, "line")


def words_of(line: Sequence[Token]) -> list[str]:
    """What a line may have been, or two that lost the end between them."""
    return [
        token.text if token.kind in LINE_WORDS else "" for token in line if token.kind in LINE_WORDS or token is line[0]
    ]


def brace_of_header(tokens: Sequence[Token]) -> Token | None:
    """A brace before the one that opens the body, or of a statement that has none."""
    braces = [i for i, token in enumerate(tokens) if token.kind == "_LBRACE"]
    if braces and tokens[0].kind in HAVE_NO_BODY:
        return tokens[braces[0]]
    if len(braces) < 2 or is_comment(tokens):
        return None
    first, second = tokens[braces[0]], tokens[braces[1]]
    header = [*tokens[: braces[0]], *tokens[braces[0] + 1 : braces[1] + 1], second._replace(kind="_RBRACE", text="}")]
    return first if fits(header, "statement") else None


def split(tokens: Sequence[Token]) -> Parts:
    """By the braces and, in the body, by its lines."""
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


def names_of(header: Sequence[Token], path: str) -> list[tree.Name]:
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
