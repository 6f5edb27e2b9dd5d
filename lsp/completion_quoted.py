"""What may be written within quotes: files, functions, values of a column, and queries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ..compiler import installed
from ..compiler.python_file import Broken, Imported, module_of
from ..grammar.kinds import RECIPES
from . import candidates, queries
from .analysis import Analysis
from .candidates import Item
from .cursor import Cursor

ENDINGS = {"sql": (".sql",), "python": (".py",), "notebook": (".ipynb",), "use": (".mlspec",)}


def items(analysis: Analysis, at: Cursor) -> Iterable[Item]:
    """Every item replaces all that stands in the quotes before the cursor, but in a query, where it is a word."""
    if at.in_query:
        return _of_query(analysis, at)
    word = _word_before(at)
    if word == "python":
        return (*_files(analysis, at, ENDINGS["python"]), *_attributes(analysis, at))
    if word in ENDINGS:
        return _files(analysis, at, ENDINGS[word])
    if word in RECIPES and RECIPES[word].source and not at.in_body:
        endings = RECIPES[word].endings
        return _folders(analysis, at) if word == "folder" else _files(analysis, at, endings)
    return _values(analysis, at)


def _word_before(at: Cursor) -> str:
    tokens = at.line if at.in_body else at.before
    if not tokens:
        return ""
    return "use" if tokens[-1].kind == "USE" else tokens[-1].text


# --- files ------------------------------------------------------------------------------------------------------------


def _files(analysis: Analysis, at: Cursor, endings: Iterable[str]) -> Iterator[Item]:
    endings = tuple(endings)
    packed = tuple(f"{ending}{packing}" for ending in endings for packing in (".gz", ".zip"))
    own = analysis.path.rpartition("/")[2]
    for name in analysis.files.names():
        if name.lower().endswith((*endings, *packed)) and name != own:
            yield Item(name, "file", "", "", f"{name}:" if name.endswith(".py") else name, rank=2)


def _folders(analysis: Analysis, at: Cursor) -> Iterator[Item]:
    folders = {name.rpartition("/")[0] for name in analysis.files.names()}
    yield from (Item(name, "folder") for name in sorted(folders - {""}))


# --- functions and classes --------------------------------------------------------------------------------------------


def _attributes(analysis: Analysis, at: Cursor) -> Iterator[Item]:
    place, colon, _ = (at.quoted or "").partition(":")
    if not colon:
        yield from _modules(place)
    elif place.endswith(".py"):
        yield from _functions(analysis, place)
    else:
        for name in sorted(installed.names_of(place) or ()):
            if not name.startswith("_") and name[:1].isupper():
                kind = installed.estimator_kind(f"{place}:{name}")
                yield Item(f"{place}:{name}", "function", kind, rank=2 if kind else 7)


def _functions(analysis: Analysis, place: str) -> Iterator[Item]:
    text = analysis.files.text(place)
    try:
        binds = module_of(place, text).binds if text is not None else {}
    except (Broken, RecursionError):
        return
    for name, bound in binds.items():
        if not name.startswith("_") and hasattr(bound[-1], "body") and not isinstance(bound[-1], Imported):
            yield Item(f"{place}:{name}", "function", rank=1)


PACKAGES = ("sklearn", "xgboost", "lightgbm", "catboost")


def _modules(place: str) -> Iterator[Item]:
    """Packages that are known to hold estimators, then the modules within one."""
    if "." not in place:
        yield from (Item(name, "module", "", "", f"{name}.", rank=4) for name in PACKAGES if installed.names_of(name))
        return
    parent = place.rpartition(".")[0]
    for name in sorted(installed.names_of(parent) or ()):
        if not name.startswith("_") and name.islower() and installed.names_of(f"{parent}.{name}"):
            yield Item(f"{parent}.{name}", "module", "", "", f"{parent}.{name}:", rank=4)


# --- values -----------------------------------------------------------------------------------------------------------


def _values(analysis: Analysis, at: Cursor) -> Iterator[Item]:
    """`predict .churn == "…"`, `expect .plan in "…"`: what the column's type allows; else an argument's choices."""
    column = next((token.text[1:].strip('"') for token in reversed(at.line) if token.kind == "COLUMN"), "")
    is_predict = bool(at.line) and at.line[0].kind == "PREDICT"
    data = candidates.fed_data(at, analysis) if is_predict else (at.header.names or ("",))[0]
    found = next((c for c in analysis.columns(data) if c.name == column), None)
    for value in found.type.values if found else ():
        yield Item(value, "value")
    name = at.line[-2].text if len(at.line) > 1 else ""
    known = candidates.argument(at, name)
    yield from (Item(choice, "value") for choice in (known.choices if known else ()))


# --- queries ----------------------------------------------------------------------------------------------------------

SQL_WORDS = (
    "select", "from", "where", "group by", "order by", "having", "join", "left join", "on", "using", "as", "and", "or",
    "not", "in", "is null", "is not null", "case when", "then", "else", "end", "with", "distinct", "limit", "union all",
    "count(*)", "sum", "avg", "min", "max", "coalesce", "cast", "group by all", "exclude", "over", "partition by",
)  # fmt: skip
ALIAS = re.compile(r'(\w+|"[^"]*")\.\w*\Z')
WANTS_TABLE = re.compile(r"\b(?:from|join)\s+\w*\Z", re.I)
PARAM = re.compile(r"\$\w*\Z")


def _of_query(analysis: Analysis, at: Cursor) -> Iterator[Item]:
    before = at.quoted or ""
    tables = {(one.alias or one.name.rpartition(".")[2]): one.name for one in at.header.inputs}
    if PARAM.search(before):
        yield from (Item(item.label, "param", item.detail, item.doc) for item in candidates.params(analysis))
        yield from (Item(name, "argument") for name in sorted(at.given))
        return
    if (dotted := ALIAS.search(before)) is not None:
        name = queries.artifact(dotted[1].strip('"'), at.header.place or before, tables)
        yield from _columns(analysis, name)
        return
    yield from (Item(name, "table", "input", rank=1 if WANTS_TABLE.search(before) else 4) for name in tables)
    if not WANTS_TABLE.search(before):
        for name in tables.values():
            yield from _columns(analysis, name)
        yield from (Item(word, "keyword", rank=8) for word in SQL_WORDS)


def _columns(analysis: Analysis, name: str) -> Iterator[Item]:
    return candidates.columns(analysis.columns(name), name)
