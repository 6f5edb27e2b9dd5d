"""A query and its inputs' columns -> the first text that it takes for a date, or holds against a column, and can never be.

DuckDB turns such a text into a number or a date when it meets a row, so it binds, and fails where it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from .sql_text import Problem, Tree, place_of, to_sql
from .types import Columns, Type

Casts = Callable[[str, str], bool]  # whether a text is a value of a type of DuckDB's


def wrong_text(
    text: str, nodes: Sequence[Tree], aliases: Mapping[str, str], tables: Mapping[str, Columns], values: Mapping[str, object],
    casts: Casts,
) -> Problem | None:  # fmt: skip
    renamed = {str(node["alias"]).lower() for node in nodes if node.get("alias") and "class" in node}
    for column, other in _pairs(nodes):
        type_ = _type(column, aliases, tables, renamed)
        found = _text(other, values)
        if type_ is None or found is None or casts(found, to_sql(type_)):
            continue
        name, start_end = column["column_names"][-1], place_of(text, other)
        said = (
            f"${other['identifier']} is '{found}'" if other["type"] == "VALUE_PARAMETER" else f"'{found}' stands here"
        )
        return Problem(f"{name} is {type_}, and {said}", *start_end, "give it a value of that type")
    return None


def wrong_date(text: str, nodes: Iterable[Tree], casts: Casts) -> Problem | None:
    """`date '2020-02-30'`"""
    for node in nodes:
        if node.get("type") != "OPERATOR_CAST" or node.get("try_cast"):
            continue
        written = (node.get("type_expr") or {}).get("type_name") or (node.get("cast_type") or {}).get("id")
        type_, found = str(written).lower(), _text(node["child"], {})
        if type_ in ("date", "timestamp") and found is not None and not casts(found, type_):
            return Problem(
                f"'{found}' is no {type_}", *place_of(text, node), "it is written year-month-day, 2015-01-31"
            )
    return None


def _pairs(nodes: Iterable[Tree]) -> Iterator[tuple[Tree, Tree]]:
    """Each column and what it is compared with."""
    for node in nodes:
        kind = str(node.get("type", ""))
        if kind.startswith("COMPARE_BETWEEN"):
            sides = [(node["input"], node["lower"]), (node["input"], node["upper"])]
        elif kind.startswith("COMPARE_IN"):
            first, *others = node["children"]
            sides = [(first, other) for other in others]
        elif kind.startswith("COMPARE_"):
            sides = [(node["left"], node["right"]), (node["right"], node["left"])]
        else:
            continue
        yield from ((column, other) for column, other in sides if column["type"] == "COLUMN_REF")


def _type(column: Tree, aliases: Mapping[str, str], tables: Mapping[str, Columns], renamed: set[str]) -> Type | None:
    """Of a column that can only be one of an input's, and is no text."""
    names = [name.lower() for name in column["column_names"]]
    if names[-1] in renamed:
        return None
    asked = aliases.get(names[-2], "").lower() if len(names) > 1 else ""
    found = [one.type for table, columns in tables.items() if asked in ("", table.lower()) or len(names) == 1
             for one in columns if one.name.lower() == names[-1]]  # fmt: skip
    plain = len(found) == 1 and found[0].base in ("int", "float", "date", "timestamp", "bool")
    return found[0] if plain and (len(names) == 1 or asked) else None


def _text(other: Tree, values: Mapping[str, object]) -> str | None:
    if other["type"] == "VALUE_PARAMETER":
        given = values.get(other["identifier"])
        return given if isinstance(given, str) else None
    literal = other.get("literal") or {}
    if other["type"] == "VALUE_CONSTANT" and str(literal.get("kind", "")) in ("STRING", "VARCHAR"):
        return str(literal.get("text", ""))
    value = (other.get("value") or {}) if other["type"] == "VALUE_CONSTANT" else {}
    return str(value["value"]) if (value.get("type") or {}).get("id") == "VARCHAR" and "value" in value else None
