"""The pull step of a deployment that `mlspec apply` registers: the compiled folder, out of the store."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from ..elsewhere import lay_out, receive
from ..store.opening import FOLDER, open_store

CACHE = "MLSPEC_CACHE"  # where a worker keeps what it took from stores


def pull_project(store: str, digest: str) -> dict[str, str]:
    """Lay the folder out on this machine. Returns what Prefect wants of a pull step: its working directory."""
    cache = _cache()
    objects, _ = open_store(cache, store, "", "")
    return {"directory": str(receive(digest, objects, cache / "projects", cache / FOLDER))}


def unpack(files: Mapping[str, bytes]) -> Path:
    """A project that came along with a task, on this machine."""
    hasher = hashlib.sha256()
    for name, content in files.items():
        hasher.update(f"{name} {len(content)} ".encode() + content)
    target = _cache() / "projects" / hasher.hexdigest()[:32]
    if not target.is_dir():
        lay_out(target, {f"project/{name}": content for name, content in files.items()}, _cache() / FOLDER)
    return target / "project"


def _cache() -> Path:
    return Path(os.environ.get(CACHE) or Path.home() / ".cache" / "mlspec")
