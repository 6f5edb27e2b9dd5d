"""A mistake, as data: which one, where, with which facts. The words for it live in `codes.py`."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .source import Span


@dataclass(frozen=True, slots=True)
class Label:
    """A further place that explains the mistake."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """A mechanical repair: put `text` in the place of `span`."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """`facts` fill the title of the code; `note` stands under the underlined place; `help` says the way out."""

    code: str
    span: Span
    facts: Mapping[str, object] = field(default_factory=dict)
    note: str = ""
    labels: tuple[Label, ...] = ()
    help: str = ""
    fix: Fix | None = None


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, if one is close enough."""
    known = list(known)
    for candidate in known:
        if candidate.casefold() == word.casefold():
            return candidate
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return close[0] if close else None


def listing(words: Iterable[str], limit: int = 8) -> str:
    """`a, b, c, … and 4 more`, for the note of a diagnostic."""
    words = list(words)
    if len(words) <= limit:
        return ", ".join(words)
    return ", ".join(words[:limit]) + f", … and {len(words) - limit} more"
