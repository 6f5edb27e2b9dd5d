"""Many small files as few objects: their bytes one after the other, and an index that says where each begins.

A folder's digest does not change by it. Where a pack ends depends on the files alone, so that a folder with a few
files more shares most of its packs with the one before.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

SMALL = 1 << 20  # bytes: a larger file is an object of its own
MANY = 32  # a folder of fewer files is not packed
FULL, ENOUGH = 16 << 20, 4 << 20  # bytes: where a pack has to end, and from where on it may


@dataclass(frozen=True, slots=True)
class Pack:
    """`files` are (digest, size) in the order in which they lie in it."""

    digest: str
    files: tuple[tuple[str, int], ...]


def is_packed(count: int) -> bool:
    return count > MANY


def packs(files: Iterable[str], path: Callable[[str], Path]) -> Iterator[tuple[Pack, bytes]]:
    """The small ones of the files, in their order."""
    held: list[tuple[str, int]] = []
    body = bytearray()
    for digest in files:
        place = path(digest)
        if place.stat().st_size > SMALL:
            continue
        content = place.read_bytes()
        held.append((digest, len(content)))
        body += content
        if len(body) >= FULL or (len(body) >= ENOUGH and digest.startswith("0")):
            yield _pack(held, body), bytes(body)
            held, body = [], bytearray()
    if held:
        yield _pack(held, body), bytes(body)


def _pack(held: list[tuple[str, int]], body: bytearray) -> Pack:
    return Pack(hashlib.sha256(body).hexdigest(), tuple(held))


def unpacked(pack: Pack, body: bytes) -> Iterator[tuple[str, bytes]]:
    start = 0
    for digest, size in pack.files:
        yield digest, body[start : start + size]
        start += size


def index(packed: Iterable[Pack]) -> bytes:
    return json.dumps([[pack.digest, pack.files] for pack in packed], separators=(",", ":")).encode()


def of_index(body: bytes) -> list[Pack]:
    return [Pack(digest, tuple((file, size) for file, size in files)) for digest, files in json.loads(body)]
