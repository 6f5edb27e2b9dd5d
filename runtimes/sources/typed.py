"""Columns of text -> columns of the language's types: int, float, bool, date, timestamp, or text as it is.

Whole columns are turned at once. Value by value goes only a column in which something does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime

import pyarrow as pa
import pyarrow.compute as pc

from ...compiler.types import DATE, TIMESTAMP, Type
from .. import tables

INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class Reading:
    """How values are written.

    `numbers_in_text` says whether a text may be a number; `text_of_numbers` whether a number may be asked for as text,
    as Excel, which turns what is typed into numbers, makes it needful.
    """

    missing: tuple[str, ...] = ("",)
    decimal: str = "."
    thousands: str = ""
    dates: str = ""
    numbers_in_text: bool = True
    text_of_numbers: bool = False


@dataclass(frozen=True, slots=True)
class Texts:
    """Cells of text. `column` is what the file holds, missing words and all."""

    column: pa.ChunkedArray
    reading: Reading

    def inferred(self) -> pa.ChunkedArray:
        return infer(_present(self.column, self.reading), self.reading)

    def fitted(self, type_: Type) -> tuple[pa.ChunkedArray, pa.ChunkedArray | None]:
        return fit(_present(self.column, self.reading), type_, self.reading)

    def shown(self, row: int) -> str | None:
        value: str | None = self.column[row].as_py()
        return value

    def with_more(self, others: Sequence[Texts]) -> Texts:
        chunks = [chunk for cells in (self, *others) for chunk in cells.column.chunks]
        return Texts(pa.chunked_array(chunks, pa.string()), self.reading)


def _present(column: pa.ChunkedArray, reading: Reading) -> pa.ChunkedArray:
    missing = pc.is_in(column, value_set=pa.array(reading.missing, pa.string()))
    if not pc.any(missing).as_py():
        return column
    return pc.if_else(missing, pa.scalar(None, pa.string()), column)


def infer(column: pa.ChunkedArray, reading: Reading) -> pa.ChunkedArray:
    """The column in the first type that all its values have. All missing, and no value at all, is text."""
    if column.null_count == len(column):
        return column
    for whole in _WHOLE.values():
        found = whole(column, reading)
        if found is not None:
            return found
    return column


def fit(column: pa.ChunkedArray, type_: Type, reading: Reading) -> tuple[pa.ChunkedArray, pa.ChunkedArray | None]:
    """The column as a declared type, and a mask of the values that are not of it, or None."""
    if type_.base == "text":
        return column, None
    target = tables.to_arrow(type_)
    if type_.base == "list":
        return pa.chunked_array([pa.nulls(len(column), target)]), pc.is_valid(column)
    found = _WHOLE[type_.base](column, reading)
    if found is not None:
        return found, None
    return _one_by_one(column, type_, _reading_for(column, type_, reading))


def _one_by_one(column: pa.ChunkedArray, type_: Type, reading: Reading) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    different = pc.unique(column).drop_null()
    values = pa.array([parse(text, type_.base, reading) for text in different.to_pylist()], tables.to_arrow(type_))
    found = pc.take(values, pc.index_in(column, value_set=different))
    return found, pc.and_(pc.is_valid(column), pc.is_null(found))


def _reading_for(column: pa.ChunkedArray, type_: Type, reading: Reading) -> Reading:
    """Where no value at all is written as `dates` says, dates are read as ISO writes them. Never some so, some so."""
    if not reading.dates or type_.base not in ("date", "timestamp"):
        return reading
    written = any(parse(text, "timestamp", reading) for text in pc.unique(column).drop_null().to_pylist())
    return reading if written else replace(reading, dates="")


# --- one value -----------------------------------------------------------------------------------------------


def parse(text: str, base: str, reading: Reading) -> object:
    """One value as a type, None when it is not of it. Kinder than inference: 007 is an int, if asked for."""
    try:
        return _PARSE[base](text, reading)
    except (ValueError, OverflowError):
        return None


def _parse_bool(text: str, reading: Reading) -> bool | None:
    return {"true": True, "false": False}.get(text.lower())


def _parse_int(text: str, reading: Reading) -> int | None:
    plain = _plain(text, reading)
    number = int(plain) if plain and re.fullmatch(r"[+-]?[0-9]+", plain) else None
    return number if number is not None and number in INT64 else None


def _parse_float(text: str, reading: Reading) -> float | None:
    plain = _plain(text, reading)
    if not plain or not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", plain):
        return None
    number = float(plain)
    return number if abs(number) != float("inf") else None


def _plain(text: str, reading: Reading) -> str | None:
    """A number as written -> as Python and Arrow write it, None when its separators do not stand as they should."""
    if not _is_special(reading):
        return text
    if not re.fullmatch(_special(reading), text):
        return None
    return (text.replace(reading.thousands, "") if reading.thousands else text).replace(reading.decimal, ".")


def _parse_date(text: str, reading: Reading) -> date | None:
    moment = _parse_timestamp(text, reading)
    return moment.date() if moment and moment == datetime(moment.year, moment.month, moment.day) else None


def _parse_timestamp(text: str, reading: Reading) -> datetime | None:
    if reading.dates:
        return _naive(datetime.strptime(text, reading.dates))
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return datetime.fromisoformat(text)
    return _naive(datetime.fromisoformat(text)) if re.fullmatch(_MOMENT, text) else None


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


_ZONE = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
_MOMENT = rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T ][0-9]{{2}}:[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]+)?)?{_ZONE}?"

_PARSE: dict[str, Callable[[str, Reading], object]] = {
    "bool": _parse_bool, "int": _parse_int, "float": _parse_float, "date": _parse_date, "timestamp": _parse_timestamp,
}  # fmt: skip


# --- a whole column ------------------------------------------------------------------------------------------


def _bools(column: pa.ChunkedArray, reading: Reading) -> pa.ChunkedArray | None:
    low = pc.ascii_lower(column)
    return pc.equal(low, "true") if _all(pc.is_in(low, value_set=pa.array(["true", "false", None]))) else None


def _ints(column: pa.ChunkedArray, reading: Reading) -> pa.ChunkedArray | None:
    plain = _plain_numbers(column, reading)
    found = _cast(plain, pa.int64())
    return None if found is None or _has_leading_zero(plain) else found


def _floats(column: pa.ChunkedArray, reading: Reading) -> pa.ChunkedArray | None:
    plain = _plain_numbers(column, reading)
    found = _cast(plain, pa.float64())
    if found is None or not _all(pc.is_finite(found)):  # nan and inf are words
        return None
    if _has_leading_zero(plain) or pc.any(pc.starts_with(plain, "+")).as_py():
        return None
    # Whole numbers all, yet no int64: what long digits stand for is lost as a float, so they are left as they are.
    return found if pc.any(pc.match_substring_regex(plain, "[^0-9-]")).as_py() or _cast(plain, pa.int64()) else None


def _has_leading_zero(plain: pa.ChunkedArray) -> bool:
    """007 is a name, not a number. Also catches 0x10, which Arrow takes for an int."""
    some = plain.filter(pc.or_(pc.starts_with(plain, "0"), pc.starts_with(plain, "-0")))
    return len(some) > 0 and bool(pc.any(pc.match_substring_regex(some, "^-?0[0-9xX]")).as_py())


def _dates(column: pa.ChunkedArray, reading: Reading) -> pa.ChunkedArray | None:
    if reading.dates and not _has_time(reading.dates):
        found = _by_format(column, DATE, reading)
        if found is not None:
            return found
    return _in_years(_cast(column, pa.date32())) if _all(pc.equal(pc.utf8_length(column), 10)) else None


def _timestamps(column: pa.ChunkedArray, reading: Reading) -> pa.ChunkedArray | None:
    """With a zone for all or for none: what is meant where some have one, nobody knows."""
    if reading.dates and _has_time(reading.dates):
        found = _by_format(column, TIMESTAMP, reading)
        if found is not None:
            return found
    first = pc.first(column).as_py() or ""
    if not re.fullmatch(_MOMENT, first) or not _all(pc.match_substring_regex(column, f"^{_MOMENT}$")):
        return None
    short = pc.replace_substring_regex(column, r"(\.[0-9]{6})[0-9]+", r"\1")  # microseconds are what a timestamp holds
    if not re.search(_ZONE + "$", first[11:]):
        return _in_years(_cast(short, pa.timestamp("us")))
    zoned = _cast(short, pa.timestamp("us", "UTC"))
    return None if zoned is None else _in_years(pc.cast(zoned, pa.timestamp("us")))


def _in_years(found: pa.ChunkedArray | None) -> pa.ChunkedArray | None:
    """Only the years 1 to 9999: Arrow also takes the year 0, of which nobody else knows."""
    years = pc.min_max(pc.year(found)).as_py() if found is not None else {}
    return found if all(year is None or MINYEAR <= year <= MAXYEAR for year in years.values()) else None


def _has_time(written: str) -> bool:
    return any(f"%{letter}" in written for letter in "HIMSfpzcXs")


def _by_format(column: pa.ChunkedArray, type_: Type, reading: Reading) -> pa.ChunkedArray | None:
    """By Python's strptime: that of the C library takes 30 February for 1 March."""
    values: dict[str | None, object] = {}
    for text in pc.unique(column).drop_null().to_pylist():
        value = parse(text, type_.base, reading)
        if value is None:
            return None
        values[text] = value
    different = pa.array(list(values), pa.string())
    return pc.take(pa.array(list(values.values()), tables.to_arrow(type_)), pc.index_in(column, value_set=different))


