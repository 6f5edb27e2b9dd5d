"""A running process -> what it and its descendants were seen to use.

The system counts only children that were waited for, and mlspec's workers are forked by a process that waits for none.
So the tree is looked at as it runs; where the system has no /proc, nothing is seen.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

EVERY = 0.05  # seconds: of a process that ends, so much of the end goes unseen
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Seen:
    cpu: dict[int, float] = field(default_factory=dict)
    peak: dict[int, float] = field(default_factory=dict)

    def look(self, pid: int) -> None:
        with contextlib.suppress(OSError, StopIteration):  # it has ended
            place = Path(f"/proc/{pid}")
            user, system = (place / "stat").read_text().rpartition(")")[2].split()[11:13]
            self.cpu[pid] = (int(user) + int(system)) / TICKS
            self.peak[pid] = next(_megabytes(place))
            for child in (place / "task" / str(pid) / "children").read_text().split():
                self.look(int(child))


def _megabytes(place: Path) -> Iterator[float]:
    for line in (place / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            yield int(line.split()[1]) / 1024


@contextlib.contextmanager
def watched(pid: int) -> Iterator[Seen]:
    seen, ended = Seen(), threading.Event()

    def look_on() -> None:
        while not ended.wait(EVERY):
            seen.look(pid)

    thread = threading.Thread(target=look_on)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
