"""A sheet of a workbook -> raw cells."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from ...compiler.types import Columns
from ...grammar.diagnostic import listing, nearest
from ..trouble import Trouble
from .raw import Raw, Spot, Unfit, named, numbered, unfit
from .typed import Reading
from .values import Values


@dataclass(frozen=True, slots=True)
class Form:
    sheet: str
    header: bool
    skip: int
    reading: Reading


def read(file: str, content: bytes, form: Form, declared: Columns) -> Raw:
    numbered_rows = [(line, row) for line, row in _sheet(file, content, form) if any(cell is not None for cell in row)]
    if not numbered_rows:
        raise Trouble(f"read {file}", "it is empty" if not form.sheet else f"its sheet {form.sheet} is empty")
    width = 1 + max(index for _, row in numbered_rows for index, cell in enumerate(row) if cell is not None)
    if form.header:
        (_, header), *numbered_rows = numbered_rows
        names = named([_name(cell) for cell in header[:width]], file)
    else:
        names = named(numbered(width, [(column.name, column.origin) for column in declared]), file)
    columns = {
        name: Values(tuple(row[index] for _, row in numbered_rows), form.reading) for index, name in enumerate(names)
    }

    def spots(rows: Sequence[int]) -> list[Spot]:
        found = [numbered_rows[row] for row in rows]
        return [Spot(file, line, "\t".join(_name(cell) for cell in row[:width])) for line, row in found]

    return Raw(file, names, columns, len(numbered_rows), spots)


def _sheet(file: str, content: bytes, form: Form) -> list[tuple[int, list[Any]]]:
    """The rows below those to skip, each with its number in the sheet. An empty cell is None."""
    import python_calamine as calamine

    if not content:
        raise Trouble(f"read {file}", "it is empty")
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        if form.sheet and form.sheet not in book.sheet_names:
            raise _no_sheet(file, form.sheet, book.sheet_names)
        sheet = book.get_sheet_by_name(form.sheet) if form.sheet else book.get_sheet_by_index(0)
        rows = sheet.to_python(skip_empty_area=False)
    except calamine.PasswordError:
        raise Trouble(f"read {file}", "it is protected by a password", "save it without one") from None
    except calamine.CalamineError as error:
        raise Trouble(f"read {file}", f"it is no workbook that can be read: {error}") from None
    return [(line, [_cell(cell) for cell in row]) for line, row in enumerate(rows, 1) if line > form.skip]


def _no_sheet(file: str, wanted: str, known: list[str]) -> Unfit:
    close = nearest(wanted, known)
    help_ = f"did you mean {close}?" if close else f"it has {listing(known)}"
    return unfit("sheet", f"read {file}", f"it has no sheet {wanted}", help_)


def _cell(cell: Any) -> Any:
    """Times of day and durations are kept as text; an empty cell and one that holds an error are None."""
    if isinstance(cell, str):
        return cell or None
    return str(cell) if isinstance(cell, time | timedelta) else cell


def _name(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return cell.isoformat() if isinstance(cell, date) else str(cell)
