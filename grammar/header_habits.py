"""Habits in the header of a block: words left out, signs too many, places without quotes."""

from __future__ import annotations

import re

from .diagnostic import Diagnostic
from .kinds import RECIPES, SOURCES
from .misfit import Misfit
from .source import Span
from .wording import shown

KINDS = ("DATA", "MODEL", "SERVICE")


def param(at: Misfit) -> Diagnostic | None:
    """`country = "CH"` outside of a block."""
    if at.start != "statement" or at.index or at.kind(0) != "NAME" or at.kind(1) not in ("_ASSIGN", "_COLON"):
        return None
    fix = at.put(0, 0, "param ")
    facts = {"what": "a statement", "found": shown(at.token.text)}
    help_ = f"a value for the whole spec is a param: param {shown(at.text(0))} {shown(at.text(1))} …".replace(" :", ":")
    return Diagnostic("E011", at.span, facts, help=help_, fix=fix) if fix else None


def quote_within(at: Misfit) -> Diagnostic | None:
    """`by sql "… where town = "Bern""`: the text ends where another begins."""
    if at.before is None or at.before.kind != "STRING" or not at.touches(at.index) or at.token.kind not in WITHIN:
        return None
    is_query = at.text(at.index - 2) == "sql"
    word = shown(at.token.text.strip('"') or "Bern")
    help_ = f"in a query a text has single quotes: '{word}'" if is_query else 'within a text a quote is written \\"'
    return at.does_not_fit(f"the text ends at the quote before it; {help_}")


WITHIN = ("NAME", "STRING", "NUMBER", "DATE", "TIME", "COLUMN")


def source_left_out(at: Misfit) -> Diagnostic | None:
    """`from "customers.csv"`: the ending tells what it is."""
    if at.token.kind != "STRING" or at.before is None or at.before.kind not in ("FROM", "BY", "_COMMA"):
        return None
    place = at.token.text.strip('"').lower()
    by = at.before.kind == "BY"
    endings = {".sql": "sql", ".py": "python", ".ipynb": "notebook"} if by else _endings()
    word = next((word for ending, word in endings.items() if place.partition(":")[0].endswith(ending)), "")
    if not word:
        return None
    help_ = f"say what it is: {at.before.text} {word} {shown(at.token.text)}"
    return at.told_with(help_, at.put(at.index, at.index, f" {word}"))


def _endings() -> dict[str, str]:
    return {ending: source.word for source in SOURCES.values() for ending in source.endings}


def semicolon(at: Misfit) -> Diagnostic | None:
    """`data a from csv "a.csv";`"""
    if at.token.text != ";" or at.start != "statement" or at.index < len(at.tokens) - 1:
        return None
    return at.told_with("a statement ends with its line", at.put(at.index, at.index + 1, ""))


def colon_for_body(at: Misfit) -> Diagnostic | None:
    """`data a from csv "a.csv":`"""
    if at.token.kind != "_COLON" or at.start != "statement" or "$END" not in at.expected:
        return None
    if at.index < len(at.tokens) - 1:
        return None
    help_ = "a body stands between { and }; without one, the header ends with its line"
    return at.told_with(help_, at.put(at.index, at.index + 1, ""))


def called(at: Misfit) -> Diagnostic | None:
    """`data a = csv("a.csv")`, `from csv("a.csv")`."""
    if at.token.kind == "LPAREN" and at.before is not None and at.before.kind == "NAME" and at.start == "statement":
        inner = at.tokens[at.index + 1 : at.index + 3]
        fix = None
        if len(inner) == 2 and inner[0].kind == "STRING" and inner[1].kind == "RPAREN":
            fix = at.put(at.index, at.index + 3, f" {inner[0].text}")
        return at.does_not_fit(f'a place stands behind its word: {at.before.text} "…"', fix)
    if at.token.kind == "_ASSIGN" and at.start == "statement" and at.kind(0) in ("DATA", "MODEL", "SERVICE"):
        return at.does_not_fit('what it is made from stands after from, and how after by: data a from csv "a.csv"')
    return None


def unquoted_place(at: Misfit) -> Diagnostic | None:
    """`by python sklearn.ensemble:Forest`, `from csv data/people.csv`."""
    if at.start != "statement" or at.at_end():
        return None
    first, end = at.index, at.index + 1
    while first > 1 and at.touches(first):
        first -= 1
    while at.touches(end) and at.kind(end) != "_LBRACE":
        end += 1
    place = "".join(token.text for token in at.tokens[first:end])
    if at.kind(first - 1) != "NAME" or not re.fullmatch(r"[\w./:-]*[./:][\w./:-]*", place):
        return None
    return at.told_with(f'a place is quoted: "{shown(place)}"', at.put(first, end, f' "{place}"'))


def names_apart(at: Misfit) -> Diagnostic | None:
    """`data train | test from a`, `data train & test from a`."""
    i = at.index
    if at.start != "statement" or at.kind(0) not in KINDS or at.text(i) not in ("|", "+", "&", "/", ";", ":"):
        return None
    return at.told_with("a comma stands between names", at.put(i, i + 1, ","))


