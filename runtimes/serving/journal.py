"""The service's log: lines in, a file that stays below a bound."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

from ..secrets import hidden

BOUND = 5_000_000  # bytes; then the file becomes `.1`, in place of the one before
PAUSE = 0.2  # seconds that lines may wait, so that a busy service writes many at once


class Journal:
    """What the process itself prints goes to the same file, through its standard output and error."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: list[str] = []
        self.waiting = False
        self._open()

    def line(self, text: str) -> None:
        self.lines.append(f"{now()} {text}\n")
        if not self.waiting:
            self.waiting = True
            asyncio.get_running_loop().call_later(PAUSE, self.flush)

    def flush(self) -> None:
        self.waiting = False
        text, self.lines = "".join(self.lines), []
        with contextlib.suppress(OSError):  # a full disk costs lines, not the service
            os.write(1, text.encode("utf-8", "backslashreplace"))
            if os.fstat(1).st_size > BOUND:
                self.path.replace(self.path.with_name(self.path.name + ".1"))
                self._open()

    def _open(self) -> None:
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(file, 1)
        os.dup2(file, 2)
        os.close(file)


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


SHOWN, HELD = 2000, 16_000  # of a line: shown, and looked through for secrets before it is cut


class Output(asyncio.Protocol):
    """What a worker prints, line by line into the journal, without the values of the secrets `hiding`. `tail` is the end of it, for when the worker fails."""

    def __init__(self, journal: Journal, pid: int, hiding: tuple[str, ...] = ()) -> None:
        self.journal, self.pid, self.hiding = journal, pid, hiding
        self.tail: deque[str] = deque(maxlen=30)
        self.rest = b""

    def data_received(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            text = hidden(line[:HELD].decode(errors="replace"), self.hiding)[:SHOWN]
            self.tail.append(text)
            self.journal.line(f"[worker {self.pid}] {text}")
        self.rest = self.rest[:HELD]
