"""A spec with mistakes -> the same without those that can be fixed mechanically, in every file that it uses."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ..grammar.diagnostic import Diagnostic, Fix
from ..grammar.repair import repaired, without_overlap
from ..grammar.source import Source
from .load import Files, Found
from .pipeline import Compiled, compile_text
from .program import Value
from .target import Target
from .types import Columns

ROUNDS = 20  # what a fix brings to light may be fixed too, and so on

Texts = Mapping[str, str]  # path, as it is shown -> text


@dataclass(frozen=True, slots=True)
class Mended:
    """`before` and `after` hold the files that would change; `compiled` is what is said of them then."""

    before: Texts
    after: Texts
    compiled: Compiled


def mend(path: str, text: str, files: Files, targets: Mapping[str, Target] | None = None, env: str = "local") -> Mended:
    """All fixes that do not overlap, again until there are none. Where together they make it worse, one by one."""

    def compiled(texts: Texts) -> Compiled:
        return compile_text(path, texts.get(path, text), _Changed(files, path, texts), targets, env)

    texts: Texts = {}
    now = first = compiled(texts)
    for _ in range(ROUNDS):
        step = _step(without_overlap(now.diagnostics), texts, now, compiled)
        if step is None:
            break
        texts, now = step
    before = {name: (first.sources.get(name) or now.sources[name]).text for name in texts}
    return Mended(before, texts, now)


def _step(
    fixed: list[Diagnostic], texts: Texts, now: Compiled, compiled: Callable[[Texts], Compiled]
) -> tuple[Texts, Compiled] | None:
    """The files changed, and what is said of them then; None when no fix makes it better."""
    alone = [[one] for one in fixed] if len(fixed) > 1 else []
    for some in ([fixed] if fixed else []) + alone:
        changed = {**texts, **_applied(some, now.sources)}
        then = compiled(changed)
        if _is_better(some, now, then):
            return changed, then
    return None


def _applied(fixed: Iterable[Diagnostic], sources: Mapping[str, Source]) -> dict[str, str]:
    by_path: dict[str, list[Fix]] = {}
    for fix in _fixes(fixed):
        by_path.setdefault(fix.span.path, []).append(fix)
    return {path: repaired(sources[path].text, own) for path, own in by_path.items()}


def _fixes(fixed: Iterable[Diagnostic]) -> list[Fix]:
    return [one.fix for one in fixed if one.fix is not None]


def _is_better(fixed: list[Diagnostic], now: Compiled, then: Compiled) -> bool:
    """Less is told of the lines that were fixed. What is told of other lines then was there before, and hidden: a
    block that could not be read, or whose inputs were not known, was not checked."""
    fixes = _fixes(fixed)
    places = [(s.path, s.start) for s in (*(one.span for one in fixed), *(fix.span for fix in fixes))]
    old = {(path, now.sources[path].position(offset)[0]) for path, offset in places}
    new = {(path, then.sources[path].position(_moved(path, offset, fixes))[0]) for path, offset in places}
    return _told_on(new, then) < _told_on(old, now)


def _moved(path: str, offset: int, fixes: Iterable[Fix]) -> int:
    """Where a place is once the fixes before it are made."""
    before = (fix for fix in fixes if fix.span.path == path and fix.span.end <= offset and fix.span.start < offset)
    return offset + sum(len(fix.text) - (fix.span.end - fix.span.start) for fix in before)


def _told_on(lines: set[tuple[str, int]], compiled: Compiled) -> int:
    spans = (one.span for one in compiled.diagnostics if one.span.path in compiled.sources)
    return sum((span.path, compiled.sources[span.path].position(span.start)[0]) in lines for span in spans)


class _Changed:
    """A folder in which some specs have another text."""

    def __init__(self, files: Files, spec: str, texts: Texts) -> None:
        folder = posixpath.dirname(spec)
        self.files = files
        self.texts = {posixpath.relpath(path, folder or "."): text for path, text in texts.items()}

    def text(self, path: str) -> str | None:
        return self.texts[path] if path in self.texts else self.files.text(path)

    def names(self) -> tuple[str, ...]:
        return self.files.names()

    def columns(self, word: str, place: str, arguments: Mapping[str, Value], declared: Columns) -> Found:
        return self.files.columns(word, place, arguments, declared)
