"""A text -> pieces that can be read one by one, so that an edit reads one of a thousand again.

A piece begins with a word of the top level in the first column, or with the comments right above it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

BEGINS = re.compile(r"^(?:data|model|service|param|secret|env|use|mlspec)\b", re.M)


@dataclass(frozen=True, slots=True)
class Chunk:
    """`start` is where its text begins in the whole."""

    start: int
    text: str


def chunks(text: str) -> list[Chunk] | None:
    """None where the text cannot be cut: a text in triple quotes is left open, and may reach anywhere."""
    quotes = text.count('"""')
    if quotes % 2:
        return None
    starts = [0]
    for match in BEGINS.finditer(text):
        start = _with_comments(text, match.start())
        if start > starts[-1]:
            starts.append(start)
    pieces = [Chunk(a, text[a:b]) for a, b in zip(starts, [*starts[1:], len(text)], strict=True)]
    return _with_whole_texts(pieces) if quotes else pieces


def _with_comments(text: str, start: int) -> int:
    """Where the comment lines begin that stand right above a statement."""
    while start:
        line = text.rfind("\n", 0, start - 1) + 1
        if text[line] != "#":
            break
        start = line
    return start


def _with_whole_texts(pieces: list[Chunk]) -> list[Chunk]:
    """A line of a text in triple quotes may look like a header: what is between two marks stays together."""
    whole: list[Chunk] = []
    is_open = False
    for piece in pieces:
        if is_open:
            last = whole.pop()
            piece_ = Chunk(last.start, last.text + piece.text)
        else:
            piece_ = piece
        is_open = piece_.text.count('"""') % 2 == 1
        whole.append(piece_)
    return whole
