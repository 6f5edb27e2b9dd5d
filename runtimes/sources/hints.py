"""Values that a source does not read as they are meant -> the argument by which it would, as one writes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from ...compiler.types import Type

DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y", "%Y%m%d", "%d.%m.%y",
        "%d/%m/%y", "%m/%d/%y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%Y-%m")  # fmt: skip
TIMES = ("", " %H:%M", " %H:%M:%S", "T%H:%M:%S", " %I:%M %p")
WORDS = {"yyyy": "%Y", "yy": "%y", "dd": "%d", "hh": "%H", "ss": "%S"}


def for_values(values: Sequence[str], type_: Type) -> str:
    """`values` are some of a column, the first of them being one that is not of the type."""
    match type_.base:
        case "date" | "timestamp":
            formats = _formats(values, TIMES if type_.base == "timestamp" else TIMES[:1])
            return " or ".join(f'dates = "{one}"' for one in formats[:2])
        case "int" | "float":
            return _of_number(values[0], type_.base)
    return ""


def _formats(values: Sequence[str], times: Sequence[str]) -> list[str]:
    """Those by which the first value is a date, and as many others as by any; where all days are below 13, there are two."""
    ways = [day + time for day in DAYS for time in times if _is_written(values[0], day + time)]
    fitting = {way: sum(_is_written(value, way) for value in values) for way in ways}
    return [way for way in ways if fitting[way] == max(fitting.values())]


def _is_written(value: str, way: str) -> bool:
    try:
        datetime.strptime(value, way)
    except ValueError:
        return False
    return True


def _of_number(value: str, base: str) -> str:
    """By the mark that stands last, and alone, or between groups of three digits."""
    plain = value.strip().lstrip("+-")
    if base == "float" and re.fullmatch(r"\d+,\d+", plain):
        return 'decimal = ","'
    if base == "float" and (found := re.fullmatch(r"\d{1,3}(?:([.' ])\d{3})(?:\1\d{3})*,\d+", plain)):
        return f'decimal = "," and thousands = "{found[1]}"'
    if found := re.fullmatch(r"\d{1,3}(?:([.,' ])\d{3})(?:\1\d{3})*(\.\d+)?", plain):
        return "" if found[2] and (base == "int" or found[1] == ".") else f'thousands = "{found[1]}"'
    return ""


def of_words(dates: str) -> str:
    """`dd.mm.yyyy`, as other programs want it, in the way in which it is written here; "" if it is nothing like that."""
    seen_hours = False

    def turned(match: re.Match[str]) -> str:
        nonlocal seen_hours
        word = match[0].lower()
        seen_hours = seen_hours or word == "hh"
        return WORDS.get(word) or ("%M" if seen_hours else "%m")

    found = re.sub(r"yyyy|yy|dd|mm|hh|ss", turned, dates, flags=re.IGNORECASE)
    return found if "%" in found and "%" not in dates else ""
