"""A spec's text, and places in it."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start:end` of the file `path`, as offsets from the start of its text."""

    path: str
    start: int
    end: int

    def to(self, other: Span) -> Span:
        return Span(self.path, self.start, max(self.end, other.end))

    def inner(self, start: int, end: int) -> Span:
        """The characters `start:end` within this span."""
        return Span(self.path, self.start + start, self.start + end)


@dataclass(frozen=True, slots=True)
class Source:
    path: str
    text: str
    _starts: list[int] = field(default_factory=list, compare=False, repr=False)

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both counted from 1."""
        starts = self._line_starts()
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its end."""
        starts = self._line_starts()
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")

    def _line_starts(self) -> list[int]:
        if not self._starts:
            self._starts.append(0)
            find = self.text.find
            at = find("\n")
            while at >= 0:
                self._starts.append(at + 1)
                at = find("\n", at + 1)
        return self._starts
