"""What must hold of any text: it is told or compiled, in bounded time, and what is told can be shown, placed and fixed."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from mlspec.compiler.pipeline import Compiled, compile_text
from mlspec.grammar.diagnostic import Diagnostic
from mlspec.grammar.format import format_text
from mlspec.grammar.render import as_data, render_all
from mlspec.grammar.repair import repaired, without_overlap
from mlspec.grammar.source import Source
from mlspec.runtimes.targets import targets
from test_corpus import FILES

PATH = "fuzz.mlspec"
SECONDS = 1.0  # of the processor, for one text
TARGETS = targets()


class TooSlow(Exception):
    pass


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Counts the processor's time, so that a busy machine is no mistake."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TooSlow(f"more than {seconds} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def compiled(text: str) -> Compiled:
    return compile_text(PATH, text, FILES, TARGETS)


def judge(text: str, *, thoroughly: bool = True) -> Compiled:
    """What it means, too. `thoroughly`: what the fixes make of it, and the layout, are judged too."""
    with bounded(SECONDS * (4 if thoroughly else 1)):
        found = compiled(text)
        _can_be_shown(found.diagnostics, found.sources, text)
        if thoroughly:
            _can_be_fixed(found, text)
            _can_be_laid_out(found, text)
    return found


def _can_be_shown(told: Sequence[Diagnostic], sources: Mapping[str, Source], text: str) -> None:
    for one in told:
        if one.span.path == PATH:
            assert 0 <= one.span.start <= one.span.end <= len(text), one
        if one.fix is not None and one.fix.span.path == PATH:
            assert 0 <= one.fix.span.start <= one.fix.span.end <= len(text), one
        assert as_data(one, sources)["code"] == one.code
    shown = render_all(told, sources, colour=True)
    shown.encode()
    assert len(shown) < 2000 * (1 + len(told))


def _can_be_fixed(found: Compiled, text: str) -> None:
    fixes = [one.fix for one in without_overlap(found.diagnostics) if one.fix and one.fix.span.path == PATH]
    if fixes:
        compiled(repaired(text, fixes))


def _can_be_laid_out(found: Compiled, text: str) -> None:
    told = sorted(one.code for one in found.diagnostics)
    once = format_text(text, PATH)
    is_broken = any(one.code.startswith("E0") and one.span.path == PATH for one in found.diagnostics)
    assert (once is None) == is_broken, told
    if once is not None:
        assert format_text(once, PATH) == once
        assert sorted(one.code for one in compiled(once).diagnostics) == told
