"""Requests in, Python values out: each field checked by the type that the model was trained on, or the function names."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import Any

from .program import Shape
from .types import Column, Columns, Type

MOST_PROBLEMS = 100

Row = tuple[Any, ...]
Check = Callable[[Any], Any]

NEEDED = {
    "int": "whole number needed",
    "float": "number needed",
    "text": "text needed",
    "bool": "true or false needed",
    "date": "date needed, as in 2024-01-31",
    "timestamp": "timestamp needed, as in 2024-01-31T12:30:00",
    "list": "list needed",
}


class Malformed(Exception):
    """The body is no JSON."""


class Misfit(Exception):
    """A value that does not fit its field; the text says what is needed and what came."""


@dataclass(frozen=True, slots=True)
class Problem:
    row: int
    field: str
    problem: str


class Refused(Exception):
    """A request that does not fit, with what is wrong about it."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    optional: bool
    check: Check
    needed: str


class Schema:
    """What a request may hold: the features of a model."""

    def __init__(self, features: Columns) -> None:
        self.features = features
        self.fields = tuple(_field(column) for column in features)
        self.names = frozenset(column.name for column in features)

    def accept(self, given: object) -> list[Row]:
        """The rows of a request, values in the order of the features. Raises Refused with every problem found."""
        rows = given if isinstance(given, list) else [given]
        problems: list[Problem] = []
        accepted = []
        for number, row in enumerate(rows):
            accepted.append(self._row(number, row, problems))
            if len(problems) >= MOST_PROBLEMS:
                break
        if problems:
            raise Refused(tuple(problems[:MOST_PROBLEMS]))
        return accepted

    def _row(self, number: int, given: object, problems: list[Problem]) -> Row:
        if not isinstance(given, dict):
            problems.append(Problem(number, "", f"an object with the fields of a row needed, {_got(given)}"))
            return ()
        values, found = [], 0
        for field in self.fields:
            if field.name in given:
                found += 1
                try:
                    values.append(field.check(given[field.name]))
                except Misfit as misfit:
                    problems.append(Problem(number, field.name, str(misfit)))
            elif field.optional:
                values.append(None)
            else:
                problems.append(Problem(number, field.name, f"it is missing; {field.needed}"))
        if found < len(given):
            problems += [Problem(number, name, self._unknown(name)) for name in given if name not in self.names]
        return tuple(values)

    def _unknown(self, name: str) -> str:
        return no_such_field(name, self.names)


