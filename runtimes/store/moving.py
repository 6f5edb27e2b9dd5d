"""How far a transfer has come, told to whoever watches, once it takes more than a moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

MOMENT, OFTEN = 1.0, 0.5  # seconds until the first word, and between two

Watch = Callable[[str, int, int], None]  # "up" or "down", bytes moved, and of how many; 0 where that is unknown


class Meter:
    """Of one transfer, whose parts may be moved by several threads."""

    def __init__(self, way: str, total: int, watch: Watch | None) -> None:
        self.way, self.total, self.watch, self.done = way, total, watch, 0
        self.told = time.monotonic() + MOMENT - OFTEN
        self.lock = threading.Lock()

    def moved(self, count: int) -> None:
        with self.lock:
            self.done += count
            now = time.monotonic()
            if self.watch is not None and now - self.told > OFTEN:
                self.told = now
                self.watch(self.way, self.done, self.total)
