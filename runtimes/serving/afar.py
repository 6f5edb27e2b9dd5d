"""A service that another machine runs: where it said that it answers, and whether it does now."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .release import Status

ADDRESS, HOST = "address", "host"  # what `about` of a release's record says
PATIENCE = 2.0  # seconds


def whereabouts(address: str) -> dict[str, str]:
    """What is kept of a release that has begun to answer here."""
    return {ADDRESS: address, HOST: os.uname().nodename}


def status(release: str, about: Mapping[str, Any]) -> Status:
    """Of the release whose record says this of it: running, if it answers at its address."""
    address = str(about.get(ADDRESS, ""))
    return Status(running=True, address=address, release=release) if address and _is_ready(address) else Status()


def _is_ready(address: str) -> bool:
    import urllib.request

    try:
        with urllib.request.urlopen(f"{address}/ready", timeout=PATIENCE) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False
