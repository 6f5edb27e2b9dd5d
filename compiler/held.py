"""Two sides of a condition held against each other: what comes of it, or what is wrong in words.

The types are number, time, size, share, text, date, truth and list; "" is not known, and fits everything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .moments import moment
from .program import Expression, Literal_, Scalar
from .verdict import COMPARISONS

NUMBERS = ("number", "share")
QUANTITIES = ("number", "share", "time", "size")
ORDERINGS = ("<", "<=", ">", ">=")
ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?$")


@dataclass(frozen=True, slots=True)
class Side:
    """`text` is as it is written, `value` that of a literal. What has no `more` lies between 0 and 1 or below; `counts`
    is for a number of rows or values."""

    type: str
    text: str
    value: Scalar = None
    more: bool = True
    counts: bool = False
    stamp: bool = False  # a date with a time of day

    @property
    def is_literal(self) -> bool:
        return self.value is not None


@dataclass(frozen=True, slots=True)
class Wrong:
    """`at` is the side that is to be underlined: "left", "right" or "both"."""

    at: str
    problem: str
    help: str = ""


def type_of(value: object) -> str:
    if isinstance(value, bool):
        return "truth"
    return "number" if isinstance(value, int | float) else "text" if isinstance(value, str) else ""


def example(type_: str) -> str:
    """How something of this type is compared."""
    examples = {"date": ">= 2015-01-01", "text": '== "a"', "time": "< 50ms", "share": "< 1%", "size": "< 1GiB"}
    return examples.get(type_, ">= 0")


def held(operator: str, left: Side, right: Side) -> str | Wrong:
    """The type of `left operator right`."""
    if operator in ("and", "or"):
        return _truths(operator, left, right)
    if operator in COMPARISONS:
        return _compared(operator, left, right) or "truth"
    if operator == "else":
        return _compared("==", left, right) or left.type or right.type
    return _computed(operator, left, right)


def backwards(low: Expression | None, high: Expression | None) -> bool:
    """Whether a range ends before it begins."""
    if not (isinstance(low, Literal_) and isinstance(high, Literal_)):
        return False
    first, last = low.value, high.value
    moments = moment(first), moment(last)
    if moments[0] is not None and moments[1] is not None:
        return moments[0] > moments[1]
    numbers = isinstance(first, int | float) and isinstance(last, int | float)
    return first > last if numbers or (isinstance(first, str) and isinstance(last, str)) else False  # type: ignore[operator]


def _truths(operator: str, left: Side, right: Side) -> str | Wrong:
    for at, side in (("left", left), ("right", right)):
        if side.type not in ("truth", ""):
            return Wrong(at, f"{operator} takes a truth, and {side.text} is a {side.type}")
    return "truth"


def _compared(operator: str, left: Side, right: Side) -> Wrong | None:
    types = {left.type, right.type} - {""}
    if operator in ORDERINGS and types & {"truth", "list"}:
        at, side = ("left", left) if left.type in ("truth", "list") else ("right", right)
        return Wrong(at, f"{side.text} is a {side.type}, which has no more and no less", "write == or !=")
    if types <= set(NUMBERS):
        return _of_numbers(left, right) or _of_numbers(right, left, at="left")
    if types == {"date", "text"}:
        return _no_date(left, "left") or _no_date(right, "right")
    return _unlike(left, right) if len(types) > 1 else None


def _of_numbers(side: Side, literal: Side, at: str = "right") -> Wrong | None:
    """A literal that the other side never comes near."""
    if not isinstance(literal.value, int | float) or isinstance(literal.value, bool):
        return None
    if side.counts and literal.type == "share":
        help_ = "write how many" if side.text.endswith("rows") else f"divide first, as in {side.text} / .rows"
        return Wrong(at, f"{side.text} counts, and {literal.text} is a share", help_)
    if not side.more and literal.value > 1 and literal.type == "number":
        help_ = f"write {literal.text}%" if literal.value <= 100 else ""
        return Wrong(at, f"{side.text} is never more than 1, and {literal.text} is", help_)
    return None


def _no_date(side: Side, at: str) -> Wrong | None:
    if side.type != "text" or (isinstance(side.value, str) and ISO.match(side.value)):
        return None
    what = "is no date" if side.is_literal else "is a text, and it is held against a date"
    return Wrong(at, f"{side.text} {what}", "a date is written 2015-01-31, without quotes" if side.is_literal else "")


def _unlike(left: Side, right: Side) -> Wrong:
    for unit in ("time", "size"):
        for at, bare, other in (("left", left, right), ("right", right, left)):
            if other.type == unit and bare.type in NUMBERS:
                return _no_unit(at, bare, other, unit)
    at = (
        "left"
        if left.is_literal and not right.is_literal
        else "right"
        if right.is_literal and not left.is_literal
        else "both"
    )
    return Wrong(at, f"{left.type} and {right.type} cannot be held against each other", _instead(left, right))


def _no_unit(at: str, bare: Side, other: Side, unit: str) -> Wrong:
    example = "ms" if unit == "time" else "MB"
    if not bare.is_literal:
        there = "right" if at == "left" else "left"
        if not bare.more:
            return Wrong(there, f"{other.text} has a unit, and {bare.text} is a share", "write a share, as in 1%")
        return Wrong(there, f"{other.text} has a unit, and {bare.text} is a number", "take the unit away")
    also = f" or {bare.text}{'s' if unit == 'time' else 'GB'}"
    return Wrong(at, f"{bare.text} has no unit, and it is held against a {unit}", f"write {bare.text}{example}{also}")


def _instead(left: Side, right: Side) -> str:
    """The other side without or with its quotes, if that is it."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one.value, str) and other.type == "number" and re.fullmatch(r"-?\d+(\.\d+)?", one.value):
            return f"write {one.value}, without quotes"
        if isinstance(one.value, str) and other.type == "truth" and one.value.lower() in ("true", "false"):
            return f"write {one.value.lower()}, without quotes"
        if one.is_literal and one.type == "number" and other.type == "text":
            return f'write "{one.text}": .{other.text.lstrip(".")} is a text'
    return ""


