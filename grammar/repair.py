"""Fixes applied to a text, and the fix of a mistake that says what was meant. Text -> text; nothing is read or written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from .codes import CODES
from .diagnostic import Diagnostic, Fix
from .source import Source, Span

MEANT = re.compile(r'did you mean "?(\S+?)"?\?')


@dataclass(frozen=True, slots=True)
class Change:
    """Lines of a file before and after, from line `line` on, counted from 1."""

    path: str
    line: int
    before: tuple[str, ...]
    after: tuple[str, ...]


def with_fix(one: Diagnostic, sources: Mapping[str, Source]) -> Diagnostic:
    """What is told with "did you mean" of exactly the word that is underlined can be put in its place."""
    meant = MEANT.match(one.help)
    source = sources.get(one.span.path)
    if one.fix is not None or meant is None or source is None:
        return one
    span = one.span
    written = source.text[span.start : span.end]
    word = _bare(written)
    if word not in {_bare(str(fact)) for fact in one.facts.values()}:
        return one
    return replace(one, fix=Fix(span, _dressed(_bare(meant[1]), written)))


def _bare(written: str) -> str:
    return written.removeprefix(".").strip('"')


def _dressed(word: str, written: str) -> str:
    """With the dot and the quotes of what it stands in for, and those that it needs itself."""
    dot = "." if written.startswith(".") else ""
    is_plain = word.isidentifier() and not written.removeprefix(".").startswith('"')
    return dot + (word if is_plain else f'"{word}"')


def without_overlap(fixes: Iterable[Fix]) -> list[Fix]:
    """Each once, in their order; of those that touch the first."""
    kept: list[Fix] = []
    for fix in sorted(set(fixes), key=lambda fix: (fix.span.path, fix.span.start, fix.span.end)):
        last = kept[-1].span if kept else None
        if last is None or last.path != fix.span.path or last.end < fix.span.start:
            kept.append(fix)
    return kept


def repaired(text: str, fixes: Sequence[Fix]) -> str:
    """`fixes` are in order and do not overlap."""
    parts, end = [], 0
    for fix in fixes:
        parts += [text[end : fix.span.start], fix.text]
        end = fix.span.end
    return "".join((*parts, text[end:]))


def changes(path: str, before: str, after: str) -> list[Change]:
    from difflib import SequenceMatcher  # only who changes something pays for it

    old, new = before.splitlines(), after.splitlines()
    found = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [Change(path, a + 1, tuple(old[a:b]), tuple(new[c:d])) for kind, a, b, c, d in found if kind != "equal"]


def errors(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    return [one for one in diagnostics if CODES[one.code].severity == "error"]
