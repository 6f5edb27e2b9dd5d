"""Which mlspec this is: what another one remembered of a file may be wrong."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from .. import __version__

PACKAGE = Path(__file__).parents[1]


@cache
def version_of(*folders: str) -> str:
    """Of a release its number, of a checkout also the state of the files in these folders of it."""
    stamps = [p.stat().st_mtime_ns for folder in folders for p in sorted((PACKAGE / folder).glob("*.*"))]
    return f"{__version__} {hash(tuple(stamps))}"
