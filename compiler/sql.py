"""A query and its inputs' columns -> what comes out, or what is wrong with it and where.

DuckDB itself reads the query and binds it to empty tables; no data is read and nothing is run.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from ..grammar.diagnostic import listing, nearest
from .program import handed
from .sql_complaints import named_by_a_word, problem_of
from .sql_missing import UNKNOWN, known_facts
from .sql_text import Problem, Tree, body_of, from_sql, name_of, place_of, to_sql, word_at
from .sql_values import wrong_date, wrong_text
from .types import Column, Columns
from .values import is_moment, plain

__all__ = ["Bound", "Problem", "Query", "aggregates", "bind", "fingerprint", "is_ordered", "query_of", "tables_of"]


@dataclass(frozen=True, slots=True)
class Bound:
    """`columns` is None where they cannot be known. `ordered` says whether the query itself orders its rows."""

    columns: Columns | None
    tables: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    ordered: bool = False
    problem: Problem | None = None


def fingerprint(query: str) -> str:
    """The hash of what a query says: comments, layout and the case of keywords do not count."""
    answer = "" if _is_too_deep(query) else _serialised(query)
    read = answer.startswith('{"error":false')
    meaning = _PLACES.sub("", answer) if read else " ".join(_tokens(query))
    return hashlib.sha256(meaning.encode()).hexdigest()


_PLACES = re.compile(r',"query_location(?:_length)?":\d+')


def bind(query: str, tables: Mapping[str, Columns | None], values: Mapping[str, object]) -> Bound:
    """The query held against its inputs by name and the values of its $parameters, as `values.py` reads them. Raises
    nothing for a mistake."""
    read = query_of(query)
    if isinstance(read, Problem):
        return Bound(None, problem=named_by_a_word(read, query, tables))
    inputs = {name.lower(): name for name in tables}
    used = tuple(dict.fromkeys(inputs[n.text.lower()] for n in read.tables if n.text.lower() in inputs))
    bound = Bound(None, used, tuple(dict.fromkeys(n.text for n in read.parameters)), read.ordered)
    problem = _stray_table(read, tables) or _stray_parameter(read, values)
    if problem is not None:
        return _with(bound, problem)
    known = {name: columns for name in used if (columns := tables[name]) is not None}
    if len(known) < len(used):
        return bound
    described = _describe(read, known, {name: values[name] for name in bound.parameters})
    if isinstance(described, Problem):
        return _with(bound, described)
    given = {name: values[name] for name in bound.parameters}
    nodes = list(_nodes(read.tree))
    problem = wrong_date(query, nodes, _casts) or wrong_text(query, nodes, read.aliases, known, given, _casts)
    if problem is not None:
        return _with(bound, problem)
    outcome = _columns(read, known, described)
    return _with(bound, outcome) if isinstance(outcome, Problem) else _with(bound, None, outcome)


def tables_of(query: str) -> tuple[str, ...]:
    """What a query reads, as it is written there; nothing of one that cannot be read."""
    read = query_of(query)
    return tuple(name.text for name in read.tables) if isinstance(read, Query) else ()


def _with(bound: Bound, problem: Problem | None, columns: Columns | None = None) -> Bound:
    return Bound(columns, bound.tables, bound.parameters, bound.ordered, problem)


# --- reading --------------------------------------------------------------------------------------------------


class Name(NamedTuple):
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Query:
    text: str
    tree: Tree
    tables: tuple[Name, ...]
    parameters: tuple[Name, ...]
    aliases: Mapping[str, str]  # in lower case -> the table's name
    ordered: bool


# One connection, and the definition of each table that stands in it: making either anew costs more than a bind.
_LOCK = threading.Lock()
_MADE: dict[str, str] = {}


@lru_cache(maxsize=1)
def _connection() -> Any:
    import duckdb

    connection = duckdb.connect(":memory:", config={
        "threads": 1, "enable_external_access": False, "autoload_known_extensions": False,
        "autoinstall_known_extensions": False, "python_enable_replacements": False,
    })  # fmt: skip
    connection.execute("set errors_as_json = true; pragma disable_optimizer")
    return connection


def is_ordered(query: str) -> bool:
    """Whether a query itself orders its rows; else they come out ordered by all columns."""
    read = query_of(query)
    return isinstance(read, Query) and read.ordered


def aggregates() -> tuple[str, ...]:
    """The names of DuckDB's functions that make one value of many rows."""
    asked = "select distinct function_name from duckdb_functions() where function_type = 'aggregate'"
    with _LOCK:
        return tuple(row[0] for row in _connection().execute(asked).fetchall())


@lru_cache(maxsize=256)
def _serialised(query: str) -> str:
    with _LOCK:
        return str(_connection().execute("select json_serialize_sql(?::varchar)", [query]).fetchone()[0])


DEPTH = 400  # brackets within brackets: DuckDB takes seconds to say that thousands were never closed


