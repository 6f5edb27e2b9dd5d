"""A quoted place -> the files it names, and their bytes; what is packed as .gz or .zip is unpacked."""

from __future__ import annotations

import codecs
import gzip
import io
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from glob import glob, has_magic
from pathlib import Path, PurePosixPath

from ...compiler import lock
from ...grammar.diagnostic import nearest
from ...grammar.kinds import SOURCES
from ..trouble import Trouble


def find(root: Path, place: str) -> tuple[str, ...]:
    """The files of a place, relative to `root` as the place is, sorted."""
    try:
        return _found(root, place)
    except OSError as error:  # as of a name too long for any file, or a folder that one may not look into
        raise Trouble(f"read {place}", error.strerror or str(error)) from None


def _found(root: Path, place: str) -> tuple[str, ...]:
    full = root / place
    if full.is_file():
        return (place,)
    if full.is_dir():
        raise Trouble(
            f"read {place}",
            "it is a folder",
            f'name the files in it, as in "{place.rstrip("/")}/*.csv", or write from folder',
        )
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]+)://", place)
    if scheme:
        known = "a place is a file, or an address that begins with http://, https:// or s3://"
        raise Trouble(f"read {place}", f"there is no way to {scheme[1]}://", known)
    if not has_magic(place):
        raise Trouble(f"read {place}", "there is no such file", _did_you_mean(root, place))
    matching = glob(place, root_dir=root, recursive=True)  # noqa: PTH207 Path's takes no absolute pattern, and hidden files
    found = sorted(Path(path).as_posix() for path in matching if (root / path).is_file())
    if not found:
        raise Trouble(f"read {place}", "no file is named so", _did_you_mean(root, place))
    return tuple(found)


def _did_you_mean(root: Path, place: str) -> str:
    """The nearest name in the folder, or for a folder that is not there in the one above it."""
    parent, wanted = PurePosixPath(place).parent, PurePosixPath(place).name
    while not (root / parent).is_dir() and parent != parent.parent:
        parent, wanted = parent.parent, parent.name
    if not (root / parent).is_dir():
        return ""
    there = (path.name for path in (root / parent).iterdir())
    known = sorted(name for name in there if not name.startswith(".") and not name.endswith(".mlspec"))
    close = nearest(wanted, known)
    return f"did you mean {(parent / close).as_posix()}?" if close else ""


def folder_of(root: Path, place: str) -> Path:
    full = root / place
    try:
        if full.is_dir():
            return full
    except OSError as error:
        raise Trouble(f"read {place}", error.strerror or str(error)) from None
    cause = "it is a file, not a folder" if full.exists() else "there is no such folder"
    raise Trouble(f"read {place}", cause, "" if full.exists() else _did_you_mean(root, place))


def files_in(folder: Path) -> Iterator[Path]:
    """All files of a folder, sorted, but what is hidden or lies in a hidden folder, and the lock: an apply writes both."""
    found: list[Path] = []
    for inside, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(inside, name) for name in names if not name.startswith(".") and name != lock.FILE]
    yield from (path for path in sorted(found) if path.is_file())


def content_of(root: Path, path: str) -> bytes:
    try:
        return (root / path).read_bytes()
    except OSError as error:
        raise Trouble(f"read {path}", error.strerror or str(error)) from None


def unpacked(path: str, content: bytes, word: str) -> list[tuple[str, bytes]]:
    """The files that are in a file: (name, bytes). A plain file is itself."""
    name = path.lower().partition("?")[0] if "://" in path else path.lower()
    try:
        if name.endswith(".gz"):
            return [(path, gzip.decompress(content))]
        if name.endswith(".zip"):
            return _members(path, content, SOURCES[word].endings)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError) as error:
        raise Trouble(
            f"read {path}", f"it cannot be unpacked: {error}", "it may not have been copied to its end"
        ) from None
    except RuntimeError:  # what zipfile raises where it wants a password
        raise Trouble(f"read {path}", "it is protected by a password", "unpack it first") from None
    return [(path, content)]


def _members(path: str, content: bytes, endings: tuple[str, ...]) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = sorted(
            item.filename for item in archive.infolist() if not item.is_dir() and not _is_hidden(item.filename)
        )
        wanted = names if len(names) == 1 else [name for name in names if name.lower().endswith(endings)]
        if not wanted:
            raise Trouble(f"read {path}", f"no file in it ends in {' or '.join(endings)}")
        return [(f"{path}/{name}", archive.read(name)) for name in wanted]


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def is_utf8(encoding: str) -> bool:
    return encoding.lower() in ("utf-8", "utf8", "utf-8-sig")


def as_utf8(content: bytes, encoding: str, file: str) -> bytes:
    """Bytes of an encoding -> bytes of UTF-8, without a byte order mark. What is said to be UTF-8 is checked."""
    try:
        text = content.decode("utf-8" if is_utf8(encoding) else encoding)
    except LookupError:
        raise Trouble(
            f"read {file}", f"there is no encoding {encoding}", 'usual ones are "utf-8", "latin-1" and "cp1252"'
        ) from None
    except UnicodeError as error:
        line = content.count(b"\n", 0, getattr(error, "start", 0)) + 1
        likely = "utf-16" if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "latin-1"
        raise Trouble(
            f"read {file}", f"line {line} is not {encoding}", f'write encoding = "{likely}", or whichever it is'
        ) from None
    return content.removeprefix(codecs.BOM_UTF8) if is_utf8(encoding) else text.removeprefix("\ufeff").encode()
