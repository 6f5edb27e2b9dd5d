"""A secret's value, read from the environment when a step runs; and texts without it."""

from __future__ import annotations

import os
from collections.abc import Iterable

from .trouble import Trouble

HIDDEN = "•••"
LEAST = 8  # characters: a shorter line of a longer secret says nothing, and stands in many texts


def variable(name: str) -> str:
    """The environment variable of a secret: its name in capitals; of `eu.warehouse_url` the last part."""
    return name.rsplit(".", 1)[-1].upper()


def value(name: str) -> str:
    """Raises Trouble when it is not set."""
    found = os.environ.get(variable(name), "")
    if not found:
        raise Trouble(f"read the secret {name}", f"{variable(name)} is not set in the environment",
                      f"set it where mlspec runs: export {variable(name)}=…")  # fmt: skip
    return found


def hidden(text: str, names: Iterable[str]) -> str:
    """The text with the values of these secrets taken out; of one with several lines, each line."""
    for name in names:
        found = os.environ.get(variable(name), "")
        for part in sorted({found, *found.splitlines()}, key=len, reverse=True):
            if len(part) >= LEAST or part == found != "":
                text = text.replace(part, HIDDEN)
    return text
