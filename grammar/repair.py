"""Fixes applied to a text, and the fix of a mistake that says what was meant. Text -> text; nothing is read or written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from .codes import CODES
from .diagnostic import Diagnostic, Fix
from .source import Source, Span

OF_A_TEXT = frozenset({"E401", "E411", "E501", "E701"})
OF_A_LITERAL = frozenset({"E015", "E016"})
MEANT = re.compile(r'did you mean "?(.+?)"?\?')


@dataclass(frozen=True, slots=True)
class Change:
    """Lines of a file before and after, from line `line` on, counted from 1."""

    path: str
    line: int
    before: tuple[str, ...]
    after: tuple[str, ...]


def without_echoes(told: Sequence[Diagnostic]) -> list[Diagnostic]:
    """A text with a mistake in it names no file and no function, a number or date that there is not has no value, and
    what is no set holds nothing: the mistake alone is told."""
    texts = [one.span for one in told if one.code in ("E006", "E012")]
    literals = [one.span for one in told if one.code in OF_A_LITERAL]
    sets = [one.span for one in told if one.code == "E803"]
    return [
        one
        for one in told
        if not (one.code == "E404" and any(_holds(span, one.span) for span in sets))
        and not (one.code in OF_A_TEXT and any(_holds(one.span, span) for span in texts))
        and not (one.code not in OF_A_LITERAL and any(_holds(one.span, span) for span in literals))
    ]


def _holds(outer: Span, inner: Span) -> bool:
    return outer.path == inner.path and outer.start <= inner.start and inner.end <= outer.end


def with_fix(one: Diagnostic, sources: Mapping[str, Source]) -> Diagnostic:
    """What is told with "did you mean" of exactly the word that is underlined can be put in its place."""
    meant = MEANT.match(one.help)
    source = sources.get(one.span.path)
    if meant and one.fix is not None and source is not None and one.fix.span.path == source.path:
        written = source.text[one.fix.span.start : one.fix.span.end]
        return replace(one, fix=None) if _of_another_number(written, one.fix.text) else one
    if one.fix is not None or meant is None or source is None or one.code.startswith("E0"):
        return one
    span = one.span
    written = source.text[span.start : span.end]
    word = _bare(written)
    start = span.start
    if ":" in word and not _is_told(word, one):  # of a file and its function, the function
        start += written.rindex(":") + 1
        word, written = word.rpartition(":")[2], written[written.rindex(":") + 1 :].rstrip('"')
    if not _is_told(word, one):
        return one
    end = start + len(written)
    if _of_another_number(word, meant[1]):
        return one
    return replace(one, fix=Fix(Span(span.path, start, end), _dressed(_bare(meant[1]), written)))


def _is_told(word: str, one: Diagnostic) -> bool:
    """Whether the mistake is about this word; where a column is missing, it is about the column."""
    facts = [one.facts["column"]] if "column" in one.facts else one.facts.values()
    return bool(word) and any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", str(fact)) for fact in facts)


def _of_another_number(written: str, instead: str) -> bool:
    """A name with another number is another thing, as .p99 is not .p90: it may be meant, and is for a person to say."""
    numbers = re.findall(r"\d+", written), re.findall(r"\d+", instead)
    return all(numbers) and numbers[0] != numbers[1]


def _bare(written: str) -> str:
    return written.removeprefix(".").strip('"')


def _dressed(word: str, written: str) -> str:
    """With the dot and the quotes of what it stands in for, and those that it needs itself."""
    dot = "." if written.startswith(".") else ""
    is_plain = word.removeprefix("$").isidentifier() and not written.removeprefix(".").startswith('"')
    return dot + (word if is_plain else f'"{word}"')


def without_overlap(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Those with a fix, in the order of the fixes, each fix once; of fixes that touch the first."""
    with_fixes = [(one.fix, one) for one in diagnostics if one.fix is not None]
    kept: list[Diagnostic] = []
    last: Span | None = None
    for fix, one in sorted(with_fixes, key=lambda pair: (pair[0].span.path, pair[0].span.start, pair[0].span.end)):
        if last is None or last.path != fix.span.path or last.end < fix.span.start:
            kept.append(one)
            last = fix.span
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
