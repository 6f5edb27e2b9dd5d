"""A secret's value, read from the environment when a step runs; and texts without it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from urllib.parse import quote

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
    for form in forms(names):
        text = text.replace(form, HIDDEN)
    return text


def forms(names: Iterable[str]) -> list[str]:
    """What is to be hidden, the longest first: values as they are, and as Python, JSON and addresses write them."""
    found = {os.environ.get(variable(name), "") for name in names} - {""}
    parts = found | {line for one in found for line in one.splitlines() if len(line) >= LEAST}
    written = {form for part in parts for form in _written(part)}
    return sorted(written, key=lambda form: (-len(form), form))


def _written(part: str) -> Iterator[str]:
    yield part
    yield repr(part)[1:-1]
    yield ascii(part)[1:-1]
    yield json.dumps(part)[1:-1]
    yield json.dumps(part, ensure_ascii=False)[1:-1]
    yield quote(part, safe="")
