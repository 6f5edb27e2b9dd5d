"""What the readers of a query share: its tree, places in its text, and DuckDB's words for types."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .types import Type

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong; `start` and `end` are offsets in the query's text."""

    message: str
    start: int
    end: int
    help: str = ""


def place_of(text: str, node: Tree) -> tuple[int, int]:
    start, length = int(node["query_location"]), int(node.get("query_location_length") or 0)
    return span_of(text, start, length)


def span_of(text: str, start: int, length: int) -> tuple[int, int]:
    """DuckDB counts bytes; beyond the text it knows no place."""
    raw = text.encode()
    if start + length > len(raw):
        return word_at(text, 0)
    offset = len(raw[:start].decode(errors="ignore"))
    if length == 0:
        return word_at(text, offset)
    return offset, offset + len(raw[start : start + length].decode(errors="ignore").rstrip())


def word_at(text: str, offset: int) -> tuple[int, int]:
    """The word or sign at an offset, or the next one."""
    found = re.compile(r"\w+|[^\w\s]").search(text, offset)
    return found.span() if found else (max(len(text.rstrip()) - 1, 0), len(text.rstrip()))


def body_of(entry: Tree) -> Tree:
    body: Tree = entry.get("query_node") or entry["query"]["node"]  # its name differs between versions of DuckDB
    return body


def name_of(item: Tree) -> str:
    return str(item.get("alias") or (item.get("column_names") or [""])[-1])


# --- types ----------------------------------------------------------------------------------------------------


def to_sql(type_: Type) -> str:
    return to_sql(type_.item or Type(base="text")) + "[]" if type_.base == "list" else _SQL[type_.base]


_SQL = {
    "int": "bigint",
    "float": "double",
    "text": "varchar",
    "bool": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}


def from_sql(text: str) -> Type | None:
    """The language's type for a type of DuckDB's, as the store will keep it; None where it has none."""
    lists = re.fullmatch(r"(.*)\[\d*\]", text)
    if lists:
        item = from_sql(lists[1])
        return Type(base="list", item=item) if item else None
    base = text.split("(")[0]
    if base == "DECIMAL":
        return Type(base="int" if text.endswith(",0)") else "float")
    for language, words in _FROM_SQL.items():
        if base in words:
            return Type(base=language)  # type: ignore[arg-type]
    return None


_FROM_SQL: dict[str, tuple[str, ...]] = {
    "int": ("BIGINT", "INTEGER", "HUGEINT", "SMALLINT", "TINYINT", "UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT",
            "UHUGEINT", "INTEGER_LITERAL", "INT64", "INT32"),
    "float": ("DOUBLE", "FLOAT", "DECIMAL"),
    "text": ("VARCHAR", "UUID", "JSON", "ENUM", '"NULL"', "STRING_LITERAL"),
    "bool": ("BOOLEAN",),
    "date": ("DATE",),
    "timestamp": ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"),
}  # fmt: skip
