"""The pull step of a deployment that `mlspec apply` registers: the compiled folder, out of the store."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import socket
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from .. import laid_out
from ..elsewhere import lay_out, receive
from ..store.opening import FOLDER, open_store
from ..trouble import Trouble
from .wiring import PULL

TO_CONNECT = 5.0  # seconds


def pull_project(store: str, digest: str, cluster: str = "") -> dict[str, str]:
    """Lay the folder out on this machine. Returns what Prefect wants of a pull step: its working directory.

    `cluster` is the address that the flow's tasks are handed to: where nothing listens, Ray asks without end, and Dask
    ends with a traceback."""
    cache = laid_out.cache()
    try:
        reach(cluster)
        objects, _ = open_store(cache, store, "", "")
        return {"directory": str(receive(digest, objects, laid_out.by_workers(), cache / FOLDER))}
    except Trouble as trouble:
        _tell(f"{trouble}; {trouble.help}".rstrip("; "))
        raise


def reach(cluster: str) -> None:
    """Only what names a host and a port can be asked for: Ray also takes "auto" and the like."""
    try:
        place = urlsplit(cluster if "//" in cluster else f"//{cluster}")
        if place.hostname and place.port:
            socket.create_connection((place.hostname, place.port), TO_CONNECT).close()
    except (OSError, ValueError) as error:  # ValueError: a port that is no number, half a bracket
        cause = "nothing answers there" if isinstance(error, OSError) else "it is no address"
        raise Trouble(f"reach the cluster at {cluster}", cause, "start it, or mend address = in the env") from None


def _tell(why: str) -> None:
    """To who follows the run: of what a pull step raises Prefect says only the code that its process ended with."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import LogCreate

    with contextlib.suppress(Exception):  # it is raised in any case
        run = UUID(os.environ.get("PREFECT__FLOW_RUN_ID") or sys.argv[1])  # a step is told in no other way
        with get_client(sync_client=True) as client:
            told = {"name": PULL, "level": logging.ERROR, "message": why, "timestamp": datetime.now(UTC)}
            client.create_logs([LogCreate.model_validate({**told, "flow_run_id": run})])


def unpack(files: Mapping[str, bytes]) -> Path:
    """A project that came along with a task, on this machine."""
    hasher = hashlib.sha256()
    for name, content in files.items():
        hasher.update(f"{name} {len(content)} ".encode() + content)
    target = laid_out.by_workers() / hasher.hexdigest()[:32]
    if not laid_out.is_there(target):
        lay_out(target, {f"project/{name}": content for name, content in files.items()}, laid_out.cache() / FOLDER)
    return target / "project"
