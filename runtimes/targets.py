"""Every runtime that is here, by its name: a new one is a folder and a line."""

from __future__ import annotations

from collections.abc import Mapping

from ..compiler.target import Target
from . import local, prefect


def targets() -> Mapping[str, Target]:
    return {target.name: target for target in (local.TARGET, prefect.TARGET)}
