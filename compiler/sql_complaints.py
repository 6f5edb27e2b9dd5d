"""DuckDB's complaints about a query -> what is wrong in our words, its place in the text, and the way out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ..grammar.diagnostic import listing, nearest
from .sql_text import Problem, Tree, from_sql, span_of, word_at
from .types import Columns

NO_COLUMN = "no column named"


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


def problem_of(
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
        start, end = span_of(text, position - shift, length)
    word = re.escape(name)
    named = re.compile(rf'"{word}"|(?<!\w){word}(?!\w)', re.IGNORECASE).search(text, start) if name else None
    if named and (not location or named.end() <= end):
        return named.span()
    return (start, end) if location else word_at(text, 0)


def _plain(word: str) -> str:
    type_ = from_sql(word)
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
    return f"{NO_COLUMN} {name} in {where}", f"did you mean {close}?" if close else known


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


def _not_grouped(found: re.Match[str], around: _Complaint) -> tuple[str, str]:
    """Said of any name after having that is not grouped, also of one that there is not."""
    name = found["name"]
    known = {column.name.lower() for columns in around.tables.values() for column in columns}
    if around.tables and name.rpartition(".")[2].strip('"').lower() not in known:
        return f"{NO_COLUMN} {name} in {listing(around.tables)}", "give it its name in select, as in count(*) as n"
    return f"{name} is neither grouped nor aggregated", f"write group by all, or any_value({name})"


def _unexpected(found: re.Match[str], around: _Complaint) -> tuple[str, str]:
    close = nearest(found["name"], _KEYWORDS)
    help_ = f"did you mean {close}?" if close and close != found["name"].lower() else ""
    return f"{found['name']} should not stand here", help_


def named_by_a_word(problem: Problem, text: str, tables: Mapping[str, Columns | None]) -> Problem:
    """`select * from order`: where an input or a column has the name of a word of SQL, that is said."""
    word = text[problem.start : problem.end]
    names = {*tables, *(column.name for columns in tables.values() for column in columns or ())}
    if not word or word.lower() not in {name.lower() for name in names}:
        return problem
    return replace(problem, message=f"{word} is a word of SQL, and no name without quotes", help=f'write "{word}"')


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
    (r'column "(?P<name>.+?)" must appear in the GROUP BY', _not_grouped),
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