def _computed(operator: str, left: Side, right: Side) -> str | Wrong:
    types = {left.type, right.type}
    if "date" in types and operator in ("+", "-") and types <= {"date", "number", ""}:
        return _of_dates(operator, left, right)
    for at, side in (("left", left), ("right", right)):
        if side.type not in (*QUANTITIES, ""):
            return Wrong(at, f"{side.text} is a {side.type}, and {operator} computes with numbers")
    if operator in ("*", "/") or types - {""} <= set(NUMBERS) or len(types - {""}) == 1:
        return _of_product(operator, left, right)
    return _unlike(left, right)


def _of_dates(operator: str, left: Side, right: Side) -> str | Wrong:
    """Dates are apart by days, and days from a date there is another."""
    stamps = [side for side in (left, right) if side.stamp]
    if stamps:  # the time between two moments is no number: SQL knows in which unit it is wanted
        help_ = "compute it in SQL, as in date_diff('hour', a, b), and ask about that column"
        return Wrong("both", f"{stamps[0].text} is a timestamp, and {operator} computes with numbers and dates", help_)
    if operator == "+" and left.type == right.type:
        return Wrong("both", "two dates have no sum", "one taken from the other, with -, gives days")
    if operator == "-" and left.type in NUMBERS:
        return Wrong("both", f"{left.text} is a number, and {right.text} a date", f"write {right.text} - {left.text}")
    if "" in (left.type, right.type):
        return "date" if left.type == "date" and operator == "+" else ""
    return "number" if left.type == right.type else "date"


def _of_product(operator: str, left: Side, right: Side) -> str:
    """A time divided by a time is a number; twice a time is a time; the sum of two shares is a share."""
    if "" in (left.type, right.type):
        return ""
    units = [side.type for side in (left, right) if side.type in ("time", "size")]
    if operator == "/" and len(units) == 2:
        return "number"
    if units:
        return units[0]
    return "share" if left.type == right.type == "share" else "number"
