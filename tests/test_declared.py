"""Tables of SQL and Python against declared columns: what can be turned losslessly is, all else is told."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest
from mlspec.compiler.types import DATE, FLOAT, INT, TEXT, TIMESTAMP, Column, Type, optional
from mlspec.runtimes.declared import FEW, conform, findings
from mlspec.runtimes.trouble import Trouble


def column(name: str, type_: Type, **more: Any) -> Column:
    return Column(name=name, type=type_, declared=True, **more)


def one(values: Any, type_: Type, **more: Any) -> pa.Table:
    return conform(pa.table({"other": range(len(values)), "a": values}), (column("a", type_, **more),), "features")


@pytest.mark.parametrize(
    ("values", "type_", "wanted"),
    [
        ([1, 2], FLOAT, [1.0, 2.0]),
        ([1.0, -2.0], INT, [1, -2]),
        ([1.0, float("nan")], optional(INT), [1, None]),
        ([datetime(2012, 1, 1)], DATE, [date(2012, 1, 1)]),
        ([date(2012, 1, 1)], TIMESTAMP, [datetime(2012, 1, 1)]),
        (pa.array([None, None], pa.string()), optional(INT), [None, None]),
        (pa.array([], pa.string()), INT, []),
        ([[1], []], Type(base="list", item=FLOAT), [[1.0], []]),
        (["x", "y"], Type(base="text", values=("x", "y", "z")), ["x", "y"]),
    ],
)
def test_what_loses_nothing_is_turned(values: Any, type_: Type, wanted: list[Any]) -> None:
    table = one(values, type_)
    assert table.column_names == ["other", "a"]
    assert table["a"].to_pylist() == wanted
    assert all(type(found) is type(value) for found, value in zip(table["a"].to_pylist(), wanted, strict=True))


@pytest.mark.parametrize(
    ("values", "type_", "more", "told"),
    [
        (["1", "2"], INT, {}, "its column a is text, declared int"),
        ([1, 2], TEXT, {}, "its column a is int, declared text"),
        ([True], INT, {}, "its column a is bool, declared int"),
        ([1.0, 2.5, 3.5], INT, {}, 'in row 2, a is "2.5", expected int, and 1 more row'),
        ([1e300], INT, {}, 'in row 1, a is "1e+300", expected int'),
        ([2**53 + 1], FLOAT, {}, 'in row 1, a is "9007199254740993", expected float'),
        ([datetime(2012, 1, 1, 5)], DATE, {}, 'in row 1, a is "2012-01-01 05:00:00", expected date'),
        ([1, None], INT, {}, "in row 2, a is missing, expected int"),
        ([1.0, float("nan")], FLOAT, {}, "in row 2, a is missing, expected float"),
        ([1, 300], INT, {"low": 0, "high": 240}, 'in row 2, a is "300", expected 0..240'),
        ([0.5], FLOAT, {"low": 1.0}, 'in row 1, a is "0.5", expected 1..'),
        (["x", "w"], Type(base="text", values=("x",)), {}, 'in row 2, a is "w", expected "x"'),
        (
            [1, 2, 1, 1],
            INT,
            {"unique": True},
            'in row 3, a is "1", expected unique, stands in an earlier row, and 1 more row',
        ),
        ([date(2011, 1, 1)], DATE, {"low": "2012-01-01"}, 'in row 1, a is "2011-01-01", expected 2012-01-01..'),
    ],
)
def test_what_does_not_fit_is_told(values: Any, type_: Type, more: dict[str, Any], told: str) -> None:
    with pytest.raises(Trouble) as trouble:
        one(values, type_, **more)
    assert str(trouble.value) == f"could not make features: {told}"
    assert trouble.value.help


def test_both_ends_of_a_range_are_in_it() -> None:
    assert one([0, 240], INT, low=0, high=240).num_rows == 2
    assert one([date(2012, 1, 1)], DATE, low="2012-01-01", high="2012-01-01").num_rows == 1
    assert one([datetime(2012, 1, 1, 23, 59)], TIMESTAMP, low="2012-01-01", high="2012-01-01").num_rows == 1


def test_missing_values_break_neither_range_nor_set_nor_uniqueness() -> None:
    assert one(pa.array([None, None, 1]), optional(INT), low=0, high=2, unique=True).num_rows == 3
    assert one(["x", None], Type(base="text", values=("x",), optional=True)).num_rows == 2
    assert one([float("nan"), 1.0], optional(FLOAT), low=0.0, high=2.0).num_rows == 2


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(Trouble, match="it has no column tenur") as told:
        conform(pa.table({"tenure": [1]}), (column("tenur", INT),), "features")
    assert told.value.help == "did you mean tenure?"


def test_all_problems_are_told_at_once_each_with_its_first_row() -> None:
    table = pa.table({"a": [1, None, *[-1] * 20], "b": ["x", "y", *["x"] * 20]})
    with pytest.raises(Trouble) as told:
        conform(table, (column("a", INT, low=0), column("b", Type(base="text", values=("x",)))), "d")
    assert told.value.cause == "in row 2, a is missing, expected int"
    assert told.value.detail.split("\n") == [
        'in row 2, b is "y", expected "x"', 'in row 3, a is "-1", expected 0.., and 19 more rows'
    ]  # fmt: skip


def test_problems_without_end_are_told_by_the_first_few() -> None:
    table = pa.table({f"c{i}": ["no"] for i in range(FEW + 4)})
    with pytest.raises(Trouble) as told:
        conform(table, tuple(column(f"c{i}", Type(base="text", values=("x",))) for i in range(FEW + 4)), "d")
    assert told.value.detail.count("\n") == FEW and told.value.detail.endswith("… and 3 more such mistakes")


def test_a_row_that_is_refused_does_not_make_a_later_one_repeat() -> None:
    table = pa.table({"id": [1, 1, 1], "n": [-1, 5, 6]})
    found = findings(table, (column("id", INT, unique=True), column("n", INT, low=0)), {})
    assert found.rows() == [0, 2]
    assert [(one.row, one.column) for one in found.told()] == [(0, "n"), (2, "id")]
