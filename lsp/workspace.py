"""All that is open, and the specs around it: texts by their absolute paths, and what was found of each."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..compiler.incremental import Placed
from ..compiler.target import Target
from ..grammar.parse import parse
from ..grammar.source import Source
from .analysis import Analysis, Opened, opened
from .diagnostics import Told, merged, told
from .modules import Module
from .positions import Encoding, Lines

ENDING = ".mlspec"
FRESH = 2.0  # seconds for which a listing of the folders is believed
MOST = 2000  # specs that are looked for


class Workspace:
    """`buffers` are the texts that are open, of whatever language; `analyses` and `told` are of the specs among them."""

    def __init__(self, targets: Mapping[str, Target]) -> None:
        self.targets = targets
        self.encoding: Encoding = "utf-16"
        self.folders: list[Path] = []
        self.buffers: dict[str, str] = {}
        self.opened: dict[str, Opened] = {}
        self.analyses: dict[str, Analysis] = {}
        self.told: dict[str, dict[str, list[Told]]] = {}
        self._read: dict[str, tuple[object, Module]] = {}
        self._lines: dict[str, Lines] = {}
        self._found: tuple[float, tuple[str, ...]] = (0.0, ())

    # --- what is open -----------------------------------------------------------------------------------------

    def open(self, path: str, text: str) -> None:
        self.buffers[path] = text
        if path.endswith(ENDING) and path not in self.opened:
            self.opened[path] = opened(Path(path), self.buffers, self.targets)

    def close(self, path: str) -> set[str]:
        """Returns the files of which less is told now."""
        for kept in (self.buffers, self.opened, self.analyses):
            kept.pop(path, None)
        return {path, *self.told.pop(path, {})}

    def analysed(self, path: str, analysis: Analysis) -> set[str]:
        """Keeps what was found. Returns the files of which more or less is told now, the spec itself among them."""
        before = self.told.get(path, {})
        used = any(one.code == "E107" for one in analysis.compiled.diagnostics) and self.is_used(path)
        now = told(analysis, is_used=used)
        self.analyses[path], self.told[path] = analysis, now
        return {path, *(file for file in {*before, *now} if before.get(file) != now.get(file))}

    def told_of(self, path: str) -> list[Told]:
        return merged(by_file.get(path, []) for by_file in self.told.values())

    def affected(self, path: str) -> list[str]:
        """The open specs that a change of a file may matter to."""
        if not path.endswith(ENDING):
            return list(self.opened)
        return [one for one in self.opened if one == path or self._names(one, path)]

    def _names(self, spec: str, path: str) -> bool:
        """Whether a spec uses another, through others or itself; also one that was not there until now."""
        analysis, module = self.analyses.get(spec), self.module(spec)
        read = analysis is not None and path in analysis.compiled.sources
        return read or (module is not None and path in module.uses().values())

    # --- texts and specs --------------------------------------------------------------------------------------

    def text(self, path: str) -> str | None:
        if path in self.buffers:
            return self.buffers[path]
        try:
            with Path(path).open(encoding="utf-8", errors="replace", newline="") as file:
                return file.read()
        except (OSError, ValueError):
            return None

    def lines(self, path: str, text: str | None = None) -> Lines:
        text = (self.text(path) or "") if text is None else text
        known = self._lines.get(path)
        if known is None or known.text != text or known.encoding != self.encoding:
            known = self._lines[path] = Lines(text, self.encoding)
        return known

    def module(self, path: str) -> Module | None:
        analysis = self.analyses.get(path)
        buffer = self.buffers.get(path)
        if analysis is not None and analysis.text == buffer:
            return Module(path, analysis.text, analysis.placed)
        stamp = buffer if buffer is not None else _stamp(path)
        known = self._read.get(path)
        if known is None or known[0] != stamp:
            text = self.text(path) if stamp is not None else None
            if text is None:
                return None
            document = parse(Source(path, text)).document
            known = (stamp, Module(path, text, tuple(Placed(one, 0) for one in document.statements)))
            self._read[path] = known
        return known[1]

    def modules(self) -> Iterator[Module]:
        """Every spec of the workspace's folders, and those that are open."""
        for path in dict.fromkeys((*self.opened, *self._specs())):
            module = self.module(path)
            if module is not None:
                yield module

    def is_used(self, path: str) -> bool:
        return any(path in module.uses().values() for module in self.modules())

    def forget_listing(self) -> None:
        self._found = (0.0, ())

    def _specs(self) -> tuple[str, ...]:
        now = time.monotonic()
        if now - self._found[0] > FRESH or not self._found[0]:
            folders = self.folders or [Path(path).parent for path in self.opened]
            paths = (path for folder in dict.fromkeys(folders) for path in _specs_below(folder))
            self._found = (now, tuple(path for path, _ in zip(paths, range(MOST), strict=False)))
        return self._found[1]


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


PASSED_OVER = frozenset({"node_modules", "__pycache__", "venv", "site-packages"})


def _specs_below(root: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in PASSED_OVER)
        yield from (str(Path(folder, name)) for name in sorted(files) if name.endswith(ENDING))
