"""Text -> what each piece of it is. Works on tokens, so a text that is broken keeps its colours around the break.

The reference for every highlighter, and what the language server tells. A plain word is told apart by what stands
before it in its statement (`Meaning`) and by the token after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from ..kinds import FLAGS, RECIPES
from ..table import table
from ..tokens import ARITHMETIC, COMPARATORS, Token, segments

Class = Literal[
    "comment", "doc", "kind", "keyword", "boolean", "name", "reference", "recipe", "type", "column", "argument",
    "function", "number", "unit", "date", "string", "sql", "operator", "punctuation",
]  # fmt: skip

# What a plain word is where nothing after it says more: a class, or "from" and "by", where the word is a recipe or not.
Meaning = Class | Literal["from", "by"]


class Part(NamedTuple):
    """The characters `start:end` are of this class."""

    start: int
    end: int
    of: Class


KINDS = frozenset({"DATA", "MODEL", "SERVICE"})
OPERATORS = COMPARATORS | ARITHMETIC | {"_ASSIGN", "_BAR", "OPTIONAL", "TO"}
QUOTED = frozenset({"STRING", "TEXT", "OPEN_STRING", "OPEN_TEXT"})
PLACES = QUOTED | {"NAME"}
STARTS_LINE = frozenset({"_LBRACE", "_NL"})
# After this token a plain word is this, until another such token comes.
TURNS: dict[str, Meaning] = {
    **dict.fromkeys(("DATA", "MODEL", "SERVICE", "PARAM", "SECRET", "ENV", "USE"), "name"),
    "FROM": "from",
    "BY": "by",
    "_COLON": "type",
    "MEASURE": "function",
    "EVERY": "date",
    **dict.fromkeys(("_LBRACE", "_NL", "_ASSIGN", "IN", "EXPECT", "_ON"), "reference"),
}
CLASSES: dict[str, Class] = {
    **dict.fromkeys(KINDS, "kind"),
    "TRUE": "boolean",
    "FALSE": "boolean",
    "COLUMN": "column",
    "DATE": "date",
    "TIME": "date",
    "STRING": "string",
    "OTHER_QUOTES": "string",
    "OPEN_STRING": "string",
    **dict.fromkeys(OPERATORS, "operator"),
}
BETWEEN = re.compile(r"#[^\n]*|;")  # what segments leave out: comments, and a `;` that ends nothing
NUMBER = re.compile(r"\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?")


def classes(text: str) -> list[Part]:
    """Every token of the text and every comment, in order."""
    parts: list[Part] = []
    end = 0
    for segment in segments(text, table().words).segments:
        tokens = segment.tokens
        for token, token_parts in zip(tokens, _of_statement(tokens), strict=True):
            parts += _between(text, end, token.start)
            parts += token_parts
            end = token.end
    return [*parts, *_between(text, end, len(text))]


def _between(text: str, start: int, end: int) -> Iterator[Part]:
    for found in BETWEEN.finditer(text, start, end):
        if found[0] == ";":
            yield Part(*found.span(), "punctuation")
        else:
            yield Part(
                found.start(), found.start() + len(found[0].rstrip()), "doc" if found[0][1:2] == "#" else "comment"
            )


def _of_statement(tokens: Sequence[Token]) -> Iterator[list[Part]]:
    meaning: Meaning = "reference"
    in_body = False
    for index, token in enumerate(tokens):
        kind = token.kind
        if kind == "NAME":
            yield [Part(token.start, token.end, _of_word(tokens, index, meaning, in_body))]
        elif kind in QUOTED:
            yield _of_quoted(tokens, index, in_body)
        else:
            yield _of_other(token)
        in_body = in_body or kind == "_LBRACE"
        meaning = "recipe" if kind == "_ON" and not in_body else TURNS.get(kind, meaning)


def _of_word(tokens: Sequence[Token], index: int, meaning: Meaning, in_body: bool) -> Class:
    before = tokens[index - 1].kind if index else "_NL"
    after = tokens[index + 1].kind if index + 1 < len(tokens) else "_NL"
    if before == "_AS" or meaning == "name":
        return "name"
    if in_body and after == "_COLON":
        return "column"
    if in_body and (after == "_ASSIGN" or (after == "IN" and before in STARTS_LINE)):
        return "argument"
    if before == "_COMMA" and tokens[index].text in FLAGS and after != "LPAREN":
        return "keyword"
    if after == "LPAREN":
        return "function"
    return _of_plain_word(tokens[index].text, meaning, after)


def _of_plain_word(word: str, meaning: Meaning, after: str) -> Class:
    if meaning == "from" or meaning == "by":
        is_recipe = after in PLACES or (meaning == "by" and after != "COLUMN" and _is_recipe(word))
        return "recipe" if is_recipe else "reference"
    return "recipe" if meaning == "function" and after in QUOTED else meaning


def _is_recipe(word: str) -> bool:
    return word in RECIPES and not RECIPES[word].source


def _of_quoted(tokens: Sequence[Token], index: int, in_body: bool) -> list[Part]:
    """A query is a text of its own within its quotes."""
    start, end, quote = tokens[index].start, tokens[index].end, 3 if tokens[index].kind.endswith("TEXT") else 1
    after = tokens[index + 1].kind if index + 1 < len(tokens) else "_NL"
    if in_body and after == "_COLON":
        return [Part(start, end, "column")]
    if not _is_query(tokens, index, in_body):
        return [Part(start, end, "string")]
    closed = end - quote if tokens[index].kind in ("STRING", "TEXT") else end
    parts = [Part(start, start + quote, "string"), Part(start + quote, closed, "sql"), Part(closed, end, "string")]
    return [part for part in parts if part.start < part.end]


def _is_query(tokens: Sequence[Token], index: int, in_body: bool) -> bool:
    """Behind `by sql`, and as a source's argument `query =`. One line that ends in .sql is a file."""
    words = [token.text for token in tokens[max(0, index - 2) : index]]
    if words != ["query", "="] if in_body else words[1:] != ["sql"]:
        return False
    return tokens[index].kind.endswith("TEXT") or not tokens[index].text.strip('"').strip().lower().endswith(".sql")


def _of_other(token: Token) -> list[Part]:
    kind, text, start, end = token
    if kind == "NUMBER":
        number = NUMBER.match(text)
        middle = start + number.end() if number else start
        return (
            [Part(start, middle, "number"), Part(middle, end, "unit")] if middle < end else [Part(start, end, "number")]
        )
    if kind in CLASSES:
        return [Part(start, end, CLASSES[kind])]
    if kind == "UNKNOWN" or text == "\n":
        return []
    return [Part(start, end, "keyword" if text.isalpha() else "punctuation")]
