"""What the compiler may ask of the files that a spec names. It is handed one of these; it opens nothing itself."""

from __future__ import annotations

import contextlib
import re
import tokenize
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


def decoded(path: str, content: bytes) -> str:
    """What a file holds: UTF-8, or what a file of Python says in its head. A byte that is none stays told apart from all
    that can be written, as half of a surrogate pair: see `undecoded`."""
    encoding = "utf-8"
    if path.endswith(".py"):
        with contextlib.suppress(SyntaxError, LookupError):
            encoding = tokenize.detect_encoding(iter(content.splitlines(keepends=True)).__next__)[0]
    try:
        return content.decode(encoding.removesuffix("-sig"), errors="surrogateescape")
    except UnicodeError:
        return content.decode("utf-8", errors="surrogateescape")


def undecoded(path: str, text: str) -> Unreadable | None:
    """What is wrong with a text that is no UTF-8, as Latin-1 is none."""
    found = re.search("[\udc80-\udcff]", text)
    if found is None:
        return None
    line = text.count("\n", 0, found.start()) + 1
    return Unreadable(
        f"{path} is not UTF-8: line {line} holds the byte {ord(found[0]) - 0xDC00:#04x}", "save it as UTF-8"
    )


def mark_between(names: Sequence[str]) -> str:
    """What stands between the values of a csv file, if all its columns were read as one."""
    return next((mark for mark in ";\t|" if mark in names[0]), "") if len(names) == 1 else ""


def apart_by(names: Sequence[str]) -> str:
    """The argument that such a file needs."""
    mark = mark_between(names)
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
