"""The pull step of a deployment that `mlspec apply` registers: the compiled folder, out of the store."""

from __future__ import annotations

import os
import shutil
import uuid
from pathlib import Path

from ..store.opening import FOLDER, open_objects

CACHE = "MLSPEC_CACHE"  # where a worker keeps what it took from stores


def pull_project(store: str, digest: str) -> dict[str, str]:
    """Lay the folder out on this machine. Returns what Prefect wants of a pull step: its working directory."""
    cache = Path(os.environ.get(CACHE) or Path.home() / ".cache" / "mlspec")
    target = cache / "projects" / digest.removeprefix("folder:")[:32]
    if not target.is_dir():
        aside = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}")
        objects = open_objects(cache, store)
        for path, file in objects.listing(digest).items():
            (aside / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(objects.path(file), aside / path)
        (cache / FOLDER).mkdir(exist_ok=True)
        (aside / "project" / FOLDER).symlink_to(cache / FOLDER)  # what was made, and what runs, outlives this version
        try:
            aside.rename(target)
        except OSError:  # another run was faster
            shutil.rmtree(aside, ignore_errors=True)
    return {"directory": str(target)}
