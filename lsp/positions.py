"""Offsets of a text <-> lines and characters as an editor counts them, and a text with an editor's changes made."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import Literal, NamedTuple

Encoding = Literal["utf-8", "utf-16", "utf-32"]

# An editor ends lines with these three and no others.
LINE_END = re.compile(r"\r\n|\n|\r")


class Position(NamedTuple):
    """Both counted from 0; `character` in units of the encoding."""

    line: int
    character: int


class Change(NamedTuple):
    """`text` in the place of `start` to `end`; of the whole text where they are None."""

    start: Position | None
    end: Position | None
    text: str


class Lines:
    """A text cut into lines, as one encoding counts them."""

    def __init__(self, text: str, encoding: Encoding = "utf-16") -> None:
        self.text, self.encoding = text, encoding
        self.starts = [0, *_starts(text)]

    def position(self, offset: int) -> Position:
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self.starts, offset) - 1
        return Position(line, _units(self.text[self.starts[line] : offset], self.encoding))

    def offset(self, position: Position) -> int:
        """What lies beyond a line's end is its end; beyond the last line, that of the text."""
        if position.line >= len(self.starts):
            return len(self.text)
        start = self.starts[max(position.line, 0)]
        line = self.text[start : self.end(position.line)]
        return start + _characters(line, position.character, self.encoding)

    def end(self, line: int) -> int:
        """Where a line's own characters end."""
        if line + 1 >= len(self.starts):
            return len(self.text)
        start, end = self.starts[line], self.starts[line + 1]
        return start + len(self.text[start:end].rstrip("\r\n"))

    def line_of(self, offset: int) -> int:
        return bisect_right(self.starts, offset) - 1


def _starts(text: str) -> Iterable[int]:
    if "\r" in text:
        return (match.end() for match in LINE_END.finditer(text))
    lengths = (len(line) + 1 for line in text.split("\n")[:-1])
    return accumulate(lengths)


def _units(text: str, encoding: Encoding) -> int:
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-8":
        return len(text.encode(errors="surrogatepass"))
    return len(text) + sum(character > "\uffff" for character in text)


def _characters(line: str, units: int, encoding: Encoding) -> int:
    """How many characters make up so many units; one that is cut counts as not there."""
    if encoding == "utf-32" or line.isascii():
        return min(max(units, 0), len(line))
    taken = 0
    for count, character in enumerate(line):
        taken += _units(character, encoding)
        if taken > units:
            return count
    return len(line)


def changed(text: str, changes: Iterable[Change], encoding: Encoding) -> str:
    for change in changes:
        if change.start is None or change.end is None:
            text = change.text
            continue
        lines = Lines(text, encoding)
        text = text[: lines.offset(change.start)] + change.text + text[lines.offset(change.end) :]
    return text
