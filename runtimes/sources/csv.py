"""Text files of rows -> raw cells.

Arrow reads the rows fast. Python's own reader, which knows lines, reads them again only when something is wrong, or
when Arrow cannot.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow

from ...compiler.types import Columns
from ..trouble import Trouble
from .places import as_utf8, is_utf8
from .raw import Raw, Refused, Spot, named, numbered
from .typed import Reading, Texts

HEAD = 1 << 16  # bytes in which the first row is looked for at first
BLOCK = 1 << 22


@dataclass(frozen=True, slots=True)
class Form:
    """How the file is written."""

    header: bool
    delimiter: str
    quote: str
    encoding: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class Row:
    """`line` is where it begins, from 1; `end` the offset behind it. `is_open`: its last quote is never closed."""

    line: int
    fields: list[str]
    text: str
    end: int
    is_open: bool


def read(file: str, content: bytes, form: Form, declared: Columns, leaving_out: frozenset[str] = frozenset()) -> Raw:
    """The file's cells, but for the columns to leave out. `content` is as on disk, in the file's encoding."""
    _usable(form, file)
    plain = is_utf8(form.encoding)
    body = content.removeprefix(codecs.BOM_UTF8) if plain else as_utf8(content, form.encoding, file)
    first, start = _first_row(body, form, file)
    names = _names(first, form, declared, file)
    wanted = [index for index, name in enumerate(names) if name not in leaving_out]
    if not wanted:
        return Raw(file, names, {}, 0, lambda rows: [])
    if plain:
        as_utf8(body, form.encoding, file)
    return _rows(file, body, start if form.header else 0, names, wanted, form)


def _usable(form: Form, file: str) -> None:
    if len(form.delimiter) != 1 or form.delimiter in "\r\n":
        raise Trouble(
            f"read {file}", "its delimiter must be one character", 'as in delimiter = ";" or delimiter = "\\t"'
        )
    if len(form.quote) > 1 or form.quote in ("\r", "\n", form.delimiter):
        raise Trouble(
            f"read {file}", "its quote must be one character, another than the delimiter", 'quote = "" turns quotes off'
        )


def _first_row(body: bytes, form: Form, file: str) -> tuple[Row, int]:
    """The first row and the offset behind it in bytes; from the file's beginning, if it is all there."""
    for size in (HEAD, len(body)):
        piece = _decoded(body[:size], form, file)
        row = next(walk(piece, form), None)
        if row is not None and (size >= len(body) or row.end < len(piece)):
            if row.is_open and form.header:
                raise Trouble(f"read {file}", "a quote in its first row is never closed", 'quote = "" turns quotes off')
            return row, len(piece[: row.end].encode())
    raise Trouble(f"read {file}", "it is empty", "its first row should hold the names of its columns")


def _decoded(piece: bytes, form: Form, file: str) -> str:
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(piece)  # a character cut at the end is left for later
    except UnicodeDecodeError:
        return as_utf8(piece, form.encoding, file).decode()


def _names(first: Row, form: Form, declared: Columns, file: str) -> tuple[str, ...]:
    if not form.header:
        return named(numbered(len(first.fields), [(column.name, column.origin) for column in declared]), file)
    return named(first.fields, file)


def walk(text: str, form: Form) -> Iterator[Row]:
    """Every row that is not empty, slowly and with its line."""
    csv.field_size_limit(2**31 - 1)
    taken: list[str] = []
    number, end = 1, 0
    for fields in csv.reader(_noting(text, taken), **_dialect(form)):
        raw = "".join(taken)
        end += len(raw)
        if fields:
            yield Row(number, fields, raw.rstrip("\r\n"), end, end == len(text) and _is_open(taken, form))
        number += len(taken)
        taken.clear()


def _noting(text: str, taken: list[str]) -> Iterator[str]:
    for line in io.StringIO(text, newline=""):
        taken.append(line)
        yield line


def _dialect(form: Form) -> dict[str, Any]:
    if not form.quote:
        return {"delimiter": form.delimiter, "quoting": csv.QUOTE_NONE, "quotechar": None}
    return {"delimiter": form.delimiter, "quotechar": form.quote, "doublequote": True}


def _is_open(lines: Sequence[str], form: Form) -> bool:
    try:
        for _ in csv.reader(lines, **_dialect(form), strict=True):
            pass
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