def word_before(at: Misfit) -> Diagnostic | None:
    """`let data a from b`, `- data a from b`: it is sound from its second word on."""
    if at.start != "statement" or at.index > 1 or at.kind(1) not in ("DATA", "MODEL", "SERVICE", "PARAM", "USE", "ENV"):
        return None
    fix = at.put(0, 1, "")
    span = Span(at.path, at.tokens[0].start, at.tokens[0].end)
    facts = {"what": "a statement", "found": shown(at.text(0))}
    return Diagnostic("E011", span, facts, help=f"nothing stands before {at.text(1)}", fix=fix) if fix else None


def other_clause(at: Misfit) -> Diagnostic | None:
    """`from a with python "…"`, `from a join b`, `from a and b`, `model m on a`."""
    i = at.index
    if at.start != "statement" or at.kind(0) not in KINDS:
        return None
    if at.text(i - 1) in ("with", "using", "via", "through", "as"):
        return at.told_with("how it is made stands after by", at.put(i - 1, i, " by"))
    if at.text(i - 1) == "join" or at.token.kind == "AND":
        first = i if at.token.kind == "AND" else i - 1
        return at.told_with("a comma stands between what goes in", at.put(first, first + 1, ","))
    if "FROM" in at.expected and at.text(i) in ("on", "of", "in", "using"):
        return at.told_with("what it is made from stands after from", at.put(i, i + 1, " from"))
    return _clause_word_left_out(at)


def _clause_word_left_out(at: Misfit) -> Diagnostic | None:
    """`data a csv "a.csv"`, `data b from a sql "…"`."""
    i = at.index
    for start, word in ((i, at.text(i)), (i - 1, at.text(i - 1))):
        recipe = RECIPES.get(word)
        if recipe is not None and start > 1:
            clause = "from" if recipe.source else "by"
            help_ = f"{clause} stands before {word}"
            return at.told_with(help_, at.put(start, start, f" {clause}"))
    return None


def by_before_from(at: Misfit) -> Diagnostic | None:
    """`model m by python "…" from a`."""
    by = next((i for i, token in enumerate(at.tokens[: at.index]) if token.kind == "BY"), 0)
    if at.token.kind != "FROM" or at.start != "statement" or not by:
        return None
    end = next((i for i in range(at.index, len(at.tokens)) if at.kind(i) == "_LBRACE"), len(at.tokens))
    right = f" {at.between(at.index, end).strip()} {at.between(by, at.index).strip()}"
    return at.does_not_fit("from stands before by: data name from inputs by recipe", at.put(by, end, right))


def prefix(at: Misfit) -> Diagnostic | None:
    """`sql f"select …"`."""
    i = at.index
    if (
        at.token.kind not in ("STRING", "TEXT")
        or not at.touches(i)
        or at.text(i - 1).lower() not in ("f", "r", "b", "u")
    ):
        return None
    return at.told_with("nothing stands before the quotes", at.put(i - 1, i + 1, f" {at.token.text}"))


def env_or_use(at: Misfit) -> Diagnostic | None:
    """`env prod {`, `use "churn.mlspec"`, `use churn as c`, `use "x" as x with a = 1`."""
    i, word = at.index, at.text(0)
    if at.start != "statement" or word not in ("env", "use", "secret", "param"):
        return None
    if word == "env" and i == 2:
        colon = at.token.kind == "_COLON"
        return at.told_with(
            "say on what it runs: on local", at.put(2, 3 if colon else 2, " on" if colon else " on local")
        )
    if word == "use" and i == 1 and at.token.kind == "NAME":
        return at.told_with(
            f'a used spec is a quoted file: "{at.text(1)}.mlspec"', at.put(1, 2, f' "{at.text(1)}.mlspec"')
        )
    if word == "use" and i == 2:
        name = re.split(r"[/\\]", at.text(1).strip('"'))[-1].partition(".")[0]
        return at.told_with(f"give it a name: as {name}", at.put(2, 2, f" as {name}")) if name.isidentifier() else None
    if word == "use" and at.text(i) == "with":
        right = f" {{ {at.between(i + 1, len(at.tokens)).strip()} }}".replace(",", ";")
        return at.told_with("what it is given stands in { }", at.put(i, len(at.tokens), right))
    return _value_of(at)


def _value_of(at: Misfit) -> Diagnostic | None:
    """`secret token = "abc"`, `param country: text default "CH"`."""
    i = at.index
    if at.text(0) == "secret" and at.token.kind in ("_ASSIGN", "_COLON"):
        help_ = "a secret has no value here; it is read where a step runs"
        return at.told_with(help_, at.put(i, len(at.tokens), ""))
    if at.text(0) == "param" and at.text(i) in ("default", "is"):
        return at.told_with("a value stands after =", at.put(i, i + 1, " ="))
    return None


RULES = (
    word_before,
    names_apart,
    param,
    quote_within,
    source_left_out,
    semicolon,
    colon_for_body,
    called,
    unquoted_place,
    other_clause,
    by_before_from,
    prefix,
    env_or_use,
)
