"""A place in the world -> the files it names, the columns they hold, and their cells.

One file a format; `load` is all that the recipe `read` needs, `inspect` all that the compiler asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...compiler.program import Value
from ...compiler.types import Column, Columns
from ...grammar.kinds import SOURCES
from ..trouble import Trouble
from . import hints
from .beside import beside, may_be_beside
from .places import content_of, files_in, find, folder_of, unpacked
from .raw import Raw, joined, same_columns, unfit

if TYPE_CHECKING:  # they import pyarrow, which telling what a place holds now does not need
    from .typed import Reading

__all__ = ["beside", "content_of", "files_in", "find", "folder_of", "inspect", "load", "may_be_beside"]


def inspect(root: Path, word: str, place: str, arguments: Mapping[str, Value], declared: Columns) -> Columns:
    """The columns of the files at `place`, under their names in the file and in its order.

    The type of a declared one is as declared, of another what all its values are.
    """
    if word == "folder":
        folder_of(root, place)
        return ()
    asked = {column.origin or column.name: column for column in declared}
    if word == "sqlite":
        from . import sqlite

        found = sqlite.read(root, place, arguments, {})
        return tuple(_column(name, found, asked) for name in found.names)
    files = find(root, place)
    if word == "parquet":
        return _of_footers(root, place, files, asked)
    contents = [(path, content_of(root, path)) for path in files]
    found = load(word, place, contents, arguments, declared, frozenset(asked))
    return tuple(_column(name, found, asked) for name in found.names)


def _of_footers(root: Path, place: str, files: tuple[str, ...], asked: dict[str, Column]) -> Columns:
    from . import parquet

    many = [parquet.columns_of(root, path, asked) for path in files]
    for path, columns in zip(files[1:], many[1:], strict=True):
        same_columns(files[0], [c.name for c in many[0]], path, [c.name for c in columns], place)
    return parquet.unified(many, files)


def _column(name: str, found: Raw, asked: dict[str, Column]) -> Column:
    if name in asked:
        return Column(name=name, type=asked[name].type)
    from .. import tables

    array = found.columns[name].inferred()
    type_ = tables.from_arrow(array.type, optional=array.null_count > 0)
    assert type_ is not None, array.type
    return Column(name=name, type=type_, empty=array.null_count == len(array))


def load(
    word: str, place: str, contents: list[tuple[str, bytes]], arguments: Mapping[str, Value], declared: Columns,
    leaving_out: frozenset[str] = frozenset(),
) -> Raw:  # fmt: skip
    """The cells of all files of a place as one table. `contents` are (path, bytes); `leaving_out` need not be read."""
    raws = []
    for path, content in contents:
        for file, plain in unpacked(path, content, word) if word in ("csv", "jsonl") else [(path, content)]:
            raws.append(_of_file(word, file, plain, arguments, declared, leaving_out))
    return joined(raws, place)


def _of_file(
    word: str, file: str, content: bytes, arguments: Mapping[str, Value], declared: Columns, leaving_out: frozenset[str]
) -> Raw:
    """Each format's library is imported only by who reads that format."""
    written: dict[str, Any] = {argument.name: argument.default for argument in SOURCES[word].arguments} | dict(
        arguments
    )
    match word:
        case "csv":
            from . import csv

            reading = _reading(written, file, numbers_in_text=True)
            delimiter = "\t" if file.lower().endswith(".tsv") and "delimiter" not in arguments else written["delimiter"]
            form = csv.Form(written["header"], delimiter, written["quote"], written["encoding"], reading)
            return csv.read(file, content, form, declared, leaving_out)
        case "jsonl":
            from . import jsonl

            return jsonl.read(file, content, str(written["encoding"]), _reading(written, file, numbers_in_text=False))
        case "excel":
            from . import excel

            reading = _reading(
                written, file, numbers_in_text="decimal" in arguments or "thousands" in arguments, text_of_numbers=True
            )
            return excel.read(
                file, content, excel.Form(written["sheet"], written["header"], written["skip"], reading), declared
            )
        case "parquet":
            from . import parquet

            return parquet.read(file, content)
    raise Trouble(f"read {file}", f"{word} cannot be read yet")


def _reading(written: Mapping[str, Any], file: str, *, numbers_in_text: bool, text_of_numbers: bool = False) -> Reading:
    from .typed import Reading

    missing, dates = written["missing"], str(written["dates"])
    decimal, thousands = str(written.get("decimal", ".")), str(written.get("thousands", ""))
    if len(decimal) != 1 or len(thousands) > 1 or decimal == thousands:
        cause = "decimal and thousands must be one character each, and not the same"
        raise unfit("decimal" if decimal != "." else "thousands", f"read {file}", cause, 'as in decimal = ","')
    _check_format(dates, file)
    words = (missing,) if isinstance(missing, str) else tuple(missing)
    return Reading(words, decimal, thousands, dates, numbers_in_text, text_of_numbers)


def _check_format(dates: str, file: str) -> None:
    if not dates:
        return
    moment = datetime(2001, 12, 31, 13, 14, 15)
    try:
        says_when = datetime.strptime(moment.strftime(dates), dates).year == moment.year
    except ValueError:
        says_when = False
    if not says_when:
        meant = hints.of_words(dates)
        help_ = f'write dates = "{meant}"' if meant else 'as in dates = "%d.%m.%Y"'
        raise unfit("dates", f"read {file}", f'dates = "{dates}" is no way to write dates', help_)
