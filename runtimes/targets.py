"""Every runtime that is here, by its name: ours, a folder and a line each, and those that installed packages bring."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from ..compiler.target import Target
from . import local, make, prefect

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "mlspec.runtimes"  # of entry points: NAME = "package.module:TARGET"
OURS = {target.name: target for target in (local.TARGET, prefect.TARGET, make.TARGET)}


def targets() -> Mapping[str, Target]:
    return _Targets()


class _Targets(Mapping[str, Target]):
    """What is installed is looked through only for a name that is not ours, or for all: that takes time."""

    def __getitem__(self, name: str) -> Target:
        return OURS[name] if name in OURS else _loaded(name)

    def __iter__(self) -> Iterator[str]:
        return iter([*OURS, *(name for name in sorted(_entries()) if name not in OURS)])

    def __len__(self) -> int:
        return sum(1 for _ in self)


@cache
def _entries() -> dict[str, list[EntryPoint]]:
    from importlib.metadata import entry_points

    found: dict[str, list[EntryPoint]] = {}
    for entry in entry_points(group=GROUP):
        found.setdefault(entry.name, []).append(entry)
    return found


@cache
def _loaded(name: str) -> Target:
    """Raises KeyError where no package brings it."""
    entries = _entries()[name]
    packages = sorted({entry.dist.name if entry.dist else entry.value for entry in entries})
    if len(packages) > 1:
        return _broken(name, f"more than one package brings it: {', '.join(packages)}")
    return _checked(name, entries[0], packages[0])


def _checked(name: str, entry: EntryPoint, package: str) -> Target:
    try:
        found = entry.load()
    except Exception as error:  # whatever a stranger's module does while it is imported
        return _broken(name, f"{package} brings it and cannot be loaded: {_line(error)}")
    if not isinstance(found, Target):
        return _broken(name, f"{package} brings it as {entry.value}, and that is no Target")
    if found.name != name:
        return _broken(name, f"{package} brings it as {entry.value}, whose name is {found.name}")
    return found


def _broken(name: str, why: str) -> Target:
    return Target(name=name, doc=why, compile=lambda program, project: {}, broken=why)


def _line(error: Exception) -> str:
    text = f"{error}".strip().split("\n")[0]
    return text if isinstance(error, ImportError) and text else f"{type(error).__name__}: {text}".rstrip(": ")