# --- the rows ------------------------------------------------------------------------------------------------


def _rows(file: str, body: bytes, start: int, names: tuple[str, ...], wanted: list[int], form: Form) -> Raw:
    columns, is_regular = _fast(body, start, len(names), wanted, form)
    misfits: tuple[Refused, ...] = ()
    if columns is None:
        columns = _slow(body, start, len(names), wanted, form)
    if not is_regular:
        misfits = _misfits(file, body, start, len(names), form)
    cells = {names[index]: Texts(column, form.reading) for index, column in zip(wanted, columns, strict=True)}

    def spots(rows: Sequence[int]) -> list[Spot]:
        looked_for = set(rows)
        fitting = (row for row in _body(body, start, form) if _misfit(row, len(names)) is None)
        return [Spot(file, row.line, row.text) for index, row in enumerate(fitting) if index in looked_for]

    return Raw(file, names, cells, len(columns[0]), spots, misfits)


def _body(body: bytes, start: int, form: Form) -> Iterator[Row]:
    """The rows below the header, which ends at `start`; their lines are counted from the file's beginning."""
    rows = walk(body.decode(), form)
    if start:
        next(rows)
    return rows


def _misfit(row: Row, count: int) -> str | None:
    if row.is_open:
        return "a quote is opened and never closed"
    if len(row.fields) != count:
        return f"expected {count} value{'s' * (count != 1)}, found {len(row.fields)}"
    return None


def _misfits(file: str, body: bytes, start: int, count: int, form: Form) -> tuple[Refused, ...]:
    found = ((row, _misfit(row, count)) for row in _body(body, start, form))
    return tuple(Refused(Spot(file, row.line, row.text), reason) for row, reason in found if reason is not None)


def _fast(
    body: bytes, start: int, count: int, wanted: list[int], form: Form
) -> tuple[list[pa.ChunkedArray] | None, bool]:
    """The columns by Arrow, None where it cannot; and whether all rows have their shape."""
    if start == len(body):
        return [pa.chunked_array([], pa.string()) for _ in wanted], True
    ragged = False

    def skip(row: arrow.InvalidRow) -> str:
        nonlocal ragged
        ragged = True
        return "skip"

    if not form.delimiter.isascii() or not form.quote.isascii():
        return None, False
    if form.quote and body.count(form.quote.encode()) % 2 == 1 and _ends_open(body, start, form):
        return None, False
    try:
        table = arrow.read_csv(
            pa.BufferReader(pa.py_buffer(body)[start:]),
            read_options=arrow.ReadOptions(column_names=[str(index) for index in range(count)], block_size=BLOCK),
            parse_options=arrow.ParseOptions(
                delimiter=form.delimiter, quote_char=form.quote or False, newlines_in_values=bool(form.quote),
                invalid_row_handler=skip,
            ),
            convert_options=arrow.ConvertOptions(
                include_columns=[str(index) for index in wanted],
                column_types={str(index): pa.string() for index in wanted}, strings_can_be_null=False,
            ),
        )  # fmt: skip
    except pa.ArrowInvalid:  # a row longer than a block, or whatever else it cannot read
        return None, False
    if form.quote and _last_in_doubt(table, body, form) and _ends_open(body, start, form):
        return None, False
    return table.columns, not ragged


def _last_in_doubt(table: pa.Table, body: bytes, form: Form) -> bool:
    """Whether the last row may have a quote that is never closed, of which Arrow says nothing: it goes to the end."""
    ended = body.rstrip(b"\r\n")
    if form.quote.encode() in ended[max(ended.rfind(b"\n"), ended.rfind(b"\r")) + 1 :]:
        return True
    last = table.slice(max(table.num_rows - 1, 0)).to_pylist()
    return any("\n" in value or "\r" in value for row in last for value in row.values())


def _ends_open(body: bytes, start: int, form: Form) -> bool:
    last = deque(_body(body, start, form), maxlen=1)
    return bool(last) and last[0].is_open


def _slow(body: bytes, start: int, count: int, wanted: list[int], form: Form) -> list[pa.ChunkedArray]:
    rows = [row.fields for row in _body(body, start, form) if _misfit(row, count) is None]
    return [pa.chunked_array([pa.array([row[index] for row in rows], pa.string())]) for index in wanted]
