"""What `mlspec explain` shows is so: each wrong example is told with its code and nothing else, each right one is not told."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from helpers import Project
from mlspec.cli.page import page
from mlspec.compiler.load import InMemory
from mlspec.compiler.pipeline import Compiled, compile_text
from mlspec.compiler.types import Column, Type
from mlspec.grammar.codes import CHAPTERS, CODES, Code, chapter
from mlspec.grammar.repair import repaired
from mlspec.runtimes.targets import targets

TOLD_BY_A_TEST = {"E001"}  # five megabytes: see test_parse.py


def _columns(**types: str) -> tuple[Column, ...]:
    return tuple(Column(name=name, type=Type.model_validate({"base": base})) for name, base in types.items())


def _cell(*source: str, tags: tuple[str, ...] = ()) -> dict[str, object]:
    return {"cell_type": "code", "source": "\n".join(source), "metadata": {"tags": list(tags)}, "outputs": [],
            "execution_count": None, "id": "abc"}  # fmt: skip


NOTEBOOK = {"cells": [_cell("least = 1", tags=("parameters",)), _cell("b = a[a.x >= least]")], "metadata": {},
            "nbformat": 4, "nbformat_minor": 5}  # fmt: skip
FUNCTIONS = """
import pandas as pd

def fit(train, depth=3):
    return object()

def clean(a, least):
    return a

def listed(a: list):
    return a

def counted(a) -> int:
    return len(a)

def framed(a: pd.DataFrame) -> pd.DataFrame:
    return a

def scaled(a):
    return StandardScaler().fit_transform(a)

def answer(request: dict):
    return {"much": len(request)}

class Answer:
    def answer(self, request):
        return {}
"""
NESTED = """
import re
from dataclasses import dataclass

@dataclass
class Request:
    wanted: re.Pattern

def answer(request: Request):
    return {}
"""
COLUMNS = _columns(id="int", x="float", y="float", name="text", plan="text", day="date", churned="bool")
# What the examples read. The lock says that `id` was a text when a.csv was accepted as the data of E308.
FILES = InMemory(
    {"m.py": FUNCTIONS, "nested.py": NESTED, "clean.ipynb": json.dumps(NOTEBOOK), "request.json": "{}", "broken.json": "{",
     "eu.mlspec": 'data raw from csv "a.csv"\ndata chosen from raw by sql "select * from raw"\n',
     "mlspec.lock": 'E308.mlspec a {"files": {}, "columns": {"id": "text"}}\n'},
    {"a.csv": COLUMNS, "data/a.csv": COLUMNS, "*.csv": COLUMNS, "b.csv": _columns(id="int", z="float"), "shop.db": COLUMNS},
)  # fmt: skip


def compiled(code: Code, text: str) -> Compiled:
    path = "E308.mlspec" if code.id == "E308" else "wrong.mlspec"
    return compile_text(path, text, FILES, targets())


def told(compiled_: Compiled) -> list[str]:
    return [one.code for one in compiled_.diagnostics]


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_the_wrong_example_is_told_with_its_code_alone(code: Code) -> None:
    silent = code.id in TOLD_BY_A_TEST or code.id.startswith("W2")  # W2 is seen in the data
    assert set(told(compiled(code, code.wrong))) == (set() if silent else {code.id})


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_the_right_example_is_not_told(code: Code) -> None:
    assert told(compiled(code, code.right)) == []
    assert bool(code.right) == (code.id not in TOLD_BY_A_TEST)


def fixable() -> Iterator[Code]:
    for code in CODES.values():
        if any(one.fix for one in compiled(code, code.wrong).diagnostics):
            yield code


@pytest.mark.parametrize("code", list(fixable()), ids=lambda code: code.id)
def test_a_fix_leaves_nothing_to_tell(code: Code) -> None:
    before = compiled(code, code.wrong)
    for one in before.diagnostics:
        if one.fix is not None:
            after = compiled(code, repaired(code.wrong, [one.fix]))
            assert len(after.diagnostics) == len(before.diagnostics) - 1, one.fix


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_a_code_has_a_chapter_and_a_reason(code: Code) -> None:
    assert chapter(code) in CHAPTERS.values()
    assert code.why.endswith(".") and len(code.why) > 30
    assert not re.search(r"[{}]", page(code).split("\n")[0])


# --- the command --------------------------------------------------------------------------------------------------


def test_a_page_shows_why_and_both_examples(project: Project) -> None:
    ran = project.run("explain", "e101")
    assert ran.code == 0
    assert ran.out.startswith("E101: nothing is named ‹name›\n")
    assert "wrong" in ran.out and "    data b from aa by sql" in ran.out and "right" in ran.out


def test_all_codes_by_chapter(project: Project) -> None:
    ran = project.run("explain")
    assert ran.code == 0
    assert all(chapter(code) in ran.out for code in CODES.values())
    assert re.findall(r"^  ([EW]\d{3})  \S", ran.out, re.MULTILINE) == list(CODES)


def test_a_code_that_is_not_there(project: Project) -> None:
    ran = project.run("explain", "E1011")
    assert ran.code == 2
    assert "did you mean E101?" in ran.err


def test_colour_only_where_it_is_wanted(project: Project) -> None:
    assert "\x1b[" in page(CODES["E101"], colour=True)
    assert "\x1b[" not in page(CODES["E101"])
