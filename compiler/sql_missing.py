"""A query's tree and what is known of its inputs' columns -> what may be missing in the columns that come out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .sql_text import Tree, body_of, name_of
from .types import Columns


class Fact(NamedTuple):
    """What is known of a column that comes out: whether a value may be missing, and the values that close it."""

    optional: bool
    values: tuple[str, ...] = ()


UNKNOWN, THERE = Fact(optional=True), Fact(optional=False)
Facts = dict[str, Fact]  # by name in lower case, by "#" and place without one; a column that is not in it is UNKNOWN
Sources = list[tuple[str, Facts]]  # by alias


def known_facts(tree: Tree, tables: Mapping[str, Columns]) -> Facts:
    facts = {
        table.lower(): {column.name.lower(): Fact(column.type.optional, column.type.values) for column in columns}
        for table, columns in tables.items()
    }
    try:
        return _facts(tree, facts)
    except RecursionError:  # nested deeper than Python goes: nothing is known, which is true of any query
        return {}


def _facts(node: Tree, tables: Mapping[str, Facts]) -> Facts:
    """Of a query within the named ones. What is not understood is UNKNOWN."""
    for entry in node["cte_map"]["map"]:
        renamed = entry["value"].get("aliases")
        tables = {**tables, entry["key"].lower(): {} if renamed else _facts(body_of(entry["value"]), tables)}
    if node["type"] == "SET_OPERATION_NODE":
        return _stacked([_facts(side, tables) for side in node.get("children") or (node["left"], node["right"])])
    if node["type"] != "SELECT_NODE" or len(node.get("group_sets") or ()) > 1:
        return {}
    sources = _narrowed(_sources(node["from_table"], tables), node.get("where_clause"))
    facts: Facts = {}
    for place, item in enumerate(node["select_list"]):
        name = name_of(item).lower() or f"#{place}"
        facts = _and(facts, _of_star(item, sources) if item["type"] == "STAR" else {name: _of(item, sources)})
    return facts


def _stacked(sides: list[Facts]) -> Facts:
    """Of `union` and the like, which go by place: only where both sides name the same columns in the same order."""
    if any(list(side) != list(sides[0]) for side in sides):
        return {}
    stacked: Facts = {}
    for name in sides[0]:
        facts = [side[name] for side in sides]
        values = dict.fromkeys(value for fact in facts for value in fact.values)
        stacked[name] = Fact(
            any(fact.optional for fact in facts), tuple(values) if all(f.values for f in facts) else ()
        )
    return stacked


def _and(facts: Facts, more: Facts) -> Facts:
    return facts | {name: fact for name, fact in more.items() if name not in facts}


def _sources(node: Tree, tables: Mapping[str, Facts]) -> Sources:
    if node["type"] == "JOIN":
        left, right = _sources(node["left"], tables), _sources(node["right"], tables)
        loose_left, loose_right = _LOOSENS.get(node["join_type"], (True, True))
        positional = node["ref_type"] == "POSITIONAL"
        return _loosened(left, loose_left or positional) + _loosened(right, loose_right or positional)
    alias = str(node.get("alias") or node.get("table_name") or "").lower()
    if node.get("column_name_alias"):
        return [(alias, {})]
    if node["type"] == "BASE_TABLE":
        return [(alias, tables.get(node["table_name"].lower(), {}))]
    if node["type"] == "SUBQUERY":
        return [(alias, _facts(node["subquery"]["node"], tables))]
    return [(alias, {})]


# Whether a join may put rows of missing values on its left side, and on its right.
_LOOSENS = {
    "INNER": (False, False), "LEFT": (False, True), "RIGHT": (True, False),
    "SEMI": (False, True), "ANTI": (False, True),
}  # fmt: skip


def _loosened(sources: Sources, loosens: bool) -> Sources:
    if not loosens:
        return sources
    return [(alias, {name: Fact(True, fact.values) for name, fact in facts.items()}) for alias, facts in sources]


def _narrowed(sources: Sources, where: Tree | None) -> Sources:
    """`where x is not null and …` leaves only rows that have an x."""
    if where is None:
        return sources
    if where["type"] == "CONJUNCTION_AND":
        for part in where["children"]:
            sources = _narrowed(sources, part)
        return sources
    if where["type"] != "OPERATOR_IS_NOT_NULL" or where["children"][0]["type"] != "COLUMN_REF":
        return sources
    alias, name = _reference(where["children"][0])
    return [
        (own, {**facts, name: Fact(False, facts[name].values)} if name in facts and alias in ("", own) else facts)
        for own, facts in sources
    ]


def _of_star(item: Tree, sources: Sources) -> Facts:
    if item.get("columns") or item.get("expr"):
        return {}
    relation = str(item.get("relation_name") or "").lower()
    facts: Facts = {}
    for alias, found in sources:
        if relation in ("", alias):
            facts = _and(facts, found)
    return {name: fact for name, fact in facts.items() if name not in touched(item)}


def touched(item: Tree) -> set[str]:
    """The columns that a star leaves out, replaces or renames."""
    lists = (item.get(key) or () for key in ("exclude_list", "qualified_exclude_list", "replace_list", "rename_list"))
    keys = (entry.get("key", entry) if isinstance(entry, dict) else entry for entries in lists for entry in entries)
    return {str(key.get("column", "") if isinstance(key, dict) else key).lower() for key in keys}


def _reference(item: Tree) -> tuple[str, str]:
    names = [name.lower() for name in item["column_names"]]
    return ("", names[0]) if len(names) == 1 else (names[-2], names[-1])


def _of(item: Tree, sources: Sources) -> Fact:
    if item["type"] == "COLUMN_REF":
        alias, name = _reference(item)
        found = [facts.get(name, UNKNOWN) for own, facts in sources if alias in ("", own) and (alias or name in facts)]
        return found[0] if len(found) == 1 else UNKNOWN
    return THERE if _never_missing(item, sources) else UNKNOWN


def _never_missing(item: Tree, sources: Sources) -> bool:
    """Kept to what is certain and common."""
    parts = _arguments(item)
    match item["type"]:
        case "COLUMN_REF":
            return not _of(item, sources).optional
        case "VALUE_CONSTANT":
            kind = str(item.get("literal", {}).get("kind", ""))
            return not kind.startswith("NULL") and not (item.get("value") or {}).get("is_null")
        case "OPERATOR_IS_NULL" | "OPERATOR_IS_NOT_NULL" | "VALUE_PARAMETER":
            return True
        case "WINDOW_ROW_NUMBER" | "WINDOW_RANK" | "WINDOW_RANK_DENSE":
            return True
        case "OPERATOR_COALESCE":
            return any(_never_missing(part, sources) for part in parts)
        case "FUNCTION" if item["function_name"] in ("count", "count_star"):
            return True
        case "FUNCTION" if item["function_name"] in _TOTAL:
            return all(_never_missing(part, sources) for part in parts)
        case "CASE_EXPR" | "OPERATOR_CAST" | "CONJUNCTION_AND" | "CONJUNCTION_OR" | "OPERATOR_NOT":
            return not item.get("try_cast") and all(_never_missing(part, sources) for part in parts)
        case other:
            return other.startswith("COMPARE_") and bool(parts) and all(_never_missing(part, sources) for part in parts)


# Functions that give a value wherever they are given one.
_TOTAL = (
    "+", "-", "*", "||", "~~", "lower", "upper", "trim", "length", "abs", "round", "floor", "ceil",
    "year", "month", "day",
)  # fmt: skip


def _arguments(item: Tree) -> list[Tree]:
    """The parts that a value is made of; where a tree keeps them depends on the kind and on DuckDB's version."""
    if item["type"] == "CASE_EXPR":
        return [check["then_expr"] for check in item["case_checks"]] + [item["else_expr"]]
    named = [argument["expression"] for argument in item.get("arguments") or ()]
    keys = ("left", "right", "input", "lower", "upper", "child")
    sides = [item[key] for key in keys if isinstance(item.get(key), dict)]
    return [*named, *(item.get("children") or ()), *sides]
