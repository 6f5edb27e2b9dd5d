"""Facts about tables: what they are, what missing values do, and what cannot be asked."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from mlspec.compiler.program import Rows
from mlspec.grammar.kinds import DATA_FUNCTIONS
from mlspec.runtimes import tables
from mlspec.runtimes.facts import about_table
from mlspec.runtimes.order import Question
from mlspec.runtimes.store.objects import Objects
from mlspec.runtimes.trouble import Trouble

TABLE = pa.table(
    {
        "id": [1, 2, 3, 4, 5],
        "x": [1.5, None, float("nan"), 3.0, 3.0],
        "n": [10, 10, None, None, 30],
        "town": ["Bern", "Bern", None, "Chur", ""],
        "day": [date(2020, 1, 1), None, date(2019, 5, 6), None, None],
        "at": [datetime(2020, 1, 1, 12, 30), None, datetime(2020, 1, 2), None, None],
        "ok": [True, False, None, True, True],
        "a \"b' c": [1, 1, 1, 1, 2],
        "words": [["a"], ["a"], [], None, ["b"]],
    }
)


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects(tmp_path)


def ask(objects: Objects, *questions: Question, table: pa.Table = TABLE) -> dict[str, Any]:
    return about_table(objects, tables.write(table, objects).digest, questions)


def fact(objects: Objects, function: str, column: str = "", table: pa.Table = TABLE) -> Any:
    return ask(objects, Question(key="k", function=function, column=column), table=table)["k"]


@pytest.mark.parametrize(
    ("function", "column", "wanted"),
    [
        ("rows", "", 5),
        ("unique", "id", True), ("unique", "x", False), ("unique", "day", True), ("unique", "words", False),
        ("nulls", "x", 2), ("nulls", "n", 2), ("nulls", "town", 1), ("nulls", "words", 1),
        ("min", "x", 1.5), ("max", "x", 3.0), ("min", "n", 10), ("max", "day", "2020-01-01"), ("min", "at", "2020-01-01T12:30:00"),
        ("mean", "x", 2.5), ("mean", "n", 50 / 3), ("sum", "x", 7.5), ("sum", "n", 50), ("sum", "a \"b' c", 6),
        ("std", "x", 0.8660254037844386), ("median", "x", 3.0), ("median", "n", 10.0), ("quantile:0.25", "x", 2.25), ("quantile:1", "n", 30.0),
        ("distinct", "x", 2), ("distinct", "town", 3), ("distinct", "ok", 2), ("distinct", "words", 3),
    ],
)  # fmt: skip
def test_facts(objects: Objects, function: str, column: str, wanted: Any) -> None:
    found = fact(objects, function, column)
    assert found == pytest.approx(wanted) if isinstance(wanted, float) else found == wanted
    assert type(found) is type(wanted)


def test_every_function_of_the_language_answers(objects: Objects) -> None:
    asked = [
        Question(key=name, function="quantile:0.5" if name == "quantile" else name, column="n")
        for name in DATA_FUNCTIONS
    ]
    found = ask(objects, *asked)
    assert list(found) == list(DATA_FUNCTIONS)
    assert None not in found.values()


def test_no_rows_have_no_mean_and_sum_to_nothing(objects: Objects) -> None:
    empty = TABLE.slice(0, 0)
    none = [fact(objects, function, "x", empty) for function in ("mean", "min", "std", "median", "quantile:0.5")]
    assert none == [None] * 5
    assert [fact(objects, f, "x", empty) for f in ("sum", "nulls", "distinct", "unique", "rows")] == [0, 0, 0, True, 0]
    assert fact(objects, "std", "x", TABLE.slice(0, 1)) is None


def test_the_sum_of_large_whole_numbers_is_exact(objects: Objects) -> None:
    assert fact(objects, "sum", "n", pa.table({"n": [2**62, 2**62, 2**62]})) == 3 * 2**62


def test_many_floats_add_up_without_error(objects: Objects) -> None:
    table = pa.table({"x": [0.1] * 100_000})
    assert fact(objects, "sum", "x", table) == pytest.approx(10_000, abs=1e-9)


# --- conditions on rows --------------------------------------------------------------------------------------


def broken(objects: Objects, sql: str, others: dict[str, pa.Table] | None = None) -> int:
    digests = {name: tables.write(table, objects).digest for name, table in (others or {}).items()}
    rows = Rows(of="t", broken=sql, others=tuple(digests))
    found: int = ask(objects, Question(key="k", rows=rows, others=digests))["k"]
    return found


def test_rows_that_break_a_condition_are_counted(objects: Objects) -> None:
    assert broken(objects, 'not ("n" >= 20)') == 2
    assert broken(objects, "not ((\"town\" in ('Bern', 'Chur')))") == 1
    assert broken(objects, "not ((\"day\" >= date '2020-01-01'))") == 1


def test_the_first_rows_that_break_a_condition_come_along(objects: Objects) -> None:
    columns = ("n", "day", "town")
    known = tables.write(pa.table({"n": [10]}), objects).digest
    sql = 'not (("n" in (select "n" from "known" where "n" is not null)))'
    rows = Rows(of="t", broken=sql, others=("known",), columns=columns)
    found = ask(objects, Question(key="k", rows=rows, others={"known": known}))["k first"]
    assert found == [{"the row": 5, "n": 30, "day": None, "town": ""}]
    first = Question(key="k", rows=Rows(of="t", broken='"day" is not null', columns=("day", "x")))
    assert json.dumps(ask(objects, first)["k first"][1]) == '{"the row": 3, "day": "2019-05-06", "x": null}'


def test_a_missing_value_breaks_no_condition(objects: Objects) -> None:
    assert broken(objects, 'not ("x" <= 2)') == 2


def test_rows_are_looked_up_in_other_tables(objects: Objects) -> None:
    sql = 'not (("n" in (select "n" from "known" where "n" is not null)))'
    assert broken(objects, sql, {"known": pa.table({"n": [10, None, 99]})}) == 1
    sql = 'not (("id" in (select "id" from "a" where "id" is not null)) and ("id" not in (select "id" from "b" where "id" is not null)))'
    assert broken(objects, sql, {"a": pa.table({"id": [1, 2, 3, 4]}), "b": pa.table({"id": [4]})}) == 2


def test_many_questions_are_answered_together(objects: Objects) -> None:
    rows = Question(key="b", rows=Rows(of="t", broken='not ("id" < 3)'))
    assert ask(objects, Question(key="a", function="rows"), rows, Question(key="c", function="max", column="id")) == {
        "a": 5,
        "b": 3,
        "c": 5,
        "b first": [{"the row": 3}, {"the row": 4}],
    }
    assert ask(objects) == {}


# --- what cannot be ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "column", "cause"),
    [
        ("mean", "town", "mean takes a number, and .town is text"),
        ("max", "ok", "max takes a number or a date, and .ok is bool"),
        ("nulls", "twon", "it has no column twon"),
    ],
)
def test_what_cannot_be_asked_is_told(objects: Objects, function: str, column: str, cause: str) -> None:
    with pytest.raises(Trouble) as caught:
        fact(objects, function, column)
    assert caught.value.cause == cause


def test_a_condition_that_fails_is_told(objects: Objects) -> None:
    with pytest.raises(Trouble, match="could not judge the table: cannot compare values of type VARCHAR"):
        broken(objects, 'not ("town" > 3)')


def test_a_folder_has_no_rows(objects: Objects) -> None:
    folder = objects.scratch()
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    with pytest.raises(Trouble, match="it is a folder of files"):
        about_table(objects, objects.put_folder(folder), [Question(key="k", function="rows")])
