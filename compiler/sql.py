"""A query and its inputs' columns -> what comes out, or what is wrong with it and where.

DuckDB itself reads the query and binds it to empty tables; no data is read and nothing is run.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from ..grammar.diagnostic import listing, nearest
from .program import Value
from .types import Column, Columns, Type

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong; `start` and `end` are offsets in the query's text."""

    message: str
    start: int
    end: int
    help: str = ""


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
    answer = _serialised(query)
    read = answer.startswith('{"error":false')
    meaning = _PLACES.sub("", answer) if read else " ".join(_tokens(query))
    return hashlib.sha256(meaning.encode()).hexdigest()


_PLACES = re.compile(r',"query_location(?:_length)?":\d+')


def bind(query: str, tables: Mapping[str, Columns | None], values: Mapping[str, Value]) -> Bound:
    """The query held against its inputs by name and the values of its $parameters. Raises nothing for a mistake."""
    read = _read(query)
    if isinstance(read, Problem):
        return Bound(None, problem=read)
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
    outcome = _columns(read, known, described)
    return _with(bound, outcome) if isinstance(outcome, Problem) else _with(bound, None, outcome)


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


@lru_cache(maxsize=256)
def _serialised(query: str) -> str:
    with _LOCK:
        return str(_connection().execute("select json_serialize_sql(?::varchar)", [query]).fetchone()[0])


