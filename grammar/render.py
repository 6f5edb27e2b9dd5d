"""Diagnostics -> the text that people read, and the data that machines read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from unicodedata import combining, east_asian_width

from .codes import CODES
from .diagnostic import Diagnostic
from .source import Source, Span

RED, YELLOW, BLUE, BOLD, RESET = "\x1b[31m", "\x1b[33m", "\x1b[34m", "\x1b[1m", "\x1b[0m"
TAB = 4
LONG = 160


def title(diagnostic: Diagnostic) -> str:
    facts = {name: _printable(_short(" ".join(str(fact).split("\n")))) for name, fact in diagnostic.facts.items()}
    return CODES[diagnostic.code].title.format_map(facts)


def _short(text: str) -> str:
    """Nobody reads more of a name that has no end."""
    return text if len(text) <= LONG * 2 else text[: LONG * 2 - 1] + "…"


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By file and place, each once."""
    seen = {(d.span.path, d.span.start, d.code, title(d)): d for d in diagnostics}
    return sorted(seen.values(), key=lambda d: (d.span.path, d.span.start, d.span.end, d.code))


def render(diagnostic: Diagnostic, sources: Mapping[str, Source], *, colour: bool = False) -> str:
    code = CODES[diagnostic.code]
    paint = _painter(colour)
    tint = RED if code.severity == "error" else YELLOW
    lines = [paint(f"{code.severity}[{code.id}]", tint + BOLD) + paint(f": {title(diagnostic)}", BOLD)]
    labels = [(label.span, label.text) for label in diagnostic.labels]
    numbers = [_line_number(span, sources) for span in (diagnostic.span, *(span for span, _ in labels))]
    width = max((len(str(number)) for number in numbers if number), default=1)
    lines += _place(diagnostic.span, _printable(_short(diagnostic.note)), sources, width, "^", paint, tint)
    for span, text in labels:
        lines += _place(span, text, sources, width, "-", paint, BLUE)
    if diagnostic.help:
        first, *more = (_printable(_short(line)) for line in diagnostic.help.split("\n"))
        lines.append(" " * width + paint(" = ", BLUE) + f"help: {first}")
        lines += [" " * (width + 9) + line for line in more]
    return "\n".join(lines) + "\n"


def render_all(diagnostics: Iterable[Diagnostic], sources: Mapping[str, Source], *, colour: bool = False) -> str:
    return "\n".join(render(diagnostic, sources, colour=colour) for diagnostic in in_order(diagnostics))


def as_data(diagnostic: Diagnostic, sources: Mapping[str, Source]) -> dict[str, Any]:
    """The same as `render` says, for `--json` and editors. Lines and columns count from 1; the end is exclusive."""
    data: dict[str, Any] = {
        "code": diagnostic.code,
        "severity": CODES[diagnostic.code].severity,
        "title": title(diagnostic),
        **_position(diagnostic.span, sources),
        "note": diagnostic.note,
        "help": diagnostic.help,
        "labels": [{**_position(label.span, sources), "text": label.text} for label in diagnostic.labels],
    }
    if diagnostic.fix:
        data["fix"] = {**_position(diagnostic.fix.span, sources), "text": diagnostic.fix.text}
    return data


def _painter(colour: bool) -> Any:
    return (lambda text, tint: f"{tint}{text}{RESET}") if colour else (lambda text, tint: text)


def _line_number(span: Span, sources: Mapping[str, Source]) -> int:
    source = sources.get(span.path)
    return source.position(span.start)[0] if source else 0


def _position(span: Span, sources: Mapping[str, Source]) -> dict[str, Any]:
    source = sources.get(span.path)
    if source is None:
        return {"path": span.path}
    line, column = source.position(span.start)
    end_line, end_column = source.position(span.end)
    return {"path": span.path, "line": line, "column": column, "end_line": end_line, "end_column": end_column}


def _place(
    span: Span, note: str, sources: Mapping[str, Source], width: int, mark: str, paint: Any, tint: str
) -> list[str]:
    source = sources.get(span.path)
    margin = " " * width
    if source is None:
        return [f"{margin} {paint('┌─', BLUE)} {span.path}"]
    line, column = source.position(span.start)
    before, marked = _excerpt(source.line(line), column - 1, column - 1 + span.end - span.start)
    under = " " * _width(before) + paint(mark * max(1, _width(marked[0])) + (f" {note}" if note else ""), tint)
    return [
        f"{margin} {paint('┌─', BLUE)} {span.path}:{line}:{column}",
        f"{paint(f'{line:>{width}} │', BLUE)} {before}{marked[0]}{marked[1]}".rstrip(),
        f"{margin} {paint('│', BLUE)} {under}",
    ]


def _excerpt(text: str, start: int, end: int) -> tuple[str, tuple[str, str]]:
    """What stands before a place, the place itself, and what follows; of a line too long to read, what is near it."""
    first, last = 0, len(text)
    if last > LONG:
        first = max(0, start - LONG // 2)
        last = min(last, first + LONG)
    before = ("…" if first else "") + _printable(text[first:start])
    marked = before + _printable(text[start : min(end, last)])
    whole = marked + _printable(text[min(end, last) : last]) + ("…" if last < len(text) else "")
    before, marked, whole = before.expandtabs(TAB), marked.expandtabs(TAB), whole.expandtabs(TAB)
    return before, (marked[len(before) :], whole[len(marked) :])


def _printable(text: str) -> str:
    """What a terminal would obey instead of showing it becomes a sign of the same width."""
    return "".join(c if c.isprintable() or c in "\t\xa0" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _width(text: str) -> int:
    """How many columns of a terminal it takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)
