"""The log of a service, for who reads it: its files, and exactly how much of each is meant while it goes on growing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter

from ...compiler.types import Columns

FOLDER = "seen"
COLUMNS = "columns.json"  # what the release that answers is asked and answers
CHUNK = 1 << 20

_COLUMNS = TypeAdapter(Columns)

Held = str  # the size and the digest of a file's beginning: `1234:9f86d0…`


def log_of(service: Path) -> list[Path]:
    """The log's files, the oldest first."""
    return sorted((service / FOLDER).glob("*.jsonl"))


def columns_file(service: Path) -> Path:
    return service / FOLDER / COLUMNS


def held(path: Path) -> tuple[Held, int]:
    """What a file holds up to its last line end, and how many lines that are."""
    with path.open("rb") as file:
        size = _last_line_end(file)
        hasher, lines = hashlib.sha256(), 0
        for chunk in _chunks(file, size):
            hasher.update(chunk)
            lines += chunk.count(b"\n")
    return f"{size}:{hasher.hexdigest()}", lines


def beginning(path: Path, held: Held) -> bytes | None:
    """As much of a file as was held; None when that is not there any more."""
    size, _, digest = held.partition(":")
    try:
        with path.open("rb") as file:
            content = file.read(int(size))
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest() == digest else None


def columns_in(text: bytes) -> Columns:
    return _COLUMNS.validate_json(text)


def _last_line_end(file: BinaryIO) -> int:
    """The offset behind it; 0 where there is none."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - CHUNK)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _chunks(file: BinaryIO, size: int) -> Iterator[bytes]:
    file.seek(0)
    while size and (chunk := file.read(min(CHUNK, size))):
        size -= len(chunk)
        yield chunk
