"""mlspec: a small declarative language for data, training and deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .cli.notebook import Spec


def load(path: str = "", *, on: str = "local") -> Spec:
    """Open a spec in a notebook: `.plan()`, `.apply()`, `["name"].read()`, `["model"].metrics`.

    `path` may be left out where the working folder holds exactly one `.mlspec` file.
    """
    from .cli.notebook import open_spec  # heavy for `mlspec --version`, which imports this file too

    return open_spec(path, on)
