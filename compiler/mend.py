"""A spec with mistakes -> the same without those that can be fixed mechanically, in every file that it uses."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from ..grammar.diagnostic import Diagnostic, Fix
from ..grammar.repair import errors, repaired, without_overlap
from ..grammar.source import Source
from .load import Files, Unreadable
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


def mend(
    path: str, text: str, files: Files, targets: Mapping[str, Target] | None = None, env: str = "local"
) -> Mended:
    """All fixes that do not overlap, again until there are none. Where together they make it worse, one by one."""

    def compiled(texts: Texts) -> Compiled:
        return compile_text(path, texts.get(path, text), _Changed(files, path, texts), targets, env)

    texts: Texts = {}
    now = first = compiled(texts)
    for _ in range(ROUNDS):
        fixes = without_overlap(one.fix for one in now.diagnostics if one.fix is not None)
        step = _step(fixes, texts, now, compiled)
        if step is None:
            break
        texts, now = step
    before = {name: (first.sources.get(name) or now.sources[name]).text for name in texts}
    return Mended(before, texts, now)


def _step(
    fixes: list[Fix], texts: Texts, now: Compiled, compiled: Callable[[Texts], Compiled]
) -> tuple[Texts, Compiled] | None:
    """None when no fix makes it better."""
    if not fixes:
        return None
    for some in (fixes, *([fix] for fix in fixes if len(fixes) > 1)):
        changed = {**texts, **_applied(some, now.sources)}
        then = compiled(changed)
        if _is_better(then.diagnostics, now.diagnostics):
            return changed, then
    return None


def _applied(fixes: Iterable[Fix], sources: Mapping[str, Source]) -> dict[str, str]:
    by_path: dict[str, list[Fix]] = {}
    for fix in fixes:
        by_path.setdefault(fix.span.path, []).append(fix)
    return {path: repaired(sources[path].text, own) for path, own in by_path.items()}


def _is_better(then: Iterable[Diagnostic], now: Iterable[Diagnostic]) -> bool:
    """Fewer mistakes in every file that has another number of them. What could not be read before may hide more, so
    mistakes of the text count first."""
    counts_then, counts_now = _counts(then), _counts(now)
    paths = {path for path in {*counts_then, *counts_now} if counts_then.get(path) != counts_now.get(path)}
    return bool(paths) and all(counts_then.get(path, (0, 0, 0)) < counts_now.get(path, (0, 0, 0)) for path in paths)


def _counts(diagnostics: Iterable[Diagnostic]) -> dict[str, tuple[int, int, int]]:
    """Of each file: mistakes of the text, all mistakes, and warnings too."""
    counts: dict[str, tuple[int, int, int]] = {}
    told = list(diagnostics)
    wrong = {id(one) for one in errors(told)}
    for one in told:
        text, error, all_ = counts.get(one.span.path, (0, 0, 0))
        is_error = id(one) in wrong
        counts[one.span.path] = (text + one.code.startswith("E0"), error + is_error, all_ + 1)
    return counts


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

    def columns(self, word: str, place: str, arguments: Mapping[str, Value], declared: Columns) -> Columns | Unreadable:
        return self.files.columns(word, place, arguments, declared)
