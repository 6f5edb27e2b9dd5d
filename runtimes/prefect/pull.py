"""The pull step of a deployment that `mlspec apply` registers: the compiled folder, out of the store."""

from __future__ import annotations

import os
from pathlib import Path

from ..elsewhere import receive
from ..store.opening import FOLDER, open_store

CACHE = "MLSPEC_CACHE"  # where a worker keeps what it took from stores


def pull_project(store: str, digest: str) -> dict[str, str]:
    """Lay the folder out on this machine. Returns what Prefect wants of a pull step: its working directory."""
    cache = Path(os.environ.get(CACHE) or Path.home() / ".cache" / "mlspec")
    objects, _ = open_store(cache, store, "", "")
    return {"directory": str(receive(digest, objects, cache / "projects", cache / FOLDER))}
