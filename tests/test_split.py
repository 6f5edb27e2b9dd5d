"""Splits: each row on one side, sides that last, cuts in order, and scikit-learn's own deal."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlspec.compiler.program import Recipe
from mlspec.runtimes import tables
from mlspec.runtimes.order import Given, Make, Outcome
from mlspec.runtimes.recipes import split
from mlspec.runtimes.recipes.split import Deal, dealt
from mlspec.runtimes.store.objects import Objects
from mlspec.runtimes.trouble import Trouble

TWO, THREE = ("train", "test"), ("train", "valid", "test")


def run(objects: Objects, table: pa.Table, names: tuple[str, ...] = TWO, **arguments: Any) -> Outcome:
    made = tables.write(table, objects)
    order = Make(
        key="k", names=names, kind="data", recipe=Recipe(word="split"), arguments=arguments, root=".",
        inputs=(Given(alias="all", name="all", kind="data", digest=made.digest),),
    )  # fmt: skip
    return split.make(order, objects)


def sides(objects: Objects, table: pa.Table, names: tuple[str, ...] = TWO, **arguments: Any) -> list[pa.Table]:
    outcome = run(objects, table, names, **arguments)
    return [tables.read(objects, outcome.outputs[name].digest) for name in names]


def trouble(objects: Objects, table: pa.Table, names: tuple[str, ...] = TWO, **arguments: Any) -> Trouble:
    with pytest.raises(Trouble) as caught:
        run(objects, table, names, **arguments)
    return caught.value


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects(tmp_path)


def numbers(rows: int) -> pa.Table:
    return pa.table({"id": range(rows), "x": [i * 0.5 for i in range(rows)], "s": [f"k{i % 7}" for i in range(rows)]})


# --- by hash -------------------------------------------------------------------------------------------------


def test_shares_are_met_nearly(objects: Objects) -> None:
    train, valid, test = sides(objects, numbers(10_000), THREE, valid=0.1, test=0.2)
    assert (len(train), len(valid), len(test)) == pytest.approx((7000, 1000, 2000), abs=150)


def test_a_side_is_the_same_for_ever(objects: Objects) -> None:
    """Pinned: other numbers here mean that every split made so far is dealt anew."""
    table = pa.table(
        {
            "i": [1, 2, None, -4, 5, 6], "f": [0.5, -0.0, None, float("nan"), 1e300, 6.0], "t": ["a", None, "é", "", "b", "c"],
            "b": [True, False, None, True, True, False], "d": [date(2020, 1, day) for day in range(1, 7)],
            "l": [[1], [], None, [2, 3], [1], [9]],
        }
    )  # fmt: skip
    found = [int(number) for number in split.hashes_of(tables.canonical(table)) >> np.uint64(44)]
    assert found == PINNED
    _, test = sides(objects, numbers(40), test=0.2)
    assert test["id"].to_pylist() == PINNED_TEST


PINNED = [95596, 1026394, 765065, 582398, 699753, 345504]
PINNED_TEST = [3, 7, 9, 10, 11, 13, 16, 20, 22, 23, 28, 35, 39]


def test_whole_floats_and_the_order_of_columns_move_no_row() -> None:
    table = numbers(100)
    other = table.set_column(0, "id", table["id"].cast(pa.float64())).select(["s", "x", "id"])
    assert (split.hashes_of(table) == split.hashes_of(other)).all()


def test_a_larger_share_only_takes_rows_in(objects: Objects) -> None:
    small = set(sides(objects, numbers(500), test=0.2)[1]["id"].to_pylist())
    large = set(sides(objects, numbers(500), test=0.3)[1]["id"].to_pylist())
    same = set(sides(objects, numbers(500), train=0.7)[1]["id"].to_pylist())
    assert small < large == same


def test_a_number_of_rows_is_exact(objects: Objects) -> None:
    train, valid, test = sides(objects, numbers(150), THREE, valid=14, test=36)
    assert (len(train), len(valid), len(test)) == (100, 14, 36)


def test_a_key_stays_on_one_side(objects: Objects) -> None:
    train, test = sides(objects, numbers(700), by="s", test=2 / 7)
    assert not set(train["s"].to_pylist()) & set(test["s"].to_pylist())


def test_a_seed_deals_keys_otherwise(objects: Objects) -> None:
    table = pa.table({"k": [i // 2 for i in range(400)], "v": range(400)})
    plain, one, two = (sides(objects, table, by="k", test=0.5, **more)[1] for more in ({}, {"seed": 1}, {"seed": 2}))
    assert not plain.equals(one) and not one.equals(two)
    assert one.equals(sides(objects, table, by="k", test=0.5, seed=1)[1])


def test_strata_have_the_same_shares(objects: Objects) -> None:
    table = pa.table(
        {"id": range(1000), "y": ["rare" if i % 20 == 0 else None if i % 3 == 0 else "common" for i in range(1000)]}
    )
    train, valid, test = sides(objects, table, THREE, stratify="y", valid=100, test=0.2)
    assert (len(train), len(valid), len(test)) == (700, 100, 200)
    assert [part["y"].to_pylist().count("rare") for part in (train, valid, test)] == [35, 5, 10]


def test_strata_keep_keys_together(objects: Objects) -> None:
    table = pa.table({"k": [i // 3 for i in range(600)], "v": range(600), "y": [i % 2 for i in range(600)]})
    train, test = sides(objects, table, by="k", stratify="y", test=0.25)
    assert not set(train["k"].to_pylist()) & set(test["k"].to_pylist())
    assert len(test) == pytest.approx(150, abs=6)


rows_of_tables = st.lists(
    st.tuples(st.integers(-3, 50), st.sampled_from(["a", "b", None]), st.sampled_from([0.5, 2.0, None])),
    min_size=30,
    max_size=90,
)


def table_of(rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = zip(*rows, strict=True)
    types = (pa.int64(), pa.string(), pa.float64())
    return pa.table([pa.array(c, t) for c, t in zip(columns, types, strict=True)], names=["k", "s", "x"])


def dealt_rows(rows: list[tuple[Any, ...]], deal: Deal) -> list[list[tuple[Any, ...]]]:
    try:
        return [[rows[row] for row in part] for part in dealt(table_of(rows), deal)]
    except Trouble as trouble:
        assert "would be empty" in trouble.cause
        return [rows]


@settings(max_examples=40, deadline=None)
@given(rows_of_tables, st.sampled_from(["", "k"]), st.sampled_from(["", "s"]), st.sampled_from([0.3, 9]))
def test_every_row_is_on_one_side_with_its_equals(rows: Any, by: str, stratify: str, cut: Any) -> None:
    parts = dealt_rows(rows, Deal(THREE, {"valid": 0.2, "test": cut}, by=by, stratify=stratify))
    assert sorted(map(repr, rows)) == sorted(repr(row) for part in parts for row in part)
    for a, left in enumerate(parts):
        for right in parts[a + 1 :]:
            assert not {row[0] if by else row for row in left} & {row[0] if by else row for row in right}


@settings(max_examples=40, deadline=None)
@given(rows_of_tables, rows_of_tables, st.sampled_from(["", "k"]), st.randoms())
def test_growth_and_another_order_keep_sides(rows: Any, more: Any, by: str, random: Any) -> None:
    deal = Deal(TWO, {"test": 0.4}, by=by)
    grown = rows + more
    random.shuffle(grown)
    before, after = dealt_rows(rows, deal), dealt_rows(grown, deal)
    if len(before) == len(after) == 2:
        for old, new in zip(before, after, strict=True):
            assert set(old) <= set(new)


@settings(max_examples=25, deadline=None)
@given(rows_of_tables, st.sampled_from(["", "k"]), st.sampled_from(["", "s"]), st.randoms())
def test_ranks_do_not_depend_on_the_order_of_rows(rows: Any, by: str, stratify: str, random: Any) -> None:
    deal = Deal(TWO, {"test": 9}, by=by, stratify=stratify)
    shuffled = random.sample(rows, len(rows))
    assert [sorted(map(repr, p)) for p in dealt_rows(rows, deal)] == [
        sorted(map(repr, p)) for p in dealt_rows(shuffled, deal)
    ]


# --- in order ------------------------------------------------------------------------------------------------


def days(rows: int) -> pa.Table:
    """Day 7·i modulo `rows`: each once, not in order."""
    return pa.table({"day": [date(2014, 12, 1) + timedelta(days=i * 7 % rows) for i in range(rows)], "v": range(rows)})


def test_a_first_date_cuts(objects: Objects) -> None:
    train, test = sides(objects, days(60), order="day", test="2015-01-01")
    assert (len(train), len(test), test["day"][0].as_py()) == (31, 29, date(2015, 1, 1))
    assert test["day"].to_pylist() == sorted(test["day"].to_pylist())


def test_first_dates_numbers_and_shares_mix(objects: Objects) -> None:
    train, valid, test = sides(objects, days(60), THREE, order="day", valid=10, test="2015-01-01")
    assert (len(train), len(valid), len(test)) == (21, 10, 29)
    train, valid, test = sides(objects, days(60), THREE, order="day", valid="2014-12-11", test=0.25)
    assert (len(train), len(valid), len(test)) == (10, 35, 15)


def test_a_time_cuts_too(objects: Objects) -> None:
    table = pa.table({"at": pd.date_range("2015-01-01", periods=24, freq="h"), "v": range(24)})
    assert len(sides(objects, table, order="at", test="2015-01-01T18:00")[1]) == 6


def test_as_the_rows_stand(objects: Objects) -> None:
    train, test = sides(objects, numbers(11), shuffle=False, test=0.2)
    assert (train["id"].to_pylist(), test["id"].to_pylist()) == (list(range(8)), [8, 9, 10])


def test_equal_dates_stay_as_they_stood(objects: Objects) -> None:
    table = pa.table({"n": [2, 1, 2, 1], "v": [0, 1, 2, 3]})
    train, test = sides(objects, table, order="n", test=2)
    assert (train["v"].to_pylist(), test["v"].to_pylist()) == ([1, 3], [0, 2])


# --- scikit-learn --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stratify", ["", "y", "truth"])
@pytest.mark.parametrize("cut", [{"test": 0.25}, {"test": 36}, {"train": 0.7}, {"train": 0.7, "test": 0.3}])
def test_with_a_seed_it_is_scikit_learns_deal(objects: Objects, stratify: str, cut: dict[str, Any]) -> None:
    from sklearn.model_selection import train_test_split

    frame = pd.DataFrame({"v": range(203), "y": [("no", "yes", "Maybe")[i * i % 3] for i in range(203)]})
    frame["truth"] = frame.v % 4 == 0
    size = {f"{name}_size": value for name, value in cut.items()}
    wanted = train_test_split(frame, **size, random_state=40, stratify=frame[stratify] if stratify else None)
    found = sides(objects, pa.Table.from_pandas(frame), seed=40, **cut, **({"stratify": stratify} if stratify else {}))
    assert [part["v"].to_pylist() for part in found] == [part.v.tolist() for part in wanted]


def test_three_outputs_are_two_deals_the_last_first(objects: Objects) -> None:
    from sklearn.model_selection import train_test_split

    rest, test = train_test_split(list(range(100)), test_size=0.2, random_state=7)
    train, valid = train_test_split(rest, test_size=10, random_state=7)
    found = sides(objects, numbers(100), THREE, valid=0.1, test=0.2, seed=7)
    assert [part["id"].to_pylist() for part in found] == [train, valid, test]


# --- what cannot be ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        ({}, "how much goes to train and test?"),
        ({"train": 0.5, "test": 0.4}, "the outputs ask for 90.00% of all rows"),
        ({"train": 0.5, "test": 0.4, "seed": 1}, "the outputs ask for 18 of 20 rows"),
        ({"train": 5, "test": 6}, "the outputs ask for 11 of 20 rows"),
        ({"test": 21}, "the outputs ask for 21 rows, and there are 20"),
        ({"test": 20}, "train would be empty, of 20 rows"),
        ({"test": 0}, "test asks for 0"),
        ({"test": 1.5}, "test asks for 1.5"),
        ({"test": "2015-01-01"}, "test takes a first date, and nothing says of which column"),
        ({"test": "2015-01-01", "order": "id"}, "id holds no dates to compare with 2015-01-01"),
        ({"test": 0.2, "by": "key"}, "there is no column key"),
        ({"test": 0.2, "shuffle": False, "stratify": "s"}, "a cut in order cannot be stratified"),
        ({"test": 0.2, "test_size": 3}, "there is no output or argument test_size"),
        ({"test": 0.5, "order": "id", "by": "s"}, "7 of the keys of s stand on two sides, as k0"),
        ({"test": 2, "seed": 1, "stratify": "s"}, "scikit-learn says: The test_size = 2 should be greater or equal to the number of classes = 7"),
    ],
)  # fmt: skip
def test_what_cannot_be_dealt_is_told(objects: Objects, arguments: dict[str, Any], cause: str) -> None:
    found = trouble(objects, numbers(20), **arguments)
    assert (found.action, found.cause) == ("split train, test", cause)


def test_rows_before_the_first_date_of_the_first_output_are_told(objects: Objects) -> None:
    assert "31 rows come before" in trouble(objects, days(60), order="day", train="2015-01-01").cause


def test_a_missing_date_is_told(objects: Objects) -> None:
    table = pa.table({"day": [date(2015, 1, 1), None, None]})
    assert trouble(objects, table, order="day", test=1).cause == "2 rows have no day"


def test_a_row_on_two_sides_is_told(objects: Objects) -> None:
    found = trouble(objects, pa.table({"x": [1, 2, 2, 3], "y": ["a", "b", "b", "c"]}), shuffle=False, test=0.5)
    assert found.cause == "1 of the rows stands on two sides, as x 2, y b"
    assert "select distinct" in found.help


def test_no_rows_are_told(objects: Objects) -> None:
    assert trouble(objects, numbers(0), test=0.5).cause == "there are no rows to deal"
