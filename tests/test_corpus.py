"""Every bad spec is told on the line that says so (`#! E008`), in the words of the golden beside it; every good one is not.

`MLSPEC_GOLDEN=write` rewrites the goldens, to be read in the diff.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from mlspec.compiler.load import InMemory
from mlspec.compiler.pipeline import compile_text
from mlspec.compiler.types import Column, Type
from mlspec.grammar.codes import CODES
from mlspec.grammar.diagnostic import Diagnostic, Fix
from mlspec.grammar.parse import parse
from mlspec.grammar.render import render_all
from mlspec.grammar.source import Source
from mlspec.runtimes.targets import targets

CORPUS = Path(__file__).with_name("corpus")
GOOD = sorted(CORPUS.glob("good/*.mlspec"))
BAD = sorted(CORPUS.glob("bad/*.mlspec"))
MADE_BY_A_TEST = {"E001"}  # five megabytes: see test_parse.py

Judge = Callable[[str, str], tuple[Mapping[str, Source], list[Diagnostic]]]


def syntax(path: str, text: str) -> tuple[Mapping[str, Source], list[Diagnostic]]:
    source = Source(path, text)
    return {path: source}, list(parse(source).diagnostics)


def whole(path: str, text: str) -> tuple[Mapping[str, Source], list[Diagnostic]]:
    """By the whole compiler. The files that the specs name are told of here: none needs to be there."""
    compiled = compile_text(path, text, FILES, targets())
    return compiled.sources, list(compiled.diagnostics)


def _columns(**types: str) -> tuple[Column, ...]:
    return tuple(Column(name=name, type=Type.model_validate({"base": base})) for name, base in types.items())


FILES = InMemory(
    {"steps.py": "def clean(people, least):\n    return people\n\n\ndef lift(y_true, y_pred, spend):\n    return 1\n",
     "wrong.sql": "select idd from people",
     "used.mlspec": 'param town: text\nparam least: int = 1\nsecret token\n'
     'data raw from csv "people.csv"\ndata chosen from raw by sql "select * from raw where town = $town"\n',
     "mlspec.lock": 'E308_another_type.mlspec people {"files": {}, "columns": {"age": "int"}}\n'},
    {"people.csv": _columns(id="int", name="text", age="float", joined="date", left="bool", town="text"),
     "towns.csv": _columns(town="text", size="int")},
)  # fmt: skip


# Who knows the mistakes of a bad spec, by how its name begins. A judge of the compiler's mistakes is one line more.
JUDGES: dict[str, Judge] = {"E0": syntax, **{f"E{n}": whole for n in range(1, 10)}}
JUDGED = [path for path in BAD if path.name[:2] in JUDGES]


def diagnose(path: Path, text: str | None = None) -> tuple[Mapping[str, Source], list[Diagnostic]]:
    """What is told of a spec, or of another text in its place."""
    return JUDGES.get(path.name[:2], syntax)(path.name, read(path) if text is None else text)


def read(path: Path) -> str:
    return path.read_bytes().decode()


def told(sources: Mapping[str, Source], diagnostics: list[Diagnostic]) -> list[tuple[int, str]]:
    return sorted((sources[d.span.path].position(d.span.start)[0], d.code) for d in diagnostics)


def wanted(text: str) -> list[tuple[int, str]]:
    marks = [(n, re.search(r"#! ([EW\d ]+)$", line)) for n, line in enumerate(text.split("\n"), 1)]
    return sorted((n, code) for n, mark in marks if mark for code in mark[1].split())


def repaired(text: str, fixes: list[Fix]) -> str:
    for fix in sorted(fixes, key=lambda fix: fix.span.start, reverse=True):
        text = text[: fix.span.start] + fix.text + text[fix.span.end :]
    return text


@pytest.mark.parametrize("path", JUDGED, ids=lambda path: path.stem)
def test_a_bad_spec_is_told_where_it_says_so(path: Path) -> None:
    text = read(path)
    assert told(*diagnose(path)) == wanted(text)


@pytest.mark.parametrize("path", JUDGED, ids=lambda path: path.stem)
def test_what_people_read_is_the_golden(path: Path) -> None:
    sources, diagnostics = diagnose(path)
    rendered, golden = render_all(diagnostics, sources), path.with_suffix(".txt")
    if os.environ.get("MLSPEC_GOLDEN") == "write":
        golden.write_bytes(rendered.encode())
    assert read(golden) == rendered


@pytest.mark.parametrize("path", JUDGED, ids=lambda path: path.stem)
def test_each_fix_leaves_no_error_at_its_place(path: Path) -> None:
    text = read(path)
    before = diagnose(path)
    for diagnostic in before[1]:
        if diagnostic.fix is None:
            continue
        after = diagnose(path, repaired(text, [diagnostic.fix]))
        place = (before[0][path.name].position(diagnostic.span.start)[0], diagnostic.code)
        assert told(*after).count(place) == told(*before).count(place) - 1
        assert len(after[1]) == len(before[1]) - 1, diagnostic


@pytest.mark.parametrize("path", JUDGED, ids=lambda path: path.stem)
def test_all_fixes_together_leave_none_of_what_they_fix(path: Path) -> None:
    text = read(path)
    diagnostics = diagnose(path)[1]
    fixes = [diagnostic.fix for diagnostic in diagnostics if diagnostic.fix]
    assert len(diagnose(path, repaired(text, fixes))[1]) == len(diagnostics) - len(fixes)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_spec_is_not_told(path: Path) -> None:
    assert diagnose(path)[1] == []


def test_every_syntax_error_has_a_bad_spec() -> None:
    codes = {code for code in CODES if code.startswith("E0")}
    assert {path.name[:4] for path in BAD if path.name.startswith("E0")} == codes - MADE_BY_A_TEST


def test_every_golden_has_its_spec() -> None:
    assert [p for p in CORPUS.glob("bad/*.txt") if not p.with_suffix(".mlspec").exists()] == []


@pytest.mark.parametrize("code", [code for code in CODES.values() if code.wrong and code.id.startswith("E0")], ids=str)
def test_the_examples_that_explain_shows_are_true(code: object) -> None:
    told_of_wrong = {d.code for d in syntax("wrong", code.wrong)[1]}  # type: ignore[attr-defined]
    assert told_of_wrong == {code.id}  # type: ignore[attr-defined]
    assert syntax("right", code.right)[1] == []  # type: ignore[attr-defined]


def test_no_message_speaks_of_tokens() -> None:
    for path in JUDGED:
        text = read(path.with_suffix(".txt"))
        assert not re.search(r"\b(?:_?[A-Z]{4,}(?:_[A-Z]+)*|\$END|None|token)\b", text.replace("GiB", "")), path.name
