"""Tokens and their kinds -> words for a sentence: never a terminal's name."""

from __future__ import annotations

from collections.abc import Sequence

from .table import table
from .tokens import GOES_ON_AFTER, Token

WORDS_FOR = {
    "NAME": "a name",
    "STRING": "a quoted text",
    "TEXT": "a text in triple quotes",
    "COLUMN": "a column such as .name",
    "NUMBER": "a number",
    "DATE": "a date",
    "TIME": "a time such as 02:00",
    "_COMMA": "a comma",
    "$END": "the end of the line",
    "_NL": "the end of the line",
}
VALUE = {"NUMBER", "STRING", "TEXT", "DATE", "TRUE", "FALSE", "NAME", "COLUMN", "LAST", "LBRACKET", "LPAREN", "MINUS"}
OPERATORS = GOES_ON_AFTER - {"_COMMA", "NOT"} | {"TO"}


def wanted(expected: frozenset[str], before: Token | None) -> str:
    """What would have fitted, in a few words."""
    left = set(expected)
    parts: list[str] = []
    if before is not None and before.kind == "_COLON" and "NAME" in left:
        return "a type such as int or text"
    if {"NUMBER", "STRING", "LPAREN"} <= left:
        parts.append("a value")
        left -= VALUE | {"NOT", "TO"}
    elif {"STRING", "TEXT"} <= left:
        parts.append("a quoted text")
        left -= {"STRING", "TEXT"}
    if len(left & OPERATORS) > 3:
        parts.append("an operator")
        left -= OPERATORS | {"NOT"}
    words = {kind: word for word, kind in (table().words.keywords | table().words.symbols).items()}
    parts += sorted({WORDS_FOR.get(kind) or words[kind] for kind in left}, key=_articles_then_words_then_signs)
    end = WORDS_FOR["$END"]
    return _or([word for word in parts if word != end] + [end] * (end in parts))


def _articles_then_words_then_signs(word: str) -> tuple[bool, bool, str]:
    return not word.startswith("a "), not word.isalpha(), word


def _or(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return ", ".join(words[:-1]) + " or " + words[-1]


def shown(text: str) -> str:
    """A piece of the user's text within a sentence."""
    first = "".join(character if character.isprintable() else " " for character in text.split("\n")[0][:50])
    return first if len(first) <= 40 else first[:39] + "…"


def named(character: str) -> str:
    """A character that cannot be seen goes by its number."""
    return character if character.isprintable() and not character.isspace() else f"the character U+{ord(character):04X}"
