"""Columns that code makes: what is declared is there, what is not declared may be there too, and is no mistake."""

from __future__ import annotations

import pytest
from mlspec.compiler.load import InMemory
from mlspec.compiler.pipeline import compile_text
from mlspec.compiler.program import Program
from mlspec.compiler.types import BOOL, FLOAT, INT, Column

FILES = InMemory(
    {"p.py": "def f(c): return c", "own.py": "def own(d): return object()"},
    {"c.csv": (Column(name="id", type=INT), Column(name="x", type=FLOAT), Column(name="churned", type=BOOL))},
)
HEAD = """data c from csv "c.csv"
data h from c by python "p.py:f" {
  id: int, unique
  plan: "a" | "b"
  expect .id > 0
}
"""
MODEL = """data train, test from h by split {
  test = 20%
  stratify = .churned
}
model m from train by python "sklearn.linear_model:LogisticRegression" {
  predict .churned PREDICT
  measure f1 on test
}
"""


def compiled(text: str) -> tuple[list[str], Program]:
    found = compile_text("a.mlspec", HEAD + text, FILES)
    return [one.code for one in found.diagnostics if one.code.startswith("E")], found.program


@pytest.mark.parametrize(
    "text",
    [
        'data e from h by sql "select churned from h"',
        'data e from h by sql "select * from h where x > 3"',
        "data e, g from h by split { g = 20%; by = .customer; x: float }",
        MODEL.replace("PREDICT", "from .spend, .id"),
        MODEL.replace("PREDICT", "from all except .id, .spend"),
        MODEL.replace("PREDICT", "") + "service s from m by http",
        MODEL.replace("PREDICT", "from .spend, .id") + "data p from h by m { expect mean(.spend) > 3 }",
        'data e from h as c by python "p.py:f" { expect .churned in h.churned }',
        'data e from c by sql "select id, x from c" { expect max(h.day) > 2015-01-01; expect .id in h.other }',
        'data e from h as c by python "p.py:f" { each .day }',
    ],
)
def test_what_is_not_declared_may_be_there(text: str) -> None:
    assert compiled(text)[0] == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('data e from h by sql "select id + plan as a from h"', "E501"),
        ("data e, g from h by split { g = 20%; order = .plan }", "E604"),
        ('data e from h by sql "select id from h" { expect mean(.idd) > 3 }', "E302"),
        ('data e, g from h by split { g = 20% }\ndata k from e by sql "select id + plan as a from e"', "E501"),
        ('data e from c by sql "select id, x from c" { expect mean(h.plan) > 3 }', "E604"),
    ],
)
def test_what_is_declared_has_its_type_in_all_uses(text: str, code: str) -> None:
    assert compiled(text)[0][:1] == [code]


def test_a_model_of_all_columns_learns_from_those_too_that_are_not_declared() -> None:
    _, program = compiled(MODEL.replace("PREDICT", ""))
    predict = program.node_of()["m"].predict
    assert predict is not None and predict.features == ()


def test_a_query_of_declared_columns_has_their_types_and_one_of_all_is_not_known() -> None:
    _, program = compiled('data a from h by sql "select id, plan from h"\ndata b from h by sql "select * from h"')
    found = program.node_of()["a"].columns["a"]
    assert found is not None and [column.name for column in found] == ["id", "plan"]
    assert program.node_of()["b"].columns["b"] is None
