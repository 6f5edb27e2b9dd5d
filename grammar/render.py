"""Diagnostics -> the text that people read, and the data that machines read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .codes import CODES
from .diagnostic import Diagnostic
from .source import Source, Span

RED, YELLOW, BLUE, BOLD, RESET = "\x1b[31m", "\x1b[33m", "\x1b[34m", "\x1b[1m", "\x1b[0m"
TAB = 4


def title(diagnostic: Diagnostic) -> str:
    return CODES[diagnostic.code].title.format_map(diagnostic.facts)


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
    lines += _place(diagnostic.span, diagnostic.note, sources, width, "^", paint, tint)
    for span, text in labels:
        lines += _place(span, text, sources, width, "-", paint, BLUE)
    if diagnostic.help:
        first, *more = diagnostic.help.split("\n")
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
    text = source.line(line)
    end = min(span.end, span.start + len(text) - column + 1)
    before = text[: column - 1].expandtabs(TAB)
    marked = max(1, len(text[: column - 1 + max(0, end - span.start)].expandtabs(TAB)) - len(before))
    under = " " * len(before) + paint(mark * marked + (f" {note}" if note else ""), tint)
    return [
        f"{margin} {paint('┌─', BLUE)} {span.path}:{line}:{column}",
        f"{paint(f'{line:>{width}} │', BLUE)} {text.expandtabs(TAB)}".rstrip(),
        f"{margin} {paint('│', BLUE)} {under}",
    ]
