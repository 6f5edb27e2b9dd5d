"""A query and its inputs' columns -> of what each column that comes out is made, within one row, and whose rows they are.

Kept to what is certain: a value from another row (lag, an aggregate, a subquery) is not followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from . import sql
from .sql_missing import touched
from .sql_text import Problem, Tree, body_of, name_of

Place = tuple[str, str, str]  # the table, the alias under which the query reads it, the column; in lower case


class Origin(NamedTuple):
    """`same` is one column, unchanged. Where not all is `known`, it is made of more than `columns`."""

    columns: frozenset[Place]
    same: bool = False
    known: bool = True


UNKNOWN = Origin(frozenset(), known=False)
Origins = dict[str, Origin]  # by name in lower case
Inputs = tuple[tuple[str, tuple[str, ...] | None], ...]  # each input's name and columns, None where they are not known


class Lineage(NamedTuple):
    """`rows` is the input whose rows come out, each at most once, "" where they are made anew. `many`: what comes out
    is read in more than one place, so that two columns of one input may be of two rows."""

    columns: Origins
    rows: str = ""
    many: bool = False


@lru_cache(maxsize=4096)
def of(query: str, inputs: Inputs) -> Lineage:
    read = sql.query_of(query)
    if isinstance(read, Problem):
        return Lineage({})
    tables = {
        name.lower(): None if columns is None else {c.lower(): _at(name, "", c) for c in columns}
        for name, columns in inputs
    }
    try:
        columns = _select(read.tree, tables)
        many = len({alias for origin in columns.values() for _, alias, _ in origin.columns}) > 1
        return Lineage(columns, _rows(read.tree, {}), many)
    except RecursionError:
        return Lineage({})


def _at(table: str, alias: str, column: str) -> Origin:
    return Origin(frozenset({(table.lower(), alias.lower(), column.lower())}), same=True)


Tables = dict[str, Origins | None]
Source = tuple[str, str, Origins | None]  # an alias, the table that it reads, its columns


def _select(node: Tree, tables: Tables) -> Origins:
    for entry in node["cte_map"]["map"]:
        renamed = entry["value"].get("aliases")
        tables = {**tables, entry["key"].lower(): {} if renamed else _select(body_of(entry["value"]), tables)}
    if node["type"] != "SELECT_NODE":
        return {}
    sources = list(_sources(node["from_table"], tables))
    found: Origins = {}
    for item in node["select_list"]:
        more = _of_star(item, sources) if item["type"] == "STAR" else {name_of(item).lower(): _of(item, sources)}
        found |= {name: origin for name, origin in more.items() if name not in found}
    return found


def _sources(node: Tree, tables: Tables) -> Iterator[Source]:
    alias = str(node.get("alias") or node.get("table_name") or "").lower()
    match node["type"]:
        case "JOIN":
            yield from _sources(node["left"], tables)
            yield from _sources(node["right"], tables)
        case "BASE_TABLE" if not node.get("column_name_alias"):
            name = node["table_name"].lower()
            yield alias, name, _read_as(alias, tables.get(name, {}))
        case "SUBQUERY" if not node.get("column_name_alias"):
            yield alias, "", _read_as(alias, _select(node["subquery"]["node"], tables))
        case _:
            yield alias, "", {}


def _read_as(alias: str, columns: Origins | None) -> Origins | None:
    """The columns marked by the alias under which they are read: what is read twice is of two rows."""
    if columns is None:
        return None
    return {
        name: origin._replace(columns=frozenset((table, f"{alias}/{before}", c) for table, before, c in origin.columns))
        for name, origin in columns.items()
    }


def _of_star(item: Tree, sources: list[Source]) -> Origins:
    if item.get("columns") or item.get("expr"):
        return {}
    relation = str(item.get("relation_name") or "").lower()
    found: Origins = {}
    for alias, _, columns in sources:
        if relation in ("", alias):
            found = {**(columns or {}), **found}
    return {name: origin for name, origin in found.items() if name not in touched(item)}


def _column(item: Tree, sources: list[Source]) -> Origin:
    names = [name.lower() for name in item["column_names"]]
    relation, name = ("", names[0]) if len(names) == 1 else (names[-2], names[-1])
    for alias, table, columns in sources:
        if relation not in ("", alias):
            continue
        if columns is not None and name in columns:
            return columns[name]
        if columns is None and (relation or len(sources) == 1):
            return _at(table, alias, name)
    return UNKNOWN


def _of(item: Tree, sources: list[Source]) -> Origin:
    kind = str(item["type"])
    if kind == "COLUMN_REF":
        return _column(item, sources)
    if kind == "OPERATOR_CAST":
        return _of(item["child"], sources)
    if kind == "WINDOW_AGGREGATE" and not item.get("orders"):  # over all rows of a part, this one among them
        return _together((_of(part["expression"], sources) for part in item.get("arguments") or ()), known=False)
    if kind.startswith("WINDOW") or kind in ("SUBQUERY", "LAMBDA", "LAMBDA_REF"):
        return UNKNOWN
    if kind == "FUNCTION" and str(item["function_name"]).lower() in _aggregates():
        return UNKNOWN
    return _together(_of(part, sources) for part in _parts(item))


def _parts(item: Tree) -> Iterator[Tree]:
    """The expressions directly within one."""
    stack = [value for key, value in item.items() if key != "type_expr"]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack += value
        elif isinstance(value, dict) and "class" in value:
            yield value
        elif isinstance(value, dict):
            stack += value.values()


def _together(parts: Iterable[Origin], *, known: bool = True) -> Origin:
    parts = list(parts)
    columns = frozenset(place for part in parts for place in part.columns)
    return Origin(columns, known=known and all(part.known for part in parts))


@lru_cache(maxsize=1)
def _aggregates() -> frozenset[str]:
    return frozenset(sql.aggregates())


# --- rows -----------------------------------------------------------------------------------------------------


def _rows(node: Tree, named: dict[str, str]) -> str:
    """The input whose rows a query passes on, some of them or all."""
    for entry in node["cte_map"]["map"]:
        named = {**named, entry["key"].lower(): _rows(body_of(entry["value"]), named)}
    if node["type"] != "SELECT_NODE" or node.get("group_sets") or node.get("group_expressions"):
        return ""
    if any(_aggregated(item) for item in node["select_list"]):
        return ""
    return _first(node["from_table"], named)


def _aggregated(item: Tree) -> bool:
    if item["type"] == "FUNCTION" and str(item["function_name"]).lower() in _aggregates():
        return True
    return not str(item["type"]).startswith("WINDOW") and any(_aggregated(part) for part in _parts(item))


def _first(node: Tree, named: dict[str, str]) -> str:
    """Of a join the left side: the right one only adds columns to it."""
    match node["type"]:
        case "JOIN" if node["join_type"] in ("INNER", "LEFT", "SEMI", "ANTI"):
            return _first(node["left"], named)
        case "BASE_TABLE":
            name = str(node["table_name"]).lower()
            return named.get(name, name)
        case "SUBQUERY":
            return _rows(node["subquery"]["node"], named)
    return ""
