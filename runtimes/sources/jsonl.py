"""JSON objects, one a line or all in one array -> raw cells."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from math import isinf
from typing import Any, NoReturn

from ..trouble import Trouble
from .places import as_utf8
from .raw import Raw, Refused, Spot
from .typed import Reading
from .values import Values

BLANK = " \t\r\n"


def read(file: str, content: bytes, encoding: str, reading: Reading) -> Raw:
    text = as_utf8(content, encoding, file).decode()
    if not text.strip(BLANK):
        raise Trouble(f"read {file}", "it is empty")
    found = list(_array(text, file) if text.lstrip(BLANK).startswith("[") else _lines(text, file))
    objects = [item for _, item in found if isinstance(item, dict)]
    names = tuple(dict.fromkeys(name for item in objects for name in item))
    columns = {name: _cells(name, objects, reading, file) for name in names}
    spots = [spot for spot, item in found if isinstance(item, dict)]
    misfits = tuple(Refused(spot, "expected a JSON object") for spot, item in found if not isinstance(item, dict))

    def spots_of(rows: Sequence[int]) -> list[Spot]:
        return [spots[row] for row in rows]

    return Raw(file, names, columns, len(objects), spots_of, misfits)


def _lines(text: str, file: str) -> Iterator[tuple[Spot, object]]:
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip(BLANK)
        if line:
            try:
                yield Spot(file, number, line), _sound(json.loads(line, **_STRICT), line)
            except (ValueError, RecursionError):
                yield Spot(file, number, line), None


def _array(text: str, file: str) -> Iterator[tuple[Spot, object]]:
    """The items of one array, each with the line where it begins."""
    decoder = json.JSONDecoder(**_STRICT)
    at = _past_blank(text, text.index("[") + 1)
    number, counted = 1, 0
    while text[at : at + 1] != "]":
        number, counted = number + text.count("\n", counted, at), at
        try:
            item, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            raise Trouble(f"read {file}", f"the item at line {number} is no JSON: {error}") from None
        written = text[at:end]
        yield Spot(file, number, written), _sound(item, written)
        at = _past_blank(text, end)
        if text[at : at + 1] == ",":
            at = _past_blank(text, at + 1)
        elif text[at : at + 1] != "]":
            raise Trouble(f"read {file}", f"behind the item at line {number} a comma or ] is missing")
    if text[at + 1 :].strip(BLANK):
        raise Trouble(f"read {file}", "something stands behind the end of its array")


def _past_blank(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in BLANK:
        at += 1
    return at


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _finite(written: str) -> float:
    number = float(written)
    return _no_number(written) if isinf(number) else number


_STRICT: dict[str, Any] = {"parse_constant": _no_number, "parse_float": _finite}


def _sound(item: object, written: str) -> object:
    """The item, None where its text holds half a character, which JSON can write and nothing can keep."""
    if "\\ud" in written.lower():
        try:
            json.dumps(item, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            return None
    return item


def _cells(name: str, objects: list[dict[str, Any]], reading: Reading, file: str) -> Values:
    items = tuple(item.get(name) for item in objects)
    if any(_is_nested(item) for item in items):
        raise Trouble(
            f"read {file}", f"column {name} holds objects in objects",
            "flatten them first, as with python, so that each column holds values or lists of values",
        )  # fmt: skip
    return Values(items, reading)


def _is_nested(item: object) -> bool:
    return isinstance(item, dict) or (isinstance(item, list) and any(isinstance(value, dict | list) for value in item))
