"""Numbers, times and metrics as people read them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from ..compiler.program import LOCAL


def duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02}s" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"


def size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def rows(counts: Sequence[int | None]) -> str:
    known = [f"{count:,}" for count in counts if count is not None]
    return f"{' + '.join(known)} row{'s' * (known != ['1'])}" if known else ""


def number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 1000 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def metrics(found: Mapping[str, Any] | None) -> str:
    """Only the numbers; a table is shown by `show`."""
    return ", ".join(
        f"{name} {number(value)}" for name, value in (found or {}).items() if isinstance(value, int | float)
    )


def arguments(given: Mapping[str, Any]) -> str:
    """max_depth 6, learning_rate 0.08"""
    return ", ".join(f"{name} {_value(value)}" for name, value in given.items())


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def printable(text: str) -> str:
    """In one line: what would break a table, or move the cursor, as it is written in a spec."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def table(lines: Sequence[Sequence[str]], indent: str = "  ") -> str:
    """Aligned columns; the last one is not padded."""
    if not lines:
        return ""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    shown = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines)
    return "\n".join(indent + line for line in shown)


def on(env: str) -> str:
    """What a command that is told needs, to be about the same environment."""
    return "" if env == LOCAL else f" --on {env}"
