"""Projects that were laid out on this machine for jobs to run in: where they lie, and which of them nobody needs any more.

The store has them all, so one that is gone is laid out again when it is asked for.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from .store.opening import FOLDER

CACHE = "MLSPEC_CACHE"  # where a worker keeps what it took from stores
OLD = 7 * 24 * 3600.0  # seconds since one was last asked for: a run that goes on for days is seen by its processes
NAMED = re.compile(rb"[0-9a-f]{32}")


def cache() -> Path:
    return Path(os.environ.get(CACHE) or Path.home() / ".cache" / "mlspec")


def by_make(root: Path) -> Path:
    return root / FOLDER / "make"


def by_workers() -> Path:
    return cache() / "projects"


def is_there(project: Path) -> bool:
    """If it is, it counts as used now."""
    with contextlib.suppress(FileNotFoundError):
        os.utime(project)
        return True
    return False


def sweep(root: Path, *, dry: bool) -> int:
    """Remove those of the spec's folder, and of this machine's workers, that are old and not in use. Returns how many."""
    old = [one for below in (by_make(root), by_workers()) if below.is_dir() for one in below.iterdir() if _is_old(one)]
    used = _in_use() if old else set()
    gone = [one for one in old if one.name[:32] not in used]
    for one in gone if not dry else ():
        shutil.rmtree(one, ignore_errors=True)
    return len(gone)


def _is_old(project: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):  # swept by another just now
        return NAMED.match(os.fsencode(project.name)) is not None and time.time() - project.stat().st_mtime > OLD
    return False


def _in_use() -> set[str]:
    """The names of those that a process works in, or was told of: a service names the one that started it for life."""
    return {found.decode() for text in _processes() for found in NAMED.findall(text)}


def _processes() -> Iterator[bytes]:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended, or is somebody else's
            yield (process / "cmdline").read_bytes()
            yield os.fsencode((process / "cwd").readlink())
