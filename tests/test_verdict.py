"""A condition and what is found -> whether it holds, and what is shown of it."""

from __future__ import annotations

from typing import Any

import pytest
from mlspec.compiler.load import InMemory
from mlspec.compiler.pipeline import compile_text
from mlspec.compiler.program import Expect, Fact, Rows
from mlspec.compiler.types import BOOL, FLOAT, Column, Type
from mlspec.compiler.verdict import NoLast, judge

COLUMNS = {"x": "float", "n": "int", "day": "date", "at": "timestamp"}
FILES = InMemory(
    {"f.py": "def f(c): return c"},
    {"c.csv": tuple(Column(name=n, type=Type.model_validate({"base": b})) for n, b in COLUMNS.items())},
)
FOUND: dict[str, Any] = {
    "mean x": None, "max x": float("nan"), "mean n": 0.7, "max n": 3, "rows": 10,
    "min day": "2014-03-01", "max day": "2015-01-01", "min at": "2015-01-01T00:00:00", "max at": "2015-01-01T00:00:00",
}  # fmt: skip


BY_CODE = 'c by python "f.py:f"'


def compiled(condition: str, source: str = 'csv "c.csv"') -> tuple[list[str], list[Expect]]:
    found = compile_text(
        "a.mlspec", f'data c from csv "c.csv"\ndata d from {source} {{\n  expect {condition}\n}}\n', FILES
    )
    return [one.code for one in found.diagnostics], [e for node in found.program.nodes for e in node.expects]


def answer(fact: Fact | Rows) -> Any:
    if isinstance(fact, Rows) or fact.of == "last":
        raise NoLast
    return FOUND[f"{fact.function} {fact.column}".strip()]


def told(condition: str) -> tuple[bool, str]:
    codes, expects = compiled(condition)
    assert codes == []
    found = judge(expects[0], answer)
    return found.holds, found.shown


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("max(.day) - min(.day) == 306", True),
        ("max(.day) - min(.day) < 306", False),
        ("max(.day) + 1 > 2015-01-01", True),
        ("1 + max(.day) == 2015-01-02", True),
        ("max(.day) - 365 == 2014-01-01", True),
        ("max(.day) + 99999999 > 2015-01-01", False),  # there is no such day
        ("max(.day) > 2015-02-01 - 31 - 1", True),
    ],
)
def test_dates_are_apart_by_days(condition: str, holds: bool) -> None:
    assert told(condition)[0] is holds


@pytest.mark.parametrize(
    "condition",
    [
        "max(.at) - min(.at) < 2", "max(.at) + 1 > 2015-01-01", "max(.day) - 2015-01-01T12:00 < 2", "max(.day) + min(.day) > 1",
        "3 - max(.day) < 2", "(max(.at) else 2015-01-01) - 1 > 2015-01-01",
    ],
)  # fmt: skip
def test_what_dates_cannot_compute_is_told(condition: str) -> None:
    assert compiled(condition)[0] == ["E604"]


@pytest.mark.parametrize(
    "condition",
    [
        "max(.at) <= 2015-01-01T00:00", "min(.at) == 2015-01-01", "max(.day) >= 2015-01-01T00:00", "max(.at) == max(.day)",
        "max(.at) in 2015-01-01T00:00..2015-01-01", "not (max(.at) != 2015-01-01T00:00:00)", 'max(.at) == "2015-01-01 00:00"',
    ],
)  # fmt: skip
def test_moments_are_compared_whatever_the_precision_they_are_written_with(condition: str) -> None:
    assert told(condition)[0]


@pytest.mark.parametrize(
    "condition",
    [
        "mean(.x) > 5", "not (mean(.x) > 5)", "not (mean(.x) in 1..5)", "mean(.x) not in 1..5", "mean(.x) != 5",
        "not (mean(.x) > 5 and .rows == 10)", "not (mean(.x) > 5 or .rows == 9)", "max(.x) < 1", "not (max(.x) < 1)",
        "max(.x) != 1", "mean(.x) + 1 != 5", "not (mean(.x) in [1, 2])",
    ],
)  # fmt: skip
def test_an_expectation_about_nothing_does_not_hold_nor_does_its_opposite(condition: str) -> None:
    assert not told(condition)[0]


