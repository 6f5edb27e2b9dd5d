"""Files that an editor is about to move -> the edits after which specs name them where they will be."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping

from .modules import Module, beside
from .rename import Edit


def edits(modules: Iterable[Module], moves: Mapping[str, str]) -> list[Edit]:
    """`moves` are absolute paths, of files or folders. A spec that moves itself is left as it is."""
    return [edit for module in modules if module.path not in moves for edit in _of_spec(module, moves)]


def _of_spec(module: Module, moves: Mapping[str, str]) -> Iterator[Edit]:
    for one in module.occurrences():
        if one.form != "place" or "://" in one.text or one.span.end - one.span.start != len(one.text):
            continue
        place, colon, rest = one.text.partition(":") if one.of == "python" else (one.text, "", "")
        new = _moved(beside(module.path, place), moves)
        if new is not None:
            shown = posixpath.relpath(new, posixpath.dirname(module.path))
            yield Edit(module.path, one.span.start, one.span.end, f"{shown}{colon}{rest}")


def _moved(path: str, moves: Mapping[str, str]) -> str | None:
    for old, new in moves.items():
        if path == old or path.startswith(f"{old}/"):
            return new + path[len(old) :]
    return None
