"""Where the artifacts of a spec lie: a folder, or a bucket with a folder of this machine before it.

That folder says itself what it stands before, so whoever is told a path opens the right thing.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from .ledger import Ledger
from .objects import Objects

if TYPE_CHECKING:  # who keeps artifacts in a folder pays nothing for buckets
    from .shared import SharedObjects

FOLDER, DATABASE, ORIGIN = ".mlspec", "state.db", "bucket"


def is_bucket(store: str) -> bool:
    return "://" in store


def place_of(root: Path, store: str) -> Path:
    """The folder of a store as the spec says it; `root` is the spec's."""
    if is_bucket(store):
        return root / FOLDER / "shared" / hashlib.sha256(store.rstrip("/").encode()).hexdigest()[:16]
    return root / (store or FOLDER)


def open_store(root: Path, store: str, spec: str, env: str) -> tuple[Objects, Ledger]:
    place = place_of(root, store)
    if not is_bucket(store):
        return Objects(place), Ledger(place / DATABASE, spec, env)
    from .shared_ledger import SharedLedger

    objects = _shared(place, store)
    ledger = SharedLedger(place / DATABASE, spec, env, objects)
    (place / ORIGIN).write_text(objects.bucket.url)
    return objects, ledger


def _shared(place: Path, url: str) -> SharedObjects:
    from .bucket import Bucket
    from .shared import SharedObjects

    return SharedObjects(place, Bucket(url))


def objects_at(place: Path) -> Objects:
    """As another process opens them, that was told the path."""
    origin = place / ORIGIN
    return _shared_at(place, origin.read_text()) if origin.exists() else Objects(place)


@lru_cache(8)
def _shared_at(place: Path, url: str) -> SharedObjects:
    """Once for all orders of a worker: its connections stay open."""
    return _shared(place, url)