def _plain_numbers(column: pa.ChunkedArray, reading: Reading) -> pa.ChunkedArray:
    """Numbers as Arrow reads them; a column that is not all numbers comes back as one that Arrow refuses."""
    if not _is_special(reading):
        return column
    if not _all(pc.match_substring_regex(column, f"^{_special(reading)}$")):
        return pa.chunked_array([["no number"]])
    if reading.thousands:
        column = pc.replace_substring(column, reading.thousands, "")
    return pc.replace_substring(column, reading.decimal, ".")


def _is_special(reading: Reading) -> bool:
    return reading.decimal != "." or bool(reading.thousands)


def _special(reading: Reading) -> str:
    decimal, thousands = re.escape(reading.decimal), re.escape(reading.thousands)
    whole = rf"([0-9]{{1,3}}({thousands}[0-9]{{3}})+|[0-9]+)" if thousands else "[0-9]+"
    return rf"[+-]?({whole}({decimal}[0-9]*)?|{decimal}[0-9]+)([eE][+-]?[0-9]+)?"


def _cast(column: pa.ChunkedArray, target: pa.DataType) -> pa.ChunkedArray | None:
    try:
        return pc.cast(column, target)
    except pa.ArrowInvalid:
        return None


def _all(mask: pa.ChunkedArray) -> bool:
    return pc.all(mask).as_py() is not False


_WHOLE: dict[str, Callable[[pa.ChunkedArray, Reading], pa.ChunkedArray | None]] = {
    "bool": _bools, "int": _ints, "float": _floats, "date": _dates, "timestamp": _timestamps,
}  # fmt: skip
