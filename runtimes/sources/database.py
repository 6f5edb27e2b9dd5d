"""What all databases share: a query that may order its rows itself, and rows that else come in an order of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from ..trouble import Trouble
from .raw import Spot

# Texts, quoted names, comments and $$bodies$$: what stands in them is no word of the query.
_ASIDE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$", re.DOTALL)
_INNERMOST = re.compile(r"\([^()]*\)")
_ORDER = re.compile(r"\border\s+by\b", re.IGNORECASE)


def orders_itself(query: str) -> bool:
    """Whether a query has an order by that is not inside brackets."""
    text, count = _ASIDE.sub(" ", query), 1
    while count:
        text, count = _INNERMOST.subn(" ", text)
    return bool(_ORDER.search(text))


def one(query: str) -> str:
    """A query without the sign at its end and what follows it, so that it can stand inside another."""
    plain = _ASIDE.sub(lambda found: " " * len(found[0]) if found[0][:2] in ("--", "/*") else found[0], query)
    return query[: len(plain.rstrip().rstrip(";").rstrip())].strip()


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def distinct(names: Sequence[str], place: str) -> tuple[str, ...]:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        help_ = "give each a name of its own: select a.id as a_id, b.id as b_id"
        raise Trouble(f"read {place}", f"two of its columns are named {twice}", help_)
    return tuple(names)


def spots(place: str, row: Callable[[int], dict[str, Any]]) -> Callable[[Sequence[int]], list[Spot]]:
    """A database has no lines: a row's number, in the order in which they are kept, stands for it."""
    return lambda rows: [
        Spot(place, number + 1, json.dumps(row(number), default=str, ensure_ascii=False)) for number in rows
    ]
