"""The files that SQLite keeps beside a database while it is written to. What is in them belongs to it."""

from __future__ import annotations

from pathlib import Path


def may_be_beside(place: str) -> tuple[str, ...]:
    return (place + "-wal", place + "-journal")


def beside(root: Path, place: str) -> tuple[str, ...]:
    """Those that hold something. An empty one is as good as none."""
    return tuple(path for path in may_be_beside(place) if _size(root / path) > 0)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
