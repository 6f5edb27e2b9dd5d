"""A spec's text as its file holds it, and a changed text put in its place: whole or not at all, laid out as it was."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ..trouble import Trouble

MARK = "\ufeff"
LARGEST = 20_000_000  # bytes: no spec of so many characters is read


@dataclass(frozen=True, slots=True)
class Written:
    """`text` has its lines end in "\\n"; in the file they end in `line_end`, and `mark` stands before it all."""

    text: str
    line_end: str = "\n"
    mark: str = ""

    def in_file(self, text: str) -> bytes:
        return (self.mark + text.replace("\n", self.line_end)).encode()


def read(path: Path) -> Written:
    doing = f"open {path}"
    try:
        size = path.stat().st_size
        if size > LARGEST:
            help_ = 'data is named by its place: data d from csv "d.csv"'
            raise Trouble(doing, f"it has {size / 1e6:.0f} MB, which is more than the 5 MB of a spec", help_)
        content = path.read_bytes()
    except OSError as error:
        raise Trouble(doing, error.strerror or str(error)) from None
    return decoded(content, doing)


def decoded(content: bytes, doing: str) -> Written:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if (content and not text) or "\0" in text:
        wide = content[:2] in (b"\xff\xfe", b"\xfe\xff") or content[1::2].count(0) > len(content) / 4
        why = "it is UTF-16" if wide else "it is no UTF-8 text"
        raise Trouble(doing, why, "save it as UTF-8" if text or wide else "a spec is a text; save it as UTF-8")
    mark = MARK if text.startswith(MARK) else ""
    first = text.find("\n")
    line_end = "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"
    return Written(text.removeprefix(mark).replace("\r\n", "\n").replace("\r", "\n"), line_end, mark)


def replace(path: Path, content: bytes) -> None:
    """Who reads the file meanwhile finds the one or the other, never a part. A link stays a link, a mode a mode."""
    path = path.resolve()
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_bytes(content)
        aside.chmod(path.stat().st_mode & 0o7777)
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise Trouble(f"write {path.name}", error.strerror or str(error)) from None
