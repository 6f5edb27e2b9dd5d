"""What is said of content that cannot be told apart without reading it, and of content that was another when read."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from ...compiler.state import SourceFiles
from ..trouble import Trouble

_UNKNOWN = "unknown"


def unknown(files: Iterable[str], why: str) -> SourceFiles:
    """Each look gives another digest, so that no key made of it is ever met again."""
    return SourceFiles(files={file: f"{_UNKNOWN} {uuid.uuid4().hex}" for file in files}, unknown=why)


def is_unknown(digest: str) -> bool:
    return not digest or digest.startswith(_UNKNOWN)


def changed_meanwhile(place: str) -> Trouble:
    return Trouble(f"read {place}", "it changed while it was being read", "apply again")
