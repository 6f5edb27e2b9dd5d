"""What a step prints is its log; what is secret does not get there."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from .. import secrets

LONG = 1 << 16  # bytes that may wait for their line's end


@contextmanager
def printing_to(log: Path, hiding: Collection[str]) -> Iterator[None]:
    """Standard output and error of this process and of its children go to the file, without these secrets' values."""
    log.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    if not hiding:
        _direct(file)
        yield
        _flush()
        return
    reading, writing = os.pipe()
    _direct(writing)
    copying = threading.Thread(target=_copy, args=(reading, file, hiding), daemon=True)
    copying.start()
    try:
        yield
    finally:
        _direct(os.open(os.devnull, os.O_WRONLY))  # the pipe's last writer here: the copy comes to its end
        copying.join(5)


def _direct(target: int) -> None:
    _flush()
    os.dup2(target, 1)
    os.dup2(target, 2)
    os.close(target)


def _flush() -> None:
    sys.stdout.flush()
    sys.stderr.flush()


def _copy(reading: int, file: int, hiding: Collection[str]) -> None:
    """By whole lines, so that a value which comes in two pieces is seen; of a line that does not end, all but what may
    be the beginning of one."""
    rest, longest = b"", max((len(os.fsencode(form)) for form in secrets.forms(hiding)), default=1)
    while chunk := os.read(reading, LONG):
        *lines, rest = (rest + chunk).split(b"\n")
        if lines:
            _write(file, b"\n".join(lines) + b"\n", hiding)
        if len(rest) > LONG + longest:
            rest = _hidden(rest, hiding)
            os.write(file, rest[:-longest])
            rest = rest[-longest:]
    _write(file, rest, hiding)
    os.close(reading)
    os.close(file)


def _write(file: int, content: bytes, hiding: Collection[str]) -> None:
    os.write(file, _hidden(content, hiding))


def _hidden(content: bytes, hiding: Collection[str]) -> bytes:
    return secrets.hidden(content.decode(errors="surrogateescape"), hiding).encode(errors="surrogateescape")
