"""Writes what the docs take from the code: docs/errors.md, and the tables between markers in docs/language.md.

`python docs/generate.py` writes; tests/test_docs.py fails while a page says something else than the code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from mlspec.cli.page import titled
from mlspec.grammar.codes import CHAPTERS, CODES, Code, chapter
from mlspec.grammar.kinds import (
    DATA_FUNCTIONS,
    KINDS,
    LINES,
    METRICS,
    RECIPES,
    SERVICE_FACTS,
    SOURCES,
    UNITS,
    Argument,
    Recipe,
)

DOCS = Path(__file__).parent


def main() -> None:
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


def pages() -> dict[Path, str]:
    """Every generated page and what it should hold."""
    language = DOCS / "language.md"
    return {
        DOCS / "errors.md": errors(),
        language: filled(language.read_text(encoding="utf-8")),
    }


def filled(text: str) -> str:
    """A page with each part between `<!-- generated: NAME -->` and `<!-- end -->` written anew."""

    def part(found: re.Match[str]) -> str:
        return f"<!-- generated: {found[1]} -->\n{TABLES[found[1]]()}\n<!-- end -->"

    return re.sub(r"<!-- generated: (\w+) -->\n.*?<!-- end -->", part, text, flags=re.DOTALL)


# --- tables ---------------------------------------------------------------------------------------------------


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _kinds() -> str:
    return table(["kind", "the question it answers"], ([f"`{name}`", doc] for name, doc in KINDS.items()))


def _lines() -> str:
    rows = ([f"`{line.form}`", _listed(line.kinds), line.doc] for line in LINES.values())
    return table(["line", "in", "means"], rows)


def _sources() -> str:
    return "\n\n".join(_recipe(recipe) for recipe in SOURCES.values())


def _recipes() -> str:
    return "\n\n".join(_recipe(recipe) for word, recipe in RECIPES.items() if word not in SOURCES)


def _recipe(recipe: Recipe) -> str:
    endings = f" Endings: {_listed(recipe.endings)}." if recipe.endings else ""
    text = f"**{recipe.word}** ({_listed(recipe.makes)}): {recipe.doc}{endings}"
    return f"{text}\n\n{_arguments(recipe.arguments)}" if recipe.arguments else text


def _needs() -> str:
    return _arguments(LINES["needs"].options)


def _arguments(arguments: Iterable[Argument]) -> str:
    rows = ([f"`{one.name}`", one.takes, _default(one.default), one.doc] for one in arguments)
    return table(["argument", "takes", "if unsaid", "means"], rows)


def _functions() -> str:
    rows = [[f"`{one.name}`", one.column, one.gives, one.doc] for one in DATA_FUNCTIONS.values()]
    return table(["function", "of a column", "gives", "means"], rows)


def _services() -> str:
    return table(["fact", "is a", "means"], ([f"`.{n}`", kind, doc] for n, (kind, doc) in SERVICE_FACTS.items()))


def _metrics() -> str:
    rows = ([f"`{one.name}`", one.task, one.needs, one.doc + " A table." * one.table] for one in METRICS.values())
    return table(["metric", "for a", "needs", "means"], rows)


def _units() -> str:
    of = {d: [name for name, unit in UNITS.items() if unit.dimension == d] for d in ("size", "time", "share")}
    return table(["quantity", "units"], ([dimension, _listed(names)] for dimension, names in of.items()))


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _default(value: object) -> str:
    if value is None:
        return ""
    written = {True: "true", False: "false"}[value] if isinstance(value, bool) else value
    return f'`"{value}"`' if isinstance(value, str) else '`[""]`' if isinstance(value, tuple) else f"`{written}`"


TABLES: dict[str, Callable[[], str]] = {
    "kinds": _kinds, "lines": _lines, "needs": _needs, "sources": _sources, "recipes": _recipes,
    "functions": _functions, "services": _services, "metrics": _metrics, "units": _units,
}  # fmt: skip


# --- errors ---------------------------------------------------------------------------------------------------


def errors() -> str:
    head = "# Errors\n\nWritten by `docs/generate.py` from `grammar/codes.py`. `mlspec explain CODE` tells the same.\n"
    parts = [head]
    for title in CHAPTERS.values():
        codes = [code for code in CODES.values() if chapter(code) == title]
        if codes:
            parts += [f"## {title}\n", *map(_error, codes)]
    return "\n".join(parts)


def _error(code: Code) -> str:
    text = f"### {code.id}: {titled(code)}\n\n{code.why}\n"
    for word, spec in (("Wrong", code.wrong), ("Right", code.right)):
        if spec:
            text += f"\n{word}:\n\n```\n{spec.rstrip()}\n```\n"
    return text


if __name__ == "__main__":
    main()
