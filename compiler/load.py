"""What the compiler may ask of the files that a spec names. It is handed one of these; it opens nothing itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .program import Value
from .types import Columns

REMOTE = ("http://", "https://", "s3://")


def is_remote(word: str, place: str) -> bool:
    """Whether a source is reached over a network: it is not looked into before it is read."""
    return word == "postgres" or place.lower().startswith(REMOTE)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file that cannot be used: why, in plain words, and the way out. `argument` is the one that is at fault. Is it not
    even `there`, another name may be meant."""

    why: str
    help: str = ""
    argument: str = ""
    there: bool = True


def apart_by(names: Sequence[str]) -> str:
    """The argument that a csv file needs, if all its columns were read as one."""
    mark = next((mark for mark in ";\t|" if mark in names[0]), "") if len(names) == 1 else ""
    return f'delimiter = "{mark}"'.replace("\t", "\\t") if mark else ""


Found = Columns | Unreadable | None


class Files(Protocol):
    """The folder of the spec. All paths are relative to it, with `/`."""

    def text(self, path: str) -> str | None:
        """The text of a file, None when there is none."""

    def names(self) -> tuple[str, ...]:
        """The files of the folder, for did-you-mean."""

    def columns(self, word: str, place: str, arguments: Mapping[str, Value], declared: Columns) -> Found:
        """The columns that a source holds, under their names in the file. () for a folder, None where they are not
        known before it is read."""


class InMemory:
    """Files that are only told of: the twin for tests, editors and examples in the docs."""

    def __init__(self, texts: Mapping[str, str], tables: Mapping[str, Columns] | None = None) -> None:
        self.texts, self.tables = texts, tables or {}

    def text(self, path: str) -> str | None:
        return self.texts.get(path)

    def names(self) -> tuple[str, ...]:
        return (*self.texts, *self.tables)

    def columns(self, word: str, place: str, arguments: Mapping[str, Value], declared: Columns) -> Found:
        if is_remote(word, place):
            return self.tables.get(place)
        return self.tables.get(place) or Unreadable(f"there is no file {place}", there=False)