def _is_too_deep(text: str) -> bool:
    depth = 0
    for bracket in re.finditer(r"[()]", text):
        depth += 1 if bracket[0] == "(" else -1
        if depth > DEPTH:
            return True
    return False


def _too_deep(text: str) -> Problem:
    return Problem("the query is nested too deeply", *word_at(text, 0), "name parts of it: with x as (select …)")


@lru_cache(maxsize=256)
def query_of(text: str) -> Query | Problem:
    if _is_too_deep(text):
        return _too_deep(text)
    try:
        answer = json.loads(_serialised(text))
    except RecursionError:
        return _too_deep(text)
    if answer["error"]:
        return _unreadable(text, answer)
    if len(answer["statements"]) != 1:
        return _not_one(text, answer["statements"])
    tree = answer["statements"][0]["node"]
    nodes = list(_nodes(tree))
    if any(node.get("type") == "SHOW_REF" for node in nodes):
        return Problem("a query selects rows; describe and summarize do not", *word_at(text, 0), "write a select")
    tables = [node for node in nodes if node.get("type") == "BASE_TABLE"]
    parameters = [node for node in nodes if node.get("class") == "PARAMETER"]
    return Query(
        text,
        tree,
        tables=tuple(Name(_table_name(node), *place_of(text, node)) for node in tables),
        parameters=tuple(Name(node["identifier"], *place_of(text, node)) for node in parameters),
        aliases={(node["alias"] or node["table_name"]).lower(): node["table_name"] for node in tables},
        ordered=any(change["type"] == "ORDER_MODIFIER" and change["orders"] for change in tree["modifiers"]),
    )


def _nodes(tree: Tree) -> Iterable[Tree]:
    """All parts of a query in the order of its text, less the tables that it names itself in `with`."""
    # By a stack of our own: a query written by a program may be nested deeper than Python goes.
    stack: list[tuple[Any, frozenset[str]]] = [(tree, frozenset())]
    while stack:
        item, named = stack.pop()
        if isinstance(item, list):
            stack.extend((part, named) for part in reversed(item))
        elif isinstance(item, dict):
            if item.get("type") != "BASE_TABLE" or _table_name(item).lower() not in named:
                yield item
            bodies, inside = _named_queries(item, named)
            parts = ((key, part) for key, part in reversed(item.items()) if isinstance(part, dict | list))
            stack.extend((part, inside) for key, part in parts if key != "cte_map")
            stack.extend(reversed(bodies))


def _named_queries(item: Tree, named: frozenset[str]) -> tuple[list[tuple[Any, frozenset[str]]], frozenset[str]]:
    """The queries in a `with`, each seeing those before it (and itself, if recursive); and all the names after it."""
    bodies: list[tuple[Any, frozenset[str]]] = []
    for entry in (item.get("cte_map") or {}).get("map", ()):
        body, name = entry["value"], entry["key"].lower()
        recursive = body_of(body).get("type") == "RECURSIVE_CTE_NODE"
        bodies.append((body, named | {name} if recursive else named))
        named = named | {name}
    return bodies, named


def _table_name(node: Tree) -> str:
    return ".".join(part for part in (node["catalog_name"], node["schema_name"], node["table_name"]) if part)


def _tokens(query: str) -> list[str]:
    """The words of a query that DuckDB cannot read, comments left out and keywords in lower case."""
    import duckdb

    raw = query.encode()
    marks = duckdb.tokenize(query)
    ends = [start for start, _ in marks[1:]] + [len(raw)]
    tokens = []
    for (start, kind), end in zip(marks, ends, strict=True):
        word = raw[start:end].decode(errors="replace").strip()
        if kind != duckdb.token_type.comment:
            tokens.append(word.lower() if kind == duckdb.token_type.keyword else word)
    return tokens


def _unreadable(text: str, answer: Tree) -> Problem:
    if answer["error_type"] == "not implemented":
        pivot = re.search(r"\bpivot\b", text, re.IGNORECASE)
        if pivot:
            help_ = "list its values: pivot … on x in ('a', 'b')"
            return Problem("the columns of a pivot must be known", *pivot.span(), help_)
        later = re.search(r";\s*(?!(?:select|with|from|values)\b)(\w+)", text, re.IGNORECASE)
        reads = re.match(r"\s*(?:select|with|from|values)\b", text, re.IGNORECASE)
        start_end = later.span(1) if later and reads else word_at(text, 0)
        return Problem("a query selects rows and changes nothing", *start_end, "write a select")
    return problem_of(text, answer["error_message"], answer, {}, {})


def _not_one(text: str, statements: list[Tree]) -> Problem:
    if not statements:
        return Problem("there is no query", 0, len(text), "write a select")
    with _LOCK:
        first = _connection().extract_statements(text)[0].query
    help_ = "write one; a part of it can be named: with x as (select …)"
    return Problem("more than one query", *word_at(text, len(first)), help_)


