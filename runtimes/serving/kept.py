"""The log of what a service was asked and answered: lines of JSON in files of their own, which only ever grow.

A line is one answered request: `{"at": …, "release": …, "request": …, "response": …}`, with request and response as they
were sent. They are written in batches, off the path of the answers: a process that is killed loses what came within
the last PAUSE, and nothing that was written.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ...compiler.types import Columns
from .journal import Journal
from .release import Release, write_atomically
from .seen import COLUMNS, FOLDER

PAUSE = 0.2  # seconds that answered requests may wait
LARGEST = 64_000_000  # bytes of a file; then the next one of the day begins
AROUND = 150  # bytes of a line besides its request and response
MOST_WAITING = 64_000_000  # bytes in memory; what comes while a disk is too slow to take more is not kept, and counted


class _Answered(NamedTuple):
    at: float
    release: str
    request: bytes
    response: bytes


class Kept:
    """One process writes, the holder of the service's lock; it is handed requests by its event loop."""

    def __init__(self, folder: Path, journal: Journal) -> None:
        self.folder, self.journal = folder / FOLDER, journal
        self.waiting: list[_Answered] = []
        self.size = 0  # of what waits, and of what is being written
        self.lost = 0
        self.timer: asyncio.TimerHandle | None = None
        self.writing = threading.Lock()

    def keep(self, at: float, release: Release, request: bytes, response: bytes) -> None:
        """`request` is valid JSON that was answered."""
        size = len(request) + len(response) + AROUND
        if self.size + size > MOST_WAITING:
            self.lost += 1
            return
        self.waiting.append(_Answered(at, release.id, request, response))
        self.size += size
        if self.timer is None:
            self.timer = asyncio.get_running_loop().call_later(PAUSE, self._write_aside)

    def know(self, columns: Columns) -> None:
        """The columns of what is kept from now on, for who reads it."""
        if columns:
            self.folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps([column.model_dump(mode="json") for column in columns])
            write_atomically(self.folder / COLUMNS, text + "\n")

    def _write_aside(self) -> None:
        """In a thread, so that a slow disk delays no answer."""
        loop = asyncio.get_running_loop()
        batch, self.waiting, self.timer = self.waiting, [], None
        work = loop.run_in_executor(None, self._write, batch)
        work.add_done_callback(lambda done: self._written(batch, done))

    def _written(self, batch: list[_Answered], done: asyncio.Future[None]) -> None:
        self.size -= sum(len(one.request) + len(one.response) + AROUND for one in batch)
        error = done.exception() if not done.cancelled() else None
        lost = self.lost + (len(batch) if error is not None else 0)
        self.lost = 0
        if lost:
            self.journal.line(f"{lost} answered requests were not kept: {error or 'the disk does not keep up'}")

    def close(self) -> None:
        """Write what is left."""
        if self.timer is not None:
            self.timer.cancel()
        batch, self.waiting, self.timer = self.waiting, [], None
        with contextlib.suppress(OSError):
            self._write(batch)

    def _write(self, batch: list[_Answered]) -> None:
        if not batch:
            return
        with self.writing:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = os.open(_current(self.folder), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                _append(file, b"".join(map(_line, batch)))
            finally:
                os.close(file)


def _line(one: _Answered) -> bytes:
    moment = datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    about = f'{{"at": "{moment}", "release": "{one.release}", "request": '.encode()
    return b'%b%b, "response": %b}\n' % (about, _on_one_line(one.request), _on_one_line(one.response))


def _append(file: int, content: bytes) -> None:
    """All of it or, where the disk is full, nothing that would spoil what comes behind."""
    size = os.fstat(file).st_size
    if size and os.pread(file, 1, size - 1) != b"\n":
        content = b"\n" + content  # a line that a crash has cut stays alone
    try:
        while content:
            content = content[os.write(file, content) :]
    except OSError:
        os.ftruncate(file, size)
        raise


def _current(folder: Path) -> Path:
    """Today's file, or today's next one when that is full."""
    day = datetime.now(UTC).strftime("%Y-%m-%d")
    there = sorted(folder.glob(f"{day}-*.jsonl"))
    if there and there[-1].stat().st_size < LARGEST:
        return there[-1]
    return folder / f"{day}-{len(there) + 1:04}.jsonl"


def _on_one_line(text: bytes) -> bytes:
    """Within JSON's texts a line end is written \\n, so those that stand there are only layout."""
    return text.replace(b"\r", b" ").replace(b"\n", b" ") if b"\n" in text or b"\r" in text else text
