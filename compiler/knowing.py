"""`# ok: W101` on the line that a warning speaks of, or on its block's first line, says that the writer knows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from ..grammar import tree
from ..grammar.codes import CODES
from ..grammar.diagnostic import Diagnostic
from ..grammar.source import Source, Span

OK = re.compile(r"#\s*ok:?((?:[\s,]+W\d{3})+)")


def unknown_to_the_writer(
    diagnostics: Iterable[Diagnostic], document: tree.Document, sources: Mapping[str, Source]
) -> Iterator[Diagnostic]:
    """All errors, and the warnings that nobody said they know of."""
    for diagnostic in diagnostics:
        if CODES[diagnostic.code].severity == "error" or not _is_known(diagnostic, document, sources):
            yield diagnostic


def _is_known(diagnostic: Diagnostic, document: tree.Document, sources: Mapping[str, Source]) -> bool:
    source = sources.get(diagnostic.span.path)
    if source is None:
        return False
    lines = {source.position(diagnostic.span.start)[0]}
    for statement in document.statements:
        span = statement.span
        if span.path == diagnostic.span.path and span.start <= diagnostic.span.start <= span.end:
            lines.add(source.position(span.start)[0])
    return any(diagnostic.code in codes_in(source.line(line)) for line in lines)


def codes_known(span: Span, source: Source) -> tuple[str, ...]:
    """The codes of all warnings that a block's own lines say are known."""
    end = source.text.find("\n", span.end)
    return codes_in(source.text[span.start : end if end >= 0 else len(source.text)])


def codes_in(text: str) -> tuple[str, ...]:
    if "# ok" not in text and "#ok" not in text:
        return ()
    return tuple(re.findall(r"W\d{3}", " ".join(OK.findall(text))))
