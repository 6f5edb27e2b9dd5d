"""The specs of a workspace, open or not: what is named in each, and which file a name leads to."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from ..compiler.incremental import Placed
from ..grammar import tree
from ..grammar.source import Span
from .occurrences import Occurrence, occurrences


@dataclass(frozen=True, slots=True)
class Module:
    """One spec: its absolute path, its text and its statements."""

    path: str
    text: str
    placed: tuple[Placed, ...]

    def occurrences(self) -> Iterator[Occurrence]:
        """With spans as the file has them."""
        for one in self.placed:
            for found in _remembered(_ById(one.statement)):
                yield found._replace(span=Span(self.path, found.span.start + one.start, found.span.end + one.start))

    def at(self, offset: int) -> Occurrence | None:
        """What stands at an offset, or ends there."""
        found = [one for one in self.occurrences() if one.span.start <= offset <= one.span.end]
        return min(found, key=lambda one: one.span.end - one.span.start) if found else None

    def uses(self) -> dict[str, str]:
        """The absolute paths of the specs that it uses, by what it calls them."""
        found = (one.statement for one in self.placed if isinstance(one.statement, tree.Use))
        return {use.alias.text: beside(self.path, use.place.value) for use in found}

    def declares(self, name: str) -> tuple[tree.Statement, Span] | None:
        """The statement that declares a name, and where the name stands."""
        for one in self.placed:
            for declared in names_of(one.statement):
                if declared.text == name:
                    span = declared.span
                    return one.statement, Span(self.path, span.start + one.start, span.end + one.start)
        return None


Read = Callable[[str], Module | None]  # a spec by its absolute path
ReadText = Callable[[str], str | None]  # any file by its absolute path


def beside(path: str, place: str) -> str:
    """The absolute path of a place that the spec at `path` names."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), place))


def names_of(statement: tree.Statement) -> tuple[tree.Name, ...]:
    match statement:
        case tree.Block() | tree.Secret():
            return statement.names
        case tree.Param() | tree.Env():
            return (statement.name,)
        case tree.Use():
            return (statement.alias,)
        case _:
            return ()


def led_to(module: Module, dotted: str, read: Read) -> Module | None:
    """The spec that `eu` or `eu.inner` stands for."""
    found: Module | None = module
    for alias in dotted.split("."):
        path = found.uses().get(alias) if found else None
        found = read(path) if path else None
    return found


class _ById:
    """A tree, to be remembered by what it is: to compare two of them would cost more than to look through one."""

    def __init__(self, statement: tree.Statement) -> None:
        self.statement = statement

    def __hash__(self) -> int:
        return id(self.statement)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ById) and other.statement is self.statement


@lru_cache(maxsize=50_000)
def _remembered(key: _ById) -> tuple[Occurrence, ...]:
    return tuple(occurrences(key.statement))
