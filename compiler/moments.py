"""Dates and timestamps by their ISO texts: their order, and days counted between them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?")


def moment(value: object) -> datetime | None:
    """A date is its midnight, and without a zone it is UTC; None for what is neither date nor timestamp."""
    if not isinstance(value, str) or not _ISO.fullmatch(value):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo is not None else found


def computed(operator: str, left: object, right: object) -> str | int | None:
    """`date - date` in days, `date + days` and `date - days` a date; None for all else, as for a timestamp: whether its
    differences are days or seconds nobody has said."""
    if operator == "+" and _date(left) is None:
        left, right = right, left
    day, other = _date(left), _date(right)
    if day is None or operator not in ("+", "-"):
        return None
    if other is not None:
        return (day - other).days if operator == "-" else None
    if not isinstance(right, int | float) or isinstance(right, bool) or right != right // 1:
        return None
    try:
        moved = day + timedelta(days=int(right if operator == "+" else -right))
    except OverflowError:
        return None
    return moved.date().isoformat()


def _date(value: object) -> datetime | None:
    return moment(value) if isinstance(value, str) and len(value) == len("2015-01-01") else None
