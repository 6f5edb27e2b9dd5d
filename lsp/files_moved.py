"""Files that an editor is about to move -> the edits after which specs name them where they will be."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping

from .modules import Module, beside
from .rename import Edit


def edits(modules: Iterable[Module], moves: Mapping[str, str], is_there: Callable[[str], bool]) -> list[Edit]:
    """`moves` are absolute paths, of files or folders; `is_there` tells a place that is a file from one that is not."""
    return [edit for module in modules for edit in _of_spec(module, moves, is_there)]


def _of_spec(module: Module, moves: Mapping[str, str], is_there: Callable[[str], bool]) -> Iterator[Edit]:
    home = _moved(module.path, moves)
    for one in module.occurrences():
        if one.form != "place" or "\n" in one.text or one.span.end - one.span.start != len(one.text):
            continue
        place, colon, rest = one.text.partition(":") if one.of == "python" else (one.text, "", "")
        path = beside(module.path, place)
        target = _moved(path, moves)
        if (home, target) == (module.path, path) or not is_there(path):
            continue
        shown = posixpath.relpath(target, posixpath.dirname(home))
        if shown != posixpath.normpath(place):
            yield Edit(module.path, one.span.start, one.span.end, f"{shown}{colon}{rest}")


def _moved(path: str, moves: Mapping[str, str]) -> str:
    for old, new in moves.items():
        if path == old or path.startswith(f"{old}/"):
            return new + path[len(old) :]
    return path
