"""What the compiler tells of a spec -> what an editor shows, by file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..grammar.codes import CODES, Severity
from ..grammar.diagnostic import Diagnostic
from ..grammar.render import title
from ..grammar.source import Span
from .analysis import Analysis

GIVEN_BY_ITS_USER = "E107"  # a param without a value


@dataclass(frozen=True, slots=True)
class Told:
    """One mistake. `related` are further places and what is said of them."""

    code: str
    severity: Severity
    span: Span
    message: str
    related: tuple[tuple[Span, str], ...]


def told(analysis: Analysis, *, is_used: bool = False) -> dict[str, list[Told]]:
    """By the path of the file; those of the spec itself are there even if there are none. A spec that others use
    gets its params from them."""
    found: dict[str, list[Told]] = {analysis.path: []}
    for one in _of_this_spec(analysis, is_used):
        found.setdefault(one.span.path, []).append(_told(one))
    return found


def _of_this_spec(analysis: Analysis, is_used: bool) -> Iterator[Diagnostic]:
    for one in analysis.compiled.diagnostics:
        if not (is_used and one.code == GIVEN_BY_ITS_USER and one.span.path == analysis.path):
            yield one


def _told(one: Diagnostic) -> Told:
    message = title(one)
    if one.note:
        message += f"\n{one.note}"
    if one.help:
        message += f"\nhelp: {one.help}"
    related = tuple((label.span, label.text) for label in one.labels)
    return Told(one.code, CODES[one.code].severity, one.span, message, related)


def merged(many: Iterable[Iterable[Told]]) -> list[Told]:
    """What several specs tell of one file, each once."""
    seen = {(one.span, one.code, one.message): one for some in many for one in some}
    return sorted(seen.values(), key=lambda one: (one.span.start, one.span.end, one.code))
