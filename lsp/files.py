"""The files of a spec's folder as an editor has them: what is open and not yet saved stands before the disk."""

from __future__ import annotations

import os
import posixpath
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ..compiler.load import Found, Unreadable, decoded, is_remote
from ..compiler.program import Value
from ..compiler.types import Column, Columns
from ..runtimes.trouble import Trouble

LISTED = 5000
FRESH = 2.0  # seconds for which a listing of the folder is believed
LARGE = 32_000_000  # bytes: of a larger text file only its beginning is looked at while it is edited
BY_ROWS = ("csv", "jsonl")
PACKED = (".gz", ".zip")

Stamp = tuple[int, int] | None


class EditorFiles:
    """`buffers` are the texts that are open, by absolute path. What a source holds is read again when its size or
    time of change is another. Nothing is written, and no store is made."""

    def __init__(self, root: Path, buffers: Mapping[str, str]) -> None:
        self.root, self.buffers = root, buffers
        self._seen: dict[str, object] = {}
        self._columns: dict[object, tuple[dict[str, Stamp], Columns | Unreadable]] = {}
        self._names: tuple[float, tuple[str, ...]] = (0.0, ())

    def text(self, path: str) -> str | None:
        opened = self._opened(path)
        if not path.endswith(".mlspec"):  # a used spec is read again by its text
            self._seen[path] = self._stamp(path) if opened is None else opened
        return self._on_disk(path) if opened is None else opened

    def names(self) -> tuple[str, ...]:
        now = time.monotonic()
        if not self._names[1] or now - self._names[0] > FRESH:
            found = (path for path, _ in zip(_below(str(self.root)), range(LISTED), strict=False))
            self._names = (now, tuple(found))
        return self._names[1]

    def columns(self, word: str, place: str, arguments: Mapping[str, Value], declared: Columns) -> Found:
        """What is declared does not change what a file holds, so to edit it reads nothing; but where it names them."""
        if is_remote(word, place):
            return None
        names_them = arguments.get("header") is False
        found = self._held(word, place, arguments, declared if names_them else ())
        return found if names_them or isinstance(found, Unreadable) else _as_declared(found, declared)

    def changed(self) -> bool:
        """Whether something that was asked for would be answered otherwise now."""
        seen = tuple(self._seen.items())  # a request may add to it meanwhile
        held = {path: stamp for stamps, _ in tuple(self._columns.values()) for path, stamp in stamps.items()}
        return any(self._now(path) != then for path, then in seen) or any(
            self._stamp(path) != stamp for path, stamp in held.items()
        )

    def forget(self) -> None:
        self._seen.clear()
        self._names = (0.0, ())

    # --- texts ------------------------------------------------------------------------------------------------

    def _opened(self, path: str) -> str | None:
        return self.buffers.get(os.path.normpath(f"{self.root}/{path}"))

    def _on_disk(self, path: str) -> str | None:
        try:
            return decoded(path, (self.root / path).read_bytes())
        except (OSError, ValueError):
            return None

    def _now(self, path: str) -> object:
        opened = self._opened(path)
        return self._stamp(path) if opened is None else opened

    def _stamp(self, path: str) -> Stamp:
        try:
            found = (self.root / path).stat()
        except (OSError, ValueError):
            return None
        return found.st_size, found.st_mtime_ns

    # --- sources ----------------------------------------------------------------------------------------------

    def _held(self, word: str, place: str, arguments: Mapping[str, Value], declared: Columns) -> Columns | Unreadable:
        key = (word, place, tuple(sorted(arguments.items())), declared)
        known = self._columns.get(key)
        if known is not None and all(self._stamp(path) == stamp for path, stamp in known[0].items()):
            return known[1]
        paths = self._paths(word, place)
        answer = self._inspected(word, place, paths, arguments, declared)
        watched = (*paths, place, *_folder_of_pattern(place))
        self._columns[key] = ({path: self._stamp(path) for path in watched}, answer)
        return answer

    def _paths(self, word: str, place: str) -> tuple[str, ...]:
        from ..runtimes import sources  # pyarrow and more: only when a source is looked at

        if word == "folder":
            return ()
        beside = sources.may_be_beside(place) if word == "sqlite" else ()
        try:
            return (*sources.find(self.root, place), *beside)
        except Trouble:
            return tuple(beside)

    def _inspected(
        self, word: str, place: str, paths: tuple[str, ...], arguments: Mapping[str, Value], declared: Columns
    ) -> Columns | Unreadable:
        from ..runtimes import sources

        try:
            if word in BY_ROWS and len(paths) == 1 and self._is_large(paths[0]):
                return self._by_its_beginning(word, paths[0], arguments, declared)
            return sources.inspect(self.root, word, place, arguments, declared)
        except Trouble as trouble:
            there = any(self._stamp(path) is not None for path in paths)
            return Unreadable(str(trouble), trouble.help, getattr(trouble, "argument", ""), there)
        except OSError as error:
            return Unreadable(f"{place} cannot be read: {error.strerror or error}")

    def _is_large(self, path: str) -> bool:
        stamp = self._stamp(path)
        return stamp is not None and stamp[0] > LARGE and not path.lower().endswith(PACKED)

    def _by_its_beginning(
        self, word: str, path: str, arguments: Mapping[str, Value], declared: Columns
    ) -> Columns | Unreadable:
        from ..runtimes import sources, tables

        with (self.root / path).open("rb") as file:
            content = file.read(LARGE).rpartition(b"\n")[0]
        found: Any = sources.load(word, path, [(path, content)], arguments, declared)
        columns = []
        for name in found.names:
            values = found.columns[name].inferred()
            type_ = tables.from_arrow(values.type, optional=True)
            if type_ is not None:
                columns.append(Column(name=name, type=type_))
        return tuple(columns)


def _as_declared(found: Columns, declared: Columns) -> Columns:
    asked = {column.origin or column.name: column.type for column in declared}
    return tuple(Column(name=c.name, type=asked[c.name]) if c.name in asked else c for c in found)


def _folder_of_pattern(place: str) -> tuple[str, ...]:
    """The folder that changes when a file more fits a pattern."""
    found = re.search(r"[*?\[]", place)
    return (posixpath.dirname(place[: found.start()]),) if found else ()


def _below(root: str) -> Iterator[str]:
    """Files below a folder by their paths from there; nothing whose name begins with a dot."""
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        inside = posixpath.relpath(folder.replace(os.sep, "/"), root.replace(os.sep, "/"))
        yield from (posixpath.normpath(f"{inside}/{name}") for name in sorted(_shown(files)))


def _shown(names: Iterable[str]) -> Iterator[str]:
    return (name for name in names if not name.startswith("."))