@lru_cache(maxsize=256)
def _read(text: str) -> Query | Problem:
    try:
        answer = json.loads(_serialised(text))
    except RecursionError:
        return Problem("the query is nested too deeply", *_word(text, 0), "name parts of it: with x as (select …)")
    if answer["error"]:
        return _unreadable(text, answer)
    if len(answer["statements"]) != 1:
        return _not_one(text, answer["statements"])
    tree = answer["statements"][0]["node"]
    nodes = list(_nodes(tree))
    if any(node.get("type") == "SHOW_REF" for node in nodes):
        return Problem("a query selects rows; describe and summarize do not", *_word(text, 0), "write a select")
    tables = [node for node in nodes if node.get("type") == "BASE_TABLE"]
    parameters = [node for node in nodes if node.get("class") == "PARAMETER"]
    return Query(
        text,
        tree,
        tables=tuple(Name(_table_name(node), *_place(text, node)) for node in tables),
        parameters=tuple(Name(node["identifier"], *_place(text, node)) for node in parameters),
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
        recursive = _body_of(body).get("type") == "RECURSIVE_CTE_NODE"
        bodies.append((body, named | {name} if recursive else named))
        named = named | {name}
    return bodies, named


def _body_of(entry: Tree) -> Tree:
    body: Tree = entry.get("query_node") or entry["query"]["node"]  # its name differs between versions of DuckDB
    return body


def _table_name(node: Tree) -> str:
    return ".".join(part for part in (node["catalog_name"], node["schema_name"], node["table_name"]) if part)


def _place(text: str, node: Tree) -> tuple[int, int]:
    start, length = int(node["query_location"]), int(node.get("query_location_length") or 0)
    return _span(text, start, length)


def _span(text: str, start: int, length: int) -> tuple[int, int]:
    """DuckDB counts bytes; beyond the text it knows no place."""
    raw = text.encode()
    if start + length > len(raw):
        return _word(text, 0)
    offset = len(raw[:start].decode(errors="ignore"))
    if length == 0:
        return _word(text, offset)
    return offset, offset + len(raw[start : start + length].decode(errors="ignore").rstrip())


def _word(text: str, offset: int) -> tuple[int, int]:
    """The word or sign at an offset, or the next one."""
    found = re.compile(r"\w+|[^\w\s]").search(text, offset)
    return found.span() if found else (max(len(text.rstrip()) - 1, 0), len(text.rstrip()))


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
        return Problem("a query selects rows and changes nothing", *_word(text, 0), "write a select")
    return _problem(text, answer["error_message"], answer, {}, {})


def _not_one(text: str, statements: list[Tree]) -> Problem:
    if not statements:
        return Problem("there is no query", 0, len(text), "write a select")
    with _LOCK:
        first = _connection().extract_statements(text)[0].query
    help_ = "write one; a part of it can be named: with x as (select …)"
    return Problem("more than one query", *_word(text, len(first)), help_)


def _stray_table(read: Query, tables: Mapping[str, Columns | None]) -> Problem | None:
    known = {name.lower() for name in tables}
    for name in read.tables:
        if name.text.lower() not in known:
            close = nearest(name.text, tables)
            help_ = f"did you mean {close}?" if close else "name it after from in the block's header"
            inputs = f"the inputs are {listing(tables)}" if tables else "the block has no inputs"
            return Problem(f"no input named {name.text}; {inputs}", name.start, name.end, help_)
    return None


def _stray_parameter(read: Query, values: Mapping[str, Value]) -> Problem | None:
    for name in read.parameters:
        if name.text in values:
            continue
        if name.text.isdigit():
            return Problem("a value is named, not numbered", name.start, name.end, "write $name")
        close = nearest(name.text, values)
        known = ", ".join(f"${value}" for value in values)
        help_ = f"did you mean ${close}?" if close else f"known: {known}" if known else f"write a line: {name.text} = …"
        return Problem(f"${name.text} has no value", name.start, name.end, help_)
    return None


# --- binding --------------------------------------------------------------------------------------------------

Described = list[tuple[str, str]]  # each column's name and DuckDB's type


def _describe(read: Query, tables: Mapping[str, Columns], values: Mapping[str, Value]) -> Described | Problem:
    import duckdb

    given = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    with _LOCK:
        try:
            for name, columns in tables.items():
                _make(name, columns)
            rows = _connection().execute(_DESCRIBE + read.text, given or None).fetchall()
        except duckdb.Error as error:
            told = _told(str(error))
            return _problem(read.text, told["exception_message"], told, tables, read.aliases, shift=len(_DESCRIBE))
    return [(row[0], row[1]) for row in rows]


_DESCRIBE = "describe "


def _make(name: str, columns: Columns) -> None:
    """An empty table; the one that stands is kept, if it is the same."""
    written = ", ".join(f"{_quoted(column.name)} {_to_sql(column.type)}" for column in columns) or "_ bool"
    if _MADE.get(name.lower()) != written:
        _connection().execute(f"create or replace table {_quoted(name)} ({written})")
        _MADE[name.lower()] = written


def _told(message: str) -> Tree:
    kind, brace, facts = message.partition("{")
    if not brace:
        return {"exception_message": kind.split(": ", 1)[-1]}
    told: Tree = json.loads(brace + facts)
    return told


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _to_sql(type_: Type) -> str:
    return _to_sql(type_.item or Type(base="text")) + "[]" if type_.base == "list" else _SQL[type_.base]


_SQL = {
    "int": "bigint",
    "float": "double",
    "text": "varchar",
    "bool": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}


def _from_sql(text: str) -> Type | None:
    """The language's type for a type of DuckDB's, as the store will keep it; None where it has none."""
    lists = re.fullmatch(r"(.*)\[\d*\]", text)
    if lists:
        item = _from_sql(lists[1])
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


def _columns(read: Query, tables: Mapping[str, Columns], described: Described) -> Columns | Problem:
    facts = _known_facts(read.tree, tables)
    unnamed = list(facts) if len(facts) == len(described) else [""] * len(described)
    columns: dict[str, Column] = {}
    for (name, text), place in zip(described, unnamed, strict=True):
        if name in columns:
            help_ = "leave one out, or give it another name with as"
            return Problem(f"two columns are named {name}", *_item(read, name, 1), help_)
        type_ = _from_sql(text)
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
    items = [item for item in read.tree.get("select_list", ()) if _name_of(item).lower() == name.lower()]
    if not items:
        items = [item for item in read.tree.get("select_list", ()) if item["type"] == "STAR" or not _name_of(item)]
    return _place(read.text, items[min(skip, len(items) - 1)]) if items else _word(read.text, 0)


def _name_of(item: Tree) -> str:
    return str(item.get("alias") or (item.get("column_names") or [""])[-1])


# --- what may be missing --------------------------------------------------------------------------------------


class Fact(NamedTuple):
    """What is known of a column that comes out: whether a value may be missing, and the values that close it."""

    optional: bool
    values: tuple[str, ...] = ()


UNKNOWN, THERE = Fact(optional=True), Fact(optional=False)
Facts = dict[str, Fact]  # by name in lower case, by "#" and place without one; a column that is not in it is UNKNOWN
Sources = list[tuple[str, Facts]]  # by alias


def _known_facts(tree: Tree, tables: Mapping[str, Columns]) -> Facts:
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
        tables = {**tables, entry["key"].lower(): {} if renamed else _facts(_body_of(entry["value"]), tables)}
    if node["type"] == "SET_OPERATION_NODE":
        return _stacked([_facts(side, tables) for side in node.get("children") or (node["left"], node["right"])])
    if node["type"] != "SELECT_NODE" or len(node.get("group_sets") or ()) > 1:
        return {}
    sources = _narrowed(_sources(node["from_table"], tables), node.get("where_clause"))
    facts: Facts = {}
    for place, item in enumerate(node["select_list"]):
        name = _name_of(item).lower() or f"#{place}"
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
    return {name: fact for name, fact in facts.items() if name not in _touched(item)}


def _touched(item: Tree) -> set[str]:
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


# --- DuckDB's complaints, in our words ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Complaint:
    """What DuckDB said of a query, and what is known around it."""

    tables: Mapping[str, Columns]
    aliases: Mapping[str, str]
    candidates: tuple[str, ...]

    def of(self, table: str = "") -> dict[str, Columns]:
        name = self.aliases.get(table.lower(), table)
        return {t: c for t, c in self.tables.items() if t.lower() == name.lower()} or dict(self.tables)


Wording = Callable[[re.Match[str], _Complaint], tuple[str, str]]


def _problem(
    text: str, message: str, told: Tree, tables: Mapping[str, Columns], aliases: Mapping[str, str], shift: int = 0
) -> Problem:
    candidates = tuple(word for word in str(told.get("candidates", "")).split(",") if word)
    for pattern, wording in _WORDINGS:
        found = re.search(pattern, message)
        if found:
            words, help_ = wording(found, _Complaint(tables, aliases, candidates))
            name = found.groupdict().get("name") or ""
            return Problem(words, *_where(text, told, name, shift), help_)
    first = re.sub(r"\b[A-Z_]{3,}\d*\b(\([\d,]*\))?", lambda m: _plain(m[0]), message.split("\n")[0]).rstrip("!. ")
    return Problem(first[:1].lower() + first[1:], *_where(text, told, "", shift))


def _where(text: str, told: Tree, name: str, shift: int) -> tuple[int, int]:
    """The place DuckDB tells of, or where the name stands; without either, the query's first word."""
    location = told.get("location") or (f"[{told['position']},0]" if "position" in told else "")
    start, end = 0, len(text)
    if location:
        position, length = json.loads(location)
        start, end = _span(text, position - shift, length)
    word = re.escape(name)
    named = re.compile(rf'"{word}"|(?<!\w){word}(?!\w)', re.IGNORECASE).search(text, start) if name else None
    if named and (not location or named.end() <= end):
        return named.span()
    return (start, end) if location else _word(text, 0)


def _plain(word: str) -> str:
    type_ = _from_sql(word)
    return str(type_) if type_ else word.lower()


def _plains(words: str) -> str:
    return " and ".join(_plain(word.strip()) for word in re.split(r",\s*(?![^(]*\))", words)) or "nothing"


def _no_column(found: re.Match[str], around: _Complaint) -> tuple[str, str]:
    name, table = found["name"], found.groupdict().get("table") or ""
    tables = around.of(table)
    own = table.lower() in around.aliases or not table
    where = listing(tables) if own and tables else table or "the query"
    columns = [column.name for table_columns in tables.values() for column in table_columns]
    close = nearest(name, [*columns, *around.candidates] if own else around.candidates)
    known = f"known: {listing(columns)}" if columns and own else ""
    return f"no column named {name} in {where}", f"did you mean {close}?" if close else known


def _no_table(found: re.Match[str], around: _Complaint) -> tuple[str, str]:
    known = re.findall(r'"([^"]+)"', found["known"] or "")
    close = nearest(found["name"], known)
    otherwise = f"known: {listing(known)}" if known else ""
    return f"no table named {found['name']} here", f"did you mean {close}?" if close else otherwise


def _no_function(found: re.Match[str], around: _Complaint) -> tuple[str, str]:
    kind = "type" if found["kind"] == "Type" else "function"
    close = nearest(found["name"], around.candidates)
    return f"no {kind} named {found['name']}", f"did you mean {close}?" if close else ""


def _no_fit(found: re.Match[str], around: _Complaint) -> tuple[str, str]:
    help_ = "cast what it is given, as in cast(x as double)" if found["types"] else ""
    return f"{found['name']} does not take {_plains(found['types'])}", help_


def _unexpected(found: re.Match[str], around: _Complaint) -> tuple[str, str]:
    close = nearest(found["name"], _KEYWORDS)
    help_ = f"did you mean {close}?" if close and close != found["name"].lower() else ""
    return f"{found['name']} should not stand here", help_


_KEYWORDS = ("select", "from", "where", "group", "order", "having", "join", "left", "limit", "with", "union", "qualify")


def _says(message: str, help_: str = "") -> Wording:
    def wording(found: re.Match[str], around: _Complaint) -> tuple[str, str]:
        facts = {key: value if key == "name" else _plain(value) for key, value in found.groupdict().items()}
        return message.format(**facts), help_.format(**facts)

    return wording


# The first that fits is said. `name` is what gets underlined within the place that DuckDB tells of.
_WORDINGS: tuple[tuple[str, Wording], ...] = (
    (r'Referenced column "(?P<name>.+?)" (not found|was not found)', _no_column),
    (r'Table "(?P<table>.+?)" does not have a column named "(?P<name>.+?)"', _no_column),
    (r'Column "(?P<name>.+?)" (does not exist on|in \w+ list not found)', _no_column),
    (r"Cannot extract field '(?P<name>.+?)' from expression \"(?P<table>\w+)\"", _no_column),
    (r'Referenced table "(?P<name>.+?)" not found!(\s*Candidate tables: (?P<known>.*))?', _no_table),
    (r"(?P<kind>Type|Function) with name (?P<name>\S+) does not exist", _no_function),
    (r"(?:given name and argument types '|function call \")(?P<name>.+?)\((?P<types>.*?)\)['\"]\.", _no_fit),
    (r'column "(?P<name>.+?)" must appear in the GROUP BY', _says(
        "{name} is neither grouped nor aggregated", "write group by all, or any_value({name})")),
    (r"(?P<a>\w+ clause) cannot contain aggregates", _says(
        "{a} cannot hold an aggregate", "a condition on an aggregate stands after having")),
    (r"aggregate function calls cannot be nested", _says(
        "an aggregate within an aggregate", "make the inner one first, in a with")),
    (r"Ambiguous reference to column name \"(?P<name>.+?)\" \(use: '(?P<a>.+?)' or '(?P<b>.+?)'", _says(
        "{name} could be {a} or {b}", "write which one")),
    (r"Cannot compare values of type (?P<a>.+?) and (?:type )?(?P<b>[^-]+?)(?: -|$)", _says(
        "{a} cannot be compared with {b}", "cast one of them")),
    (r"Cannot mix values of type (?P<a>.+?) and (?P<b>.+?) in", _says(
        "the branches give {a} and {b}", "cast one of them")),
    (r"Set operations can only apply", _says(
        "the sides have different numbers of columns", "select the same columns on each side")),
    (r"Cannot access file", _says(
        "a query reads its inputs only", 'make the file data of its own: data x from csv "…"')),
    (r"unterminated string literal", _says("a text without its closing '")),
    (r"unterminated quoted identifier", _says('a name without its closing "')),
    (r"unterminated /\* comment", _says("a comment without its closing */")),
    (r'syntax error at or near "\("', _says("( is not closed, or should not stand here")),
    (r'syntax error at or near "(?P<name>.+)"', _unexpected),
    (r'Column with name "?(?P<name>.+?)"? already exists', _says(
        "two columns of an input are named {name}", "SQL takes capitals for small letters: rename one with from")),
    (r"syntax error at end of input", _says("the query ends too early")),
)  # fmt: skip
