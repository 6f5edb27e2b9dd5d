"""A spec -> what each piece of it is, for an editor's colours. Each statement's tokens are found once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from ..grammar.chunks import Chunk, chunks
from ..grammar.editors.classes import classes
from ..grammar.editors.looks import LOOKS
from .positions import Lines

TYPES = tuple(dict.fromkeys(look.semantic for look in LOOKS.values() if look.semantic))
MODIFIERS = ("declaration", "documentation")
_MODIFIER = {"name": 1, "doc": 2}


class Coloured(NamedTuple):
    """`type` counts in TYPES, `modifiers` is a bit for each of MODIFIERS."""

    start: int
    end: int
    type: int
    modifiers: int


def coloured(text: str) -> Iterator[Coloured]:
    for chunk in chunks(text) or [Chunk(0, text)]:
        for one in _of(chunk.text):
            yield Coloured(one.start + chunk.start, one.end + chunk.start, one.type, one.modifiers)


@lru_cache(maxsize=20_000)
def _of(text: str) -> tuple[Coloured, ...]:
    found = []
    for part in classes(text):
        semantic = LOOKS[part.of].semantic
        if semantic and part.end > part.start:
            found.append(Coloured(part.start, part.end, TYPES.index(semantic), _MODIFIER.get(part.of, 0)))
    return tuple(found)


def encoded(text: str, lines: Lines, start: int = 0, end: int | None = None) -> list[int]:
    """As the protocol has them: five numbers each, of which the first two count from the token before."""
    found: list[int] = []
    end = len(text) if end is None else end
    last_line = last_character = 0
    for one in coloured(text):
        if one.end < start or one.start > end:
            continue
        for first, last in _by_line(text, one.start, one.end):
            line, character = lines.position(first)
            length = last - first if text.isascii() else lines.position(last).character - character
            found += (
                line - last_line,
                character - (0 if line > last_line else last_character),
                length,
                one.type,
                one.modifiers,
            )
            last_line, last_character = line, character
    return found


def _by_line(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A token of several lines is one on each."""
    while (at := text.find("\n", start, end)) >= 0:
        last = at - (text[at - 1] == "\r")
        if last > start:
            yield start, last
        start = at + 1
    if end > start:
        yield start, end