def _stray_table(read: Query, tables: Mapping[str, Columns | None]) -> Problem | None:
    known = {name.lower() for name in tables}
    for name in read.tables:
        if name.text.lower() not in known:
            close = nearest(name.text, tables)
            help_ = f"did you mean {close}?" if close else "name it after from in the block's header"
            inputs = f"the inputs are {listing(tables)}" if tables else "the block has no inputs"
            return Problem(f"no input named {name.text}; {inputs}", name.start, name.end, help_)
    return None


def _stray_parameter(read: Query, values: Mapping[str, object]) -> Problem | None:
    for name in read.parameters:
        if name.text in values:
            continue
        if name.text.isdigit():
            return Problem("a value is named, not numbered", name.start, name.end, "write $name")
        close = nearest(name.text, values)
        known = ", ".join(f"${value}" for value in values)
        help_ = f"did you mean ${close}?" if close else f"known: {known}" if known else f"write a line: {name.text} = …"
        missing = list(dict.fromkeys(one.text for one in read.parameters if one.text not in values))
        if known or len(missing) == 1 or any(map(str.isdigit, missing)):
            return Problem(f"${name.text} has no value", name.start, name.end, help_)
        help_ = f"write a line for each: {'; '.join(f'{one} = …' for one in missing)}"
        return Problem(f"{' and '.join(f'${one}' for one in missing)} have no value", name.start, name.end, help_)
    return None


@lru_cache(maxsize=4096)
def _casts(text: str, type_: str) -> bool:
    with _LOCK:
        return bool(_connection().execute(f"select try_cast(? as {type_}) is not null", [text]).fetchone()[0])


# --- binding --------------------------------------------------------------------------------------------------

Described = list[tuple[str, str]]  # each column's name and DuckDB's type


def _describe(read: Query, tables: Mapping[str, Columns], values: Mapping[str, object]) -> Described | Problem:
    import duckdb

    given = {name: handed(plain(value), is_moment=is_moment(value)) for name, value in values.items()}
    with _LOCK:
        try:
            for name, columns in tables.items():
                _make(name, columns)
            rows = _connection().execute(_DESCRIBE + read.text, given or None).fetchall()
        except duckdb.Error as error:
            told = _told(str(error))
            return problem_of(read.text, told["exception_message"], told, tables, read.aliases, shift=len(_DESCRIBE))
    return [(row[0], row[1]) for row in rows]


_DESCRIBE = "describe "


def _make(name: str, columns: Columns) -> None:
    """An empty table; the one that stands is kept, if it is the same."""
    written = ", ".join(f"{quoted(column.name)} {to_sql(column.type)}" for column in columns) or "_ bool"
    if _MADE.get(name.lower()) != written:
        _connection().execute(f"create or replace table {quoted(name)} ({written})")
        _MADE[name.lower()] = written


def _told(message: str) -> Tree:
    kind, brace, facts = message.partition("{")
    if not brace:
        return {"exception_message": kind.split(": ", 1)[-1]}
    told: Tree = json.loads(brace + facts)
    return told


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _columns(read: Query, tables: Mapping[str, Columns], described: Described) -> Columns | Problem:
    facts = known_facts(read.tree, tables)
    unnamed = list(facts) if len(facts) == len(described) else [""] * len(described)
    columns: dict[str, Column] = {}
    for (name, text), place in zip(described, unnamed, strict=True):
        if name in columns:
            help_ = "leave one out, or give it another name with as"
            return Problem(f"two columns are named {name}", *_item(read, name, 1), help_)
        type_ = from_sql(text)
        if type_ is None:
            help_ = next((way for word, way in _CASTS.items() if text.startswith(word)), "cast it to one that it does")
            message = f"column {name} would be of type {text}, which mlspec does not hold"
            return Problem(message, *_item(read, name), help_)
        fact = facts.get(name.lower()) or (facts[place] if place.startswith("#") else UNKNOWN)
        values = fact.values if type_.base == "text" else ()
        columns[name] = Column(name=name, type=type_.model_copy(update={"values": values, "optional": fact.optional}))
    return tuple(columns.values())


_CASTS = {
    "INTERVAL": "make it a number: date_diff('second', a, b) or epoch(…)",
    "TIME": "cast it to text: cast(… as varchar)",
    "STRUCT": "take its fields: x.a, x.b",
    "MAP": "take a value of it: x['key']",
    "BLOB": "make it a text: to_base64(…) or decode(…)",
    "BIT": "cast it to text: cast(… as varchar)",
}


def _item(read: Query, name: str, skip: int = 0) -> tuple[int, int]:
    """Where a column comes out; the first word of the query, if it comes out of a star."""
    items = [item for item in read.tree.get("select_list", ()) if name_of(item).lower() == name.lower()]
    if not items:
        items = [item for item in read.tree.get("select_list", ()) if item["type"] == "STAR" or not name_of(item)]
    return place_of(read.text, items[min(skip, len(items) - 1)]) if items else word_at(read.text, 0)
