"""A spec -> the edits that bring it, or some of its lines, into the one layout."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from ..grammar.format import format_text
from .rename import Edit


def layout(path: str, text: str) -> list[Edit]:
    """The lines that would be others, and no more, so that a cursor stays where it is. None while it cannot be read."""
    line_end = "\r\n" if "\r\n" in text else "\n"
    after = format_text(text.replace("\r\n", "\n"), path)
    if after is None:
        return []
    return list(_edits(path, text, after.replace("\n", line_end)))


def layout_of(path: str, text: str, start: int, end: int) -> list[Edit]:
    return [edit for edit in layout(path, text) if edit.start <= end and start <= edit.end]


def _edits(path: str, before: str, after: str) -> Iterator[Edit]:
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if tag != "equal":
            yield Edit(path, starts[i], starts[j], "".join(new[k:m]))