class Requests:
    """What a request to a function may hold."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.checks = {
            field.name: _field(Column(name=field.name, type=field.type)) if field.type else None for field in shape.fields
        }  # fmt: skip

    def accept(self, given: object) -> list[Any]:
        """The one request, its values checked. Raises Refused with every problem found."""
        wanted = {"object": dict, "fields": dict, "list": list}.get(self.shape.form)
        if wanted is not None and not isinstance(given, wanted):
            needed = "a list" if wanted is list else "an object"
            raise Refused((Problem(0, "", f"{needed} needed, {_got(given)}"),))
        return [self._checked(given) if self.shape.form == "fields" and isinstance(given, dict) else given]

    def _checked(self, given: dict[str, Any]) -> dict[str, Any]:
        problems = [Problem(0, name, self._unknown(name)) for name in given if name not in self.checks]
        values: dict[str, Any] = {}
        for field in self.shape.fields:
            check = self.checks[field.name]
            if field.name not in given:
                if field.needed:
                    needed = f"; {check.needed}" if check else ""
                    problems.append(Problem(0, field.name, f"it is missing{needed}"))
                continue
            try:
                values[field.name] = check.check(given[field.name]) if check else given[field.name]
            except Misfit as misfit:
                problems.append(Problem(0, field.name, str(misfit)))
        if problems:
            raise Refused(tuple(problems[:MOST_PROBLEMS]))
        return values

    def _unknown(self, name: str) -> str:
        return no_such_field(name, self.checks)


def no_such_field(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, sorted(known), 1)
    return "there is no such field" + (f"; did you mean {near[0]}?" if near else "")


def parse(body: bytes) -> object:
    """The JSON of a body. NaN and Infinity get through here, so that the field can be named that holds them."""
    try:
        return json.loads(body.decode())
    except json.JSONDecodeError as error:
        raise Malformed(f"invalid JSON at line {error.lineno}, column {error.colno}: {error.msg}") from None
    except UnicodeDecodeError as error:
        raise Malformed(f"invalid JSON: byte {error.start} is no UTF-8") from None
    except (RecursionError, ValueError) as error:
        raise Malformed(f"invalid JSON: {_too_much(error)}") from None


def _too_much(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else "it holds a number with too many digits"


# --- one check for each type, put together once a model is loaded ---------------------------------------------


def _field(column: Column) -> Field:
    check = _ranged(column, _check(column.type)) if (column.low, column.high) != (None, None) else _check(column.type)
    check = _or_null(check) if column.type.optional else check
    return Field(column.name, column.type.optional, check, _needed(column.type))


def _check(type_: Type) -> Check:
    if type_.values:
        return _closed(type_)
    if type_.base == "list":
        return _list_of(type_.item or Type(base="text"))
    return _PLAIN[type_.base]


def _needed(type_: Type) -> str:
    if not type_.values:
        return NEEDED[type_.base]
    *others, last = (json.dumps(value, ensure_ascii=False) for value in type_.values)
    return f"{', '.join(others)} or {last} needed" if others else f"{last} needed"


def _or_null(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _int(value: Any) -> Any:
    if type(value) is int:
        if -(2**63) <= value < 2**63:
            return value
        raise Misfit("whole number of at most 64 bits needed, got a larger one")
    raise Misfit(f"{NEEDED['int']}, {_got(value)}")


def _float(value: Any) -> Any:
    if type(value) is float and math.isfinite(value):
        return value
    if type(value) is int and abs(value) < 2**1023:
        return float(value)
    raise Misfit(f"{NEEDED['float']}, {_got(value)}")


def _text(value: Any) -> Any:
    if type(value) is not str:
        raise Misfit(f"{NEEDED['text']}, {_got(value)}")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Misfit("text needed, got half of a surrogate pair in it") from None
    return value


def _bool(value: Any) -> Any:
    if type(value) is bool:
        return value
    raise Misfit(f"{NEEDED['bool']}, {_got(value)}")


def _date(value: Any) -> Any:
    if type(value) is str and len(value) == len("2024-01-31") and value[4] == "-":
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise Misfit(f"{NEEDED['date']}, {_got(value)}")


def _timestamp(value: Any) -> Any:
    if type(value) is str and len(value) > len("2024-01-31") and value[4:5] == "-":
        try:
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
        except (ValueError, OverflowError):
            pass
    raise Misfit(f"{NEEDED['timestamp']}, {_got(value)}")


_PLAIN: dict[str, Check] = {
    "int": _int, "float": _float, "text": _text, "bool": _bool, "date": _date, "timestamp": _timestamp,
}  # fmt: skip


def _closed(type_: Type) -> Check:
    values, needed = frozenset(type_.values), _needed(type_)

    def check(value: Any) -> Any:
        if type(value) is str and value in values:
            return value
        raise Misfit(f"{needed}, {_got(value)}")

    return check


def _list_of(item: Type) -> Check:
    check_item = _or_null(_check(item)) if item.optional else _check(item)

    def check(value: Any) -> Any:
        if type(value) is not list:
            raise Misfit(f"{NEEDED['list']}, {_got(value)}")
        return [_item(position, one, check_item) for position, one in enumerate(value)]

    return check


def _item(position: int, value: Any, check: Check) -> Any:
    try:
        return check(value)
    except Misfit as misfit:
        raise Misfit(f"item {position}: {misfit}") from None


def _ranged(column: Column, check: Check) -> Check:
    low, high = (_bound(column.type, bound) for bound in (column.low, column.high))
    span = asked_range(column.low, column.high)

    def check_range(value: Any) -> Any:
        checked = check(value)
        if (low is not None and checked < low) or (high is not None and checked > high):
            raise Misfit(f"{span} needed, {_got(value)}")
        return checked

    return check_range


def _bound(type_: Type, bound: float | str | None) -> Any:
    match type_.base:
        case "date" if bound is not None:
            return date.fromisoformat(str(bound)[:10])
        case "timestamp" if bound is not None:
            return datetime.fromisoformat(str(bound))
    return bound


def asked_range(low: float | str | None, high: float | str | None) -> str:
    """What a declared range asks for; one of the ends is there."""
    match low, high:
        case None, _:
            return f"at most {_plain(high)}"
        case _, None:
            return f"at least {_plain(low)}"
    return f"a value from {_plain(low)} to {_plain(high)}"


def _plain(bound: float | str | None) -> str:
    return f"{bound:g}" if isinstance(bound, float) and abs(bound) < 1e6 else str(bound)


def _got(value: Any) -> str:
    match value:
        case None:
            return "got null"
        case bool():
            return f"got {str(value).lower()}"
        case str():
            shown = value if len(value) <= 40 else value[:39] + "…"
            return f"got text {json.dumps(shown, ensure_ascii=not shown.isprintable())}"
        case list():
            return "got a list"
        case dict():
            return "got an object"
        case float() if not math.isfinite(value):
            return "got NaN" if math.isnan(value) else "got Infinity"
    return f"got {value if abs(value) < 10**40 else 'a number with many digits'}"
