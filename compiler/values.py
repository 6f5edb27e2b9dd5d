"""Written values -> values, held against what is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..grammar import tree
from ..grammar.diagnostic import Diagnostic, Fix, listing, nearest
from ..grammar.foreign import NOTHING, OTHER_UNITS
from ..grammar.kinds import UNITS, Argument
from ..grammar.source import Span
from .program import Scalar, Value

WORDS = {
    "text": 'a text in quotes', "texts": 'a list of texts, as in ["NA", ""]', "int": "a whole number", "float": "a number",
    "bool": "true or false", "share": "a share, as in 20%", "count": "a number of rows", "column": "a column, as in .id",
    "columns": "columns", "size": "a size, as in 8GiB", "time": "a time, as in 30m",
    "cut": "a share (20%), a number of rows (36) or, with order, a first date",
    "any": "a value",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class ColumnValue:
    """An argument that is a column."""

    name: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, or with a time of day a timestamp, as it is written: no text, and none takes its place."""

    text: str

    @property
    def type(self) -> str:
        return "timestamp" if "T" in self.text else "date"


@dataclass(frozen=True, slots=True)
class Secret:
    """An argument that is read where the step runs."""

    name: str


Plain = Value | ColumnValue | Moment | Secret
Params = Mapping[str, Plain | tuple[Plain, ...]]


def read(
    expression: tree.Expression,
    params: Params,
    told: list[Diagnostic],
    *,
    secrets: bool = False,
) -> Plain | tuple[Plain, ...] | None:
    """The value of an expression that is an argument; None when a mistake in it has been told. Only where `secrets`
    may stand is one given."""
    match expression:
        case tree.Number():
            return quantity(expression, told)
        case tree.Text() | tree.Truth():
            return expression.value
        case tree.Date():
            return Moment(expression.value)
        case tree.Column():
            return ColumnValue(expression.name)
        case tree.Items():
            items = [_item(item, params, told) for item in expression.items]
            return None if None in items else tuple(items)
        case tree.Reference() if not expression.path and expression.name in params:
            value = params[expression.name]
            if not isinstance(value, Secret) or secrets:
                return value
            told.append(Diagnostic("E114", expression.span, {"name": expression.name}))
        case tree.Reference():
            told.append(_no_such_value(expression, params))
        case tree.Binary("-", tree.Binary("-", tree.Number(year), tree.Number(month)), tree.Number(day)) if year > 1000:
            date = f"{year:04}-{month:02}-{day:02}"
            told.append(
                Diagnostic(
                    "E216", expression.span, {}, help=f"a date is written {date}", fix=Fix(expression.span, date)
                )
            )
        case _:
            help_ = "a value is a number, a text, true or false, a date, a param or a list; nothing is computed here"
            told.append(Diagnostic("E216", expression.span, {}, help=help_))
    return None


def _item(written: tree.Expression, params: Params, told: list[Diagnostic]) -> Plain | None:
    value = read(written, params, told)
    if isinstance(value, tuple):
        told.append(Diagnostic("E216", written.span, {}, help="a list holds single values"))
        return None
    return value


def _no_such_value(reference: tree.Reference, params: Params) -> Diagnostic:
    word = str(reference)
    close = nearest(word, [*params, "true", "false"])
    help_ = f"did you mean {close}?" if close else f'a text is quoted: "{word}"'
    if word in NOTHING:
        help_ = "there is no word for nothing: leave the line away"
    note = f"params: {listing(params)}" if params else ""
    return Diagnostic("E106", reference.span, {"name": str(reference)}, note=note, help=help_)


def quantity(number: tree.Number, told: list[Diagnostic]) -> int | float | None:
    """In bytes, seconds or as a fraction, if it has a unit."""
    if not number.unit:
        return number.value
    unit = UNITS.get(number.unit)
    if unit is None:
        close = OTHER_UNITS.get(number.unit.lower()) or nearest(number.unit, UNITS)
        help_ = f"did you mean {close}?" if close else f"units: {listing(UNITS, 20)}"
        unit_span = Span(number.span.path, number.span.end - len(number.unit), number.span.end)
        fix = Fix(unit_span, close) if close else None
        told.append(Diagnostic("E210", number.span, {"unit": number.unit}, help=help_, fix=fix))
        return None
    value = number.value * unit.factor
    return round(value) if unit.dimension == "size" else round(value, 12)


def dimension(expression: tree.Expression) -> str:
    """size, time or share for a number with such a unit, else ""."""
    if isinstance(expression, tree.Number) and expression.unit in UNITS:
        return UNITS[expression.unit].dimension
    return ""


def wanted(argument: Argument) -> str:
    """What an argument takes, for people."""
    if argument.choices:
        return " or ".join(f'"{choice}"' for choice in argument.choices)
    words = "a bucket or an absolute path" if argument.anywhere else WORDS[argument.takes]
    if argument.least is not None and argument.most is not None:
        return f"{words} from {argument.least:,} to {argument.most:,}"
    return words if argument.least is None else f"{words} of {argument.least:,} or more"


def fits(value: object, written: tree.Expression, argument: Argument) -> bool:
    """Whether a value is what an argument takes."""
    here = argument.anywhere and isinstance(value, str) and "://" not in value and not value.startswith("/")
    return _is_such(value, written, argument) and _is_between(value, argument) and not here


def _is_between(value: object, argument: Argument) -> bool:
    if not isinstance(value, int | float):
        return True
    return (argument.least is None or argument.least <= value) and (argument.most is None or value <= argument.most)


def _is_such(value: object, written: tree.Expression, argument: Argument) -> bool:
    unit = dimension(written)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match argument.takes:
        case "any":
            return True
        case "text" if isinstance(value, Secret):
            return not argument.choices
        case "text":
            return isinstance(value, str) and (not argument.choices or value in argument.choices)
        case "texts":
            return isinstance(value, str) or (isinstance(value, tuple) and all(isinstance(v, str) for v in value))
        case "int":
            return isinstance(value, int) and number and not unit
        case "float":
            return number and unit in ("", "share")
        case "bool":
            return isinstance(value, bool)
        case "column":
            return isinstance(value, ColumnValue)
        case "columns":
            return isinstance(value, ColumnValue) or (
                isinstance(value, tuple) and all(isinstance(v, ColumnValue) for v in value)
            )
        case "cut":
            return isinstance(value, Moment) or (number and unit in ("", "share"))
        case "count":
            return isinstance(value, int) and number and not unit
        case "share" | "size" | "time":
            return number and unit == argument.takes
    return False


def is_moment(value: object) -> bool:
    """Whether it is a date or a timestamp, or a list of them."""
    return isinstance(value, Moment) or (isinstance(value, tuple) and bool(value) and all(map(is_moment, value)))


def plain(value: object) -> Value:
    """As it goes into the program: a column as its name with the dot before it, a date as its text."""
    if isinstance(value, ColumnValue):
        return "." + value.name
    if isinstance(value, Moment):
        return value.text
    if isinstance(value, tuple):
        return tuple(_scalar(plain(item)) for item in value)
    assert value is None or isinstance(value, bool | int | float | str)
    return value


def _scalar(value: Value) -> Scalar:
    assert not isinstance(value, tuple), "a list within a list is told as a mistake"
    return value