@pytest.mark.parametrize(
    "condition",
    ["mean(.x) > 5 or .rows == 10", "not (mean(.x) > 5 and .rows == 9)", "(mean(.x) else 1) == 1"],
)
def test_nothing_does_not_decide_where_something_else_does(condition: str) -> None:
    assert told(condition)[0]


MODEL = """data c from csv "c.csv"
model m from c by python "sklearn.linear_model:LogisticRegression" {
  predict .left from .x
  measure roc_auc, f1 on c
  expect %s
}
"""


@pytest.mark.parametrize(
    ("condition", "codes"),
    [
        (".roc_auc + .f1 >= 1.5", []), (".roc_auc + 2 * .f1 < 2.5", []), (".roc_auc - .f1 < 1.5", []), ("1 + .f1 > 1.2", []),
        (".roc_auc > 80", ["E604"]), (".roc_auc - 0.01 > 80", ["E604"]), (".roc_auc >= (last.roc_auc else 0) - 0.01", []),
        ("(last.roc_auc else 0.5) > 1.5", ["E604"]), ("(last.roc_auc else 5) > 1.5", ["E604"]),
    ],
)  # fmt: skip
def test_a_metric_is_never_more_than_1_and_a_sum_of_them_is(condition: str, codes: list[str]) -> None:
    files = InMemory({}, {"c.csv": tuple(Column(name=n, type=t) for n, t in (("x", FLOAT), ("left", BOOL)))})
    found = compile_text("a.mlspec", MODEL % condition, files).diagnostics
    assert [one.code for one in found if one.code.startswith("E")] == codes


@pytest.mark.parametrize(
    ("condition", "holds", "shown"),
    [
        ("mean(.n) > -5 and max(.n) > 5", False, "3 needs > 5, short by 2"),
        ("mean(.n) > 5 and max(.n) > 5", False, "0.7000 needs > 5, short by 4.3000; 3 needs > 5, short by 2"),
        ("not (mean(.n) > 5 or max(.n) > 1)", False, "3 needs > 1"),
        ("max(.n) > 1 or .rows < last.rows", True, "3 needs > 1"),
        ("max(.n) > 5 and .rows < last.rows", False, "3 needs > 5, short by 2"),
    ],
)
def test_of_several_sides_only_those_that_decide_are_shown(condition: str, holds: bool, shown: str) -> None:
    assert told(condition) == (holds, shown)


@pytest.mark.parametrize(
    "condition",
    [
        "max(.day) > 3",
        "-max(.day) < 3",
        "max(.day) * 2 < 3",
        "max(.day) - 3 * max(.day) < 1",
        "max(.at) - 1 > min(.at)",
    ],
)
def test_columns_of_unknown_types_are_judged_without_a_crash(condition: str) -> None:
    _, expects = compiled(condition, BY_CODE)
    assert [judge(expect, answer).holds for expect in expects] == [False]


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (".rows >= (last.rows else 0.1)", ".rows >= (last.rows else 0.1)"),
        ("(max(.n) < 1) and (.rows > (0))", "(max(.n) < 1) and (.rows > (0))"),
        ("(.rows) > (3)", "(.rows) > (3)"),
        ("not (max(.n) > 5)", "not (max(.n) > 5)"),
        ("((.rows + 1)) not in 1..5", "((.rows + 1)) not in 1..5"),
        ("(.rows > 3)", ".rows > 3"),
        (".rows > -(3)", ".rows > -(3)"),
    ],
)
def test_a_condition_is_shown_with_its_parentheses(condition: str, text: str) -> None:
    assert [one.text for one in compiled(condition)[1]] == [text]
