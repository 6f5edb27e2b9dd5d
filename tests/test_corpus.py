"""Every bad spec is told on the line that says so (`#! E008`), in the words of the golden beside it; every good one is not.

`MLSPEC_GOLDEN=write` rewrites the goldens, to be read in the diff.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from mlspec.compiler.load import InMemory
from mlspec.compiler.mend import mend
from mlspec.compiler.pipeline import compile_text
from mlspec.compiler.types import Column, Type
from mlspec.grammar.codes import CODES
from mlspec.grammar.diagnostic import Diagnostic
from mlspec.grammar.parse import parse
from mlspec.grammar.render import render_all
from mlspec.grammar.repair import repaired, without_overlap
from mlspec.grammar.source import Source
from mlspec.grammar.table import table
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


def _notebook(*cells: tuple[str, str]) -> str:
    """Of the tag and the source of each cell."""
    whole = [{"cell_type": "code", "source": source, "metadata": {"tags": [tag]}} for tag, source in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": whole})


FORMS = """
import re
from dataclasses import dataclass

def listed(people: list):
    return people

def counted(people) -> int:
    return len(people)

@dataclass
class Request:
    wanted: re.Pattern

def asked(request: Request):
    return {}

def answer(request: dict):
    return {}

def silent(question):
    return {}

class Answer:
    def answer(self, request):
        return {}
