"""What is being written -> what may be written there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ..grammar.codes import CODES
from ..grammar.kinds import KINDS, LINES, RECIPES, SERVICE_FACTS, UNITS
from ..grammar.render import title
from ..grammar.tokens import Token
from . import candidates, completion_body, completion_quoted
from .analysis import Analysis
from .candidates import Item
from .cursor import Cursor, cursor


def complete(analysis: Analysis, text: str, offset: int) -> tuple[Cursor, list[Item]]:
    """`text` is what the editor has now; the analysis may be of a text before it."""
    at = cursor(text, offset)
    return at, _unique(_items(analysis, text, at))


def _items(analysis: Analysis, text: str, at: Cursor) -> Iterable[Item]:
    if at.comment:
        return _known_warnings(analysis, text, at)
    if at.quoted is not None and (at.query or not at.dotted):
        return completion_quoted.items(analysis, at)
    if at.word[:1].isdigit():
        return units(at)
    if at.in_body:
        return completion_body.items(analysis, at)
    return _of_header(analysis, at)


def _unique(items: Iterable[Item]) -> list[Item]:
    seen = {(item.label, item.sort): item for item in items}
    return list(seen.values())


def _known_warnings(analysis: Analysis, text: str, at: Cursor) -> Iterator[Item]:
    """`# ok: `: the warnings that are told now."""
    if KNOWN.search(text, text.rfind("\n", 0, at.start) + 1, at.start) is None:
        return
    for one in analysis.compiled.diagnostics:
        if CODES[one.code].severity == "warning":
            yield Item(one.code, "value", title(one), CODES[one.code].why)


KNOWN = re.compile(r"#\s*ok:?(?:[\s,]+W\d{3})*[\s,]*\Z")


def units(at: Cursor) -> Iterator[Item]:
    """`8Gi`: the units that may follow a number, those of what it is held against."""
    digits = at.word[: next((i for i, c in enumerate(at.word) if not (c.isdigit() or c == "_")), len(at.word))]
    wanted = _dimension(at)
    for unit, known in UNITS.items():
        if wanted in ("", known.dimension):
            yield Item(f"{digits}{unit}", "unit", known.dimension)


def _dimension(at: Cursor) -> str:
    for token in reversed(at.line):
        word = token.text.lstrip(".")
        if at.header.kind == "service" and word in SERVICE_FACTS:
            return SERVICE_FACTS[word][0]
        option = next((one for one in LINES["needs"].options if one.name == word and at.line[0].kind == "NEEDS"), None)
        if option is not None and option.takes in ("size", "time"):
            return option.takes
    return "share" if at.header.recipe == "split" else ""


# --- between statements ---------------------------------------------------------------------------------------------

STATEMENTS = {
    "param": ("A value that can be given from outside.", 'param ${1:name}: ${2:text} = ${3:"value"}'),
    "secret": ("Read where a step runs; kept in no plan, log or key.", "secret ${1:name}"),
    "use": ("Another spec's names under a name of yours.", 'use "${1:other.mlspec}" as ${2:name}'),
    "env": ("Where it runs, and what is set otherwise there.", "env ${1:prod} on ${2:local} {\n  $0\n}"),
}
FRAMES = (
    ("data from a file", 'data ${1:name} from csv "${2:data.csv}" {\n  $0\n}'),
    ("data by a query", 'data ${1:name} from ${2:input} by sql """\n  select $0\n  from ${2:input}\n"""'),
    ("data by a split", "data ${1:train}, ${2:test} from ${3:input} by split {\n  ${2:test} = ${4:20%}\n}"),
    (
        "model of scikit-learn",
        'model ${1:name} from ${2:train} by python "${3:sklearn.ensemble:HistGradientBoostingClassifier}" {\n'
        "  predict .${4:target}\n  measure ${5:accuracy} on ${6:test}\n}",
    ),
    ("service over http", "service ${1:name} from ${2:model} by http"),
)


def _statements() -> Iterator[Item]:
    for kind, doc in KINDS.items():
        yield Item(kind, "kind", "", doc, f"{kind} ", rank=1)
    for word, (doc, snippet) in STATEMENTS.items():
        yield Item(word, "keyword", "", doc, f"{word} ", snippet, rank=2)
    for label, snippet in FRAMES:
        yield Item(label, "snippet", "", "", "", snippet, rank=8)


# --- headers --------------------------------------------------------------------------------------------------------


def _of_header(analysis: Analysis, at: Cursor) -> Iterable[Item]:
    tokens = [token for token in at.before if token.kind != "_NL"]
    match at.header.kind if tokens else "":
        case "data" | "model" | "service":
            return _of_block(analysis, at, tokens)
        case "env":
            return _of_env(analysis, tokens)
        case "use":
            return _of_use(tokens)
        case "param":
            return _of_param(analysis, tokens)
        case _:
            return _statements() if not tokens else ()


def _of_block(analysis: Analysis, at: Cursor, tokens: list[Token]) -> Iterable[Item]:
    part = next((i for i in reversed(range(len(tokens))) if tokens[i].kind in ("FROM", "BY")), None)
    last = tokens[-1]
    if last.kind == "DOT":
        return candidates.attributes(analysis, dotted_name(tokens[:-1]))
    if part is None:
        return () if last.kind in ("_COMMA", "DATA", "MODEL", "SERVICE") else _next(("from", "by"), at)
    if tokens[part].kind == "BY":
        return _recipes(analysis, at) if part == len(tokens) - 1 else _next((), at)
    if last.kind in ("FROM", "_COMMA", "LAST"):
        return _inputs(analysis, at, is_first=last.kind == "FROM")
    return () if last.kind == "_AS" else _behind_input(at, tokens[part + 1 :])


def _next(words: Iterable[str], at: Cursor) -> Iterator[Item]:
    for word in words:
        yield Item(word, "keyword", "", _DOCS.get(word, ""), f"{word} ", rank=3)
    yield Item("{ }", "snippet", "the block's lines", "", "{\n  \n}", "{\n  $0\n}", rank=9)


_DOCS = {"from": "What it is made from.", "by": "How it is made.", "as": "The name that the recipe sees."}


def _inputs(analysis: Analysis, at: Cursor, *, is_first: bool) -> Iterator[Item]:
    yield from candidates.artifacts(analysis, KINDS, at.header.names)
    if is_first and at.header.kind == "data":
        for recipe in RECIPES.values():
            if recipe.source:
                yield Item(
                    recipe.word, "recipe", "source", recipe.doc, f"{recipe.word} ", f'{recipe.word} "${{1}}"', rank=4
                )
    yield Item("last", "keyword", "", "What the name points at now.", "last ", rank=6)


def _behind_input(at: Cursor, tokens: list[Token]) -> Iterator[Item]:
    if candidates.source_word(at):
        return _next((), at)
    return _next(("by", "as") if tokens[-1].kind in ("NAME", "COLUMN") else ("by",), at)


def _recipes(analysis: Analysis, at: Cursor) -> Iterator[Item]:
    for recipe in RECIPES.values():
        if not recipe.source and at.header.kind in recipe.makes:
            snippet = _FORMS.get(recipe.word, f'{recipe.word} "${{1}}"' if recipe.place == "needed" else "")
            yield Item(recipe.word, "recipe", "recipe", recipe.doc, f"{recipe.word} ", snippet, rank=2)
    if at.header.kind == "data":
        yield from candidates.artifacts(analysis, ("model",))


_FORMS = {"sql": 'sql """\n  select ${1:*}\n"""', "split": "split {\n  $0\n}"}


def dotted_name(tokens: Iterable[Token]) -> str:
    """`eu` or `eu.inner` at the end of the tokens."""
    words: list[str] = []
    for token in reversed(list(tokens)):
        words.insert(0, token.text)
        if token.kind != "COLUMN":
            break
    return "".join(words)


def _of_env(analysis: Analysis, tokens: list[Token]) -> Iterator[Item]:
    if tokens[-1].kind == "_ON":
        for target in analysis.targets.values():
            yield Item(target.name, "recipe", "runtime", target.doc)
    elif len(tokens) == 2:
        yield Item("on", "keyword", "", "The runtime.", "on ")


def _of_use(tokens: list[Token]) -> Iterator[Item]:
    if tokens[-1].kind == "STRING":
        yield Item("as", "keyword", "", "What its names are called by here.", "as ")


def _of_param(analysis: Analysis, tokens: list[Token]) -> Iterable[Item]:
    if tokens[-1].kind == "_COLON":
        return completion_body.types()
    return candidates.params(analysis) if tokens[-1].kind == "_ASSIGN" else ()
