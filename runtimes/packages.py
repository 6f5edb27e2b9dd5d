"""Installed packages: what an import name is called where it is installed from, and its version here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

DISTRIBUTIONS = {
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
    "PIL": "pillow",
    "cv2": "opencv-python",
    "skimage": "scikit-image",
}


def distribution(package: str) -> str:
    """The name that an import name is installed by."""
    return DISTRIBUTIONS.get(package, package)


def version(package: str) -> str:
    """The version of the distribution that an import name belongs to; "none" when it is not installed.

    Looks for the folder `name-version.dist-info` itself: importlib.metadata reads every one of them.
    """
    wanted = _normal(distribution(package))
    found = _installed().get(wanted)
    return found if found is not None else _version_by_files(package)


def _normal(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


_SEEN: dict[tuple[str, ...], dict[str, str]] = {}


def _installed() -> dict[str, str]:
    key = tuple(sys.path)
    if key not in _SEEN:
        _SEEN[key] = dict(_distributions(reversed(sys.path)))
    return _SEEN[key]


def _distributions(folders: Iterable[str]) -> Iterable[tuple[str, str]]:
    for folder in folders:
        try:
            entries = os.listdir(folder or ".")  # noqa: PTH208 one call, no objects: this is on the no-change path
        except OSError:
            continue
        for entry in entries:
            if entry.endswith(".dist-info"):
                name, _, number = entry.removesuffix(".dist-info").partition("-")
                yield _normal(name), number


def _version_by_files(package: str) -> str:
    """For an import name that is not its distribution's: ask the slow way."""
    import importlib.metadata as metadata

    names: Any = metadata.packages_distributions().get(package)
    return metadata.version(names[0]) if names else "none"