"""
FILES = InMemory(
    {"steps.py": "def clean(people, least):\n    return people\n\n\ndef lift(y_true, y_pred, spend):\n    return 1\n",
     "m.py": "def fit(a, **options):\n    return a\n",
     "typed.py": "from typing import Literal\n\nimport pandas as pd\n\n\n"
     "def fit(people: pd.DataFrame, trees: int = 3, mode: Literal['fast', 'slow'] = 'fast', names: list[str] = ()):\n"
     "    return object()\n\n\ndef two(people) -> tuple[pd.DataFrame, pd.DataFrame]:\n    return people, people\n\n\n"
     "def starred(*frames):\n    return frames[0]\n\n\ndef plain(people, depth=3):\n    return people\n\n\n"
     "class Own:\n    def __init__(self, **options): ...\n    def fit(self, X, y): ...\n    def predict(self, X): ...\n",
     "models.py": "import pandas as pd\n\nANSWER = 42\n\n\nclass Question:\n    pass\n\n\n"
     "class Unfitted:\n    def predict(self, X): ...\n\n\nclass Unasked:\n    def fit(self, X, y): ...\n\n\n"
     "def framed(people: pd.Datframe):\n    return people\n\n\ndef asked(request: Questoin):\n    return {}\n",
     "given.py": "def ridge(strength):\n    return object()\n",
     "scaled.py": "from sklearn.preprocessing import StandardScaler\n\n\ndef scaled(people):\n"
     "    people['age'] = StandardScaler().fit_transform(people[['age']])\n    return people\n",
     "dated.py": "from datetime import datetime\n\n\ndef later(people, since='2024-01-01'):\n    return people\n\n\n"
     "def at(people, when: datetime):\n    return people\n",
     "forms.py": FORMS, "request.json": "[1", "wrong.sql": "select idd from people", "right.sql": "select * from people",
     "clean.ipynb": _notebook(("parameters", "least = 1"), ("", "chosen = people[people.age > least]")),
     "broken.ipynb": _notebook(("", "import pandas as pd\n%matplotlib inline"), ("", "chosen = people.dropna(")),
     "in_r.ipynb": '{"nbformat": 4, "cells": [], "metadata": {"kernelspec": {"language": "R"}}}',
     "merged.ipynb": "<<<<<<< ours\n{}\n=======\n{}\n>>>>>>> theirs\n",
     "plain.mlspec": 'data raw from csv "people.csv"\n',
     "used.mlspec": 'param town: text\nparam least: int = 1\nsecret token\n'
     'data raw from csv "people.csv"\ndata chosen from raw by sql "select * from raw where town = $town"\n',
     "mlspec.lock": 'E308_another_type.mlspec people {"files": {}, "columns": {"age": "int"}}\n'},
    {**dict.fromkeys(("a.csv", "b.csv", "c.csv", "data/a.csv"), _columns(id="int", name="text", a="float", b="float", y="float")),
     "people.csv": _columns(id="int", name="text", age="float", joined="date", left="bool", town="text"),
     "data/people.csv": _columns(id="int", age="float"),
     "odd.csv": (Column(name="first-name", type=Type(base="text")), Column(name="family name", type=Type(base="text"))),
     "towns.csv": _columns(town="text", size="int"),
     "shop.db": _columns(id="int", amount="float")},
)  # fmt: skip


def diagnose(path: Path, text: str | None = None) -> tuple[Mapping[str, Source], list[Diagnostic]]:
    """What is told of a spec, or of another text in its place. What the good ones read is not told of here."""
    judge: Judge = whole if path.parent.name == "bad" else syntax
    return judge(path.name, read(path) if text is None else text)


def read(path: Path) -> str:
    return path.read_bytes().decode()


def told(sources: Mapping[str, Source], diagnostics: list[Diagnostic]) -> list[tuple[int, str]]:
    return sorted((sources[d.span.path].position(d.span.start)[0], d.code) for d in diagnostics)


def wanted(text: str) -> list[tuple[int, str]]:
    marks = [(n, re.search(r"#! ([EW\d ]+)$", line)) for n, line in enumerate(text.split("\n"), 1)]
    return sorted((n, code) for n, mark in marks if mark for code in mark[1].split())


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_spec_is_told_where_it_says_so(path: Path) -> None:
    text = read(path)
    assert told(*diagnose(path)) == wanted(text)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_what_people_read_is_the_golden(path: Path) -> None:
    sources, diagnostics = diagnose(path)
    rendered, golden = render_all(diagnostics, sources), path.with_suffix(".txt")
    if os.environ.get("MLSPEC_GOLDEN") == "write":
        golden.write_bytes(rendered.encode())
    assert read(golden) == rendered


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_each_fix_leaves_no_error_at_its_place_and_brings_none(path: Path) -> None:
    text = read(path)
    sources, before = diagnose(path)
    for one in before:
        if one.fix is None or one.fix.span.path != path.name:
            continue
        after = diagnose(path, repaired(text, [one.fix]))
        place = (sources[path.name].position(one.span.start)[0], one.code)
        assert told(*after).count(place) == told(sources, before).count(place) - 1
        assert len(after[1]) == len(before) - 1, one


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_all_fixes_together_leave_none_of_what_they_fix(path: Path) -> None:
    text = read(path)
    before = diagnose(path)[1]
    fixed = [one for one in without_overlap(before) if one.fix and one.fix.span.path == path.name]
    after = diagnose(path, repaired(text, [one.fix for one in fixed if one.fix]))[1]
    assert len(after) == len(before) - len(fixed)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_mending_leaves_what_no_fix_is_offered_for(path: Path) -> None:
    before = diagnose(path)[1]
    mended = mend(path.name, read(path), FILES, targets())
    assert len(mended.compiled.diagnostics) == sum(one.fix is None for one in before)
    assert bool(mended.after) == any(one.fix for one in before)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_spec_is_not_told(path: Path) -> None:
    assert diagnose(path)[1] == []


def test_every_code_has_a_bad_spec() -> None:
    seen_in_the_data = {code for code in CODES if code.startswith("W2")}  # see test_warnings.py
    assert {path.name.partition("_")[0] for path in BAD} == set(CODES) - MADE_BY_A_TEST - seen_in_the_data
    assert len(BAD) >= 150


def test_every_golden_has_its_spec() -> None:
    assert [p for p in CORPUS.glob("bad/*.txt") if not p.with_suffix(".mlspec").exists()] == []


def test_no_message_speaks_of_tokens() -> None:
    kinds = {kind for row in table().states.values() for kind in row}
    for path in BAD:
        spoken = set(re.findall(r"\b_?[A-Z]{3,}(?:_[A-Z]+)*\b|\$END|\bNone\b|\bNAME\b", read(path.with_suffix(".txt"))))
        assert {word for word in spoken & {*kinds, "None"} if word not in read(path)} == set(), path.name
