"""A spec -> what each piece of it is, for an editor's colours. Each statement's tokens are found once."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from ..grammar.chunks import Chunk, chunks
from ..grammar.editors.classes import classes
from ..grammar.editors.looks import LOOKS

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
