"""Blocks made part by part: which parts are made, what a second apply, a kill or a failure leaves, and who reads them all."""

from __future__ import annotations

import json
import os
import signal
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mlspec.compiler.program import Recipe
from mlspec.compiler.types import FLOAT, INT, TEXT, Column
from mlspec.runtimes import division, joining, parts, tables
from mlspec.runtimes.order import Divide, Given, Join, Make, Piece
from mlspec.runtimes.recipes import sql
from mlspec.runtimes.store.objects import FOLDER, Objects
from mlspec.runtimes.trouble import Trouble

from .helpers import Project, until

FIRST = date(2024, 1, 1)

# A recipe of the user's own: it writes down which parts it made.
STEPS = """
import time
from pathlib import Path

import pandas as pd
import polars as pl


def daily(events, wait=0.0, bad=""):
    day = str(events["day"].iloc[0])[:10] if len(events) else "none"
    with open("made.txt", "a") as file:
        file.write(day + "\\n")
    time.sleep(wait)
    if day == bad:
        raise ValueError(f"nothing is right on {day}")
    return events.assign(double=events["x"] * 2)


def flaky(events):
    day = str(events["day"].iloc[0])[:10]
    file = Path(f"tried-{day}")
    if not file.exists():
        file.touch()
        raise ValueError("not yet")
    return events


def one_file(daily: Path):
    return pd.read_parquet(daily)[["day", "x"]]


def as_polars(daily: pl.DataFrame):
    return daily.select("x").sum()


def shared(events, rates):
    return events.merge(rates, on="day").assign(rows=len(rates))[["id", "rate", "rows"]]
"""

SPEC = """mlspec 1
data events from csv "events.csv"
"""
BY_DAY = SPEC + 'data daily from events by python "steps.py:daily" { each .day }\n'


def events(days: int, each: int = 3, *, missing: bool = False) -> str:
    rows = [f"{FIRST + timedelta(days=day)},{day * each + i},{i}.5" for day in range(days) for i in range(each)]
    return "\n".join(["day,id,x", *rows, *([",99,0.5"] if missing else [])]) + "\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path).write(events__csv=events(3), steps__py=STEPS)


def made(project: Project) -> list[str]:
    """The days that the function made, since the last time of asking."""
    file = project.root / "made.txt"
    lines = sorted(file.read_text().split()) if file.exists() else []
    file.unlink(missing_ok=True)
    return lines


def apply(project: Project, spec: str, *words: str) -> dict[str, Any]:
    project.write(m__mlspec=spec)
    ran = project.run("apply", "--json", *words)
    assert ran.out, ran.err
    return json.loads(ran.out)  # type: ignore[no-any-return]


def told(applied: dict[str, Any], event: str, name: str = "daily") -> list[dict[str, Any]]:
    return [one for one in applied["events"] if one["event"] == event and one["name"] == name]


def shown(project: Project, name: str = "daily") -> dict[str, Any]:
    return project.data("show", name)  # type: ignore[no-any-return]


# --- by a column ----------------------------------------------------------------------------------------------


def test_a_new_day_makes_one_part(project: Project) -> None:
    project.write(events__csv=events(3, missing=True))
    applied = apply(project, BY_DAY)
    assert made(project) == ["2024-01-01", "2024-01-02", "2024-01-03", "NaT"]
    assert {one["part"] for one in told(applied, "parted")} == {
        "day 2024-01-01", "day 2024-01-02", "day 2024-01-03", "day missing",
    }  # fmt: skip
    assert told(applied, "parted")[-1]["number"] == told(applied, "parted")[-1]["of"] == 4
    first = shown(project)
    assert (first["rows"], first["parts"]) == (10, 4)

    project.write(events__csv=events(4, missing=True))
    applied = apply(project, BY_DAY)
    assert made(project) == ["2024-01-04"]
    assert told(applied, "settled")[0]["notes"] == ["1 of 5 parts made: day 2024-01-04"]
    assert shown(project)["rows"] == 13
    assert "Nothing to be made" in project.run("apply").out

    project.write(events__csv=events(4, missing=True).replace("2024-01-02,4,1.5", "2024-01-02,4,7.5"))
    apply(project, BY_DAY)
    assert made(project) == ["2024-01-02"]

    project.write(events__csv=events(3, missing=True))  # all of it was made once
    apply(project, BY_DAY)
    assert made(project) == [] and shown(project)["digest"] == first["digest"]


def test_the_order_of_making_is_no_part_of_what_is_made(project: Project, tmp_path: Path) -> None:
    for days in (1, 2, 4):
        project.write(events__csv=events(days))
        apply(project, BY_DAY)
    other = Project(tmp_path / "other")
    other.root.mkdir()
    other.write(events__csv=events(4), steps__py=STEPS)
    apply(other, BY_DAY, "--workers", "1")
    assert shown(project)["digest"] == shown(other)["digest"]
    assert shown(project)["first"][0]["day"].startswith("2024-01-01")


def test_another_recipe_makes_all_parts_and_what_is_judged_makes_none(project: Project) -> None:
    apply(project, BY_DAY)
    made(project)
    apply(
        project, BY_DAY.replace("{ each .day }", "{ each .day; expect .rows == 9; expect unique(.id); needs cpu = 1 }")
    )
    assert made(project) == []
    apply(project, BY_DAY.replace("{ each .day }", "{ each .day; wait = 0.01 }"))
    assert len(made(project)) == 3


def test_all_inputs_that_have_the_column_are_restricted_and_others_are_whole(project: Project) -> None:
    project.write(rates__csv="day,rate\n2024-01-01,1\n2024-01-02,2\n2024-01-09,3\n", names__csv="id,name\n1,a\n4,b\n")
    spec = SPEC + 'data rates from csv "rates.csv"\ndata names from csv "names.csv"\n'
    spec += 'data priced from events, rates by python "steps.py:shared" { each .day }\n'
    spec += """data named from events, names by sql "select id, name, (select count(*) from names) as all_
      from events left join names using (id)" { each .day }\n"""
    apply(project, spec.replace("\n      ", " "))
    assert {row["rows"] for row in shown(project, "priced")["first"]} == {1}
    assert shown(project, "priced")["rows"] == 6 and shown(project, "priced")["parts"] == 3
    assert {row["all_"] for row in shown(project, "named")["first"]} == {2}


def test_what_is_made_of_parts_makes_as_few(project: Project) -> None:
    spec = (
        BY_DAY + 'data again from daily by sql "select day, sum(double) as s from daily group by day" { each .day }\n'
    )
    apply(project, spec)
    objects = Objects(project.root / ".mlspec")
    listing = set(objects.listing(shown(project)["digest"]).values())
    before = len(project.objects())
    project.write(events__csv=events(4))
    applied = apply(project, spec)
    assert told(applied, "settled", "again")[0]["notes"] == ["1 of 4 parts made: day 2024-01-04"]
    assert len(listing - set(objects.listing(shown(project)["digest"]).values())) == 1  # the index alone is another
    assert len(project.objects()) - before == 7  # events; its new rows, two parts, their index and two listings


# --- by files -------------------------------------------------------------------------------------------------

BY_FILE = """mlspec 1
data events from csv "events/*.csv" {
  id: int, unique
  each file
}
data daily from events by python "steps.py:daily" { each file }
data total from daily by sql "select count(*) as n, sum(double) as s from daily"
"""


def test_a_new_file_is_read_alone(project: Project) -> None:
    for day in range(3):
        project.file(f"events/{day}.csv", f"day,id,x\n{FIRST + timedelta(days=day)},{day},{day}.5\n")
    apply(project, BY_FILE)
    assert len(made(project)) == 3
    project.file("events/3.csv", "day,id,x\n2024-01-04,3,\n2024-01-04,6,7\n")
    assert "1 of 4 parts" in project.run("plan").out
    applied = apply(project, BY_FILE)
    assert [one["part"] for one in told(applied, "parted", "events")] == ["events/3.csv"]
    assert shown(project, "events")["columns"][2] == {"name": "x", "type": "float?"}  # of its own, 7 would be an int
    assert made(project) == ["2024-01-04"]
    project.file("events/4.csv", "day,id,x\n2024-01-05,4,2.5\n")
    apply(project, BY_FILE)
    assert made(project) == ["2024-01-05"]
    (project.root / "events/4.csv").rename(project.root / "events/5.csv")
    applied = apply(project, BY_FILE)
    assert made(project) == [] and told(applied, "parted", "events") == []
    project.file("events/6.csv", "day,id,x\n2024-01-05,4,2.5\n")
    failed = told(apply(project, BY_FILE), "failed", "events")[0]
    assert 'id is "4" in more than one part, expected unique' in failed["message"]


def test_a_file_that_does_not_fit_is_named(project: Project) -> None:
    for day in range(2):
        project.file(f"events/{day}.csv", f"day,id,x\n{FIRST + timedelta(days=day)},{day},1.5\n")
    project.file("events/1.csv", "day,id,x\n2024-01-02,one,1.5\n")
    applied = apply(project, BY_FILE)
    failed = told(applied, "failed", "events")[0]
    assert "line 2 of events/1.csv" in failed["message"]
    assert [bool(one["failure"]) for one in told(applied, "parted", "events")].count(True) == 1


# --- what goes wrong ------------------------------------------------------------------------------------------


def test_a_part_that_fails_is_named_and_the_others_stay(project: Project) -> None:
    bad = BY_DAY.replace("{ each .day }", '{ each .day; bad = "2024-01-02" }')
    applied = apply(project, bad)
    failed = told(applied, "failed")[0]
    assert failed["message"].startswith("could not make daily for day 2024-01-02: ") and applied["exit_code"] == 4
    assert "nothing is right on 2024-01-02" in failed["message"]
    assert len(made(project)) == 3
    apply(project, bad)
    assert made(project) == ["2024-01-02"]
    project.write(events__csv=events(4))
    apply(project, bad)
    assert made(project) == ["2024-01-02", "2024-01-04"]
    assert "1 of 4 parts" in project.run("plan").out


def test_retries_are_of_each_part(project: Project) -> None:
    spec = SPEC + 'data daily from events by python "steps.py:flaky" {\n  each .day\n  needs retries = 1\n}\n'
    assert apply(project, spec)["exit_code"] == 0
    assert len(list(project.root.glob("tried-*"))) == 3


def test_a_kill_loses_no_part_but_those_under_way(project: Project) -> None:
    spec = BY_DAY.replace("{ each .day }", "{ each .day; wait = 0.3 }")
    project.write(events__csv=events(12), m__mlspec=spec)
    applying = project.start("apply", "--workers", "2")
    file = project.root / "made.txt"
    until(lambda: file.exists() and len(file.read_text().split()) >= 6)
    os.kill(applying.pid, signal.SIGKILL)
    applying.communicate()
    before = len(made(project))
    apply(project, spec)
    again = made(project)
    assert 12 - before <= len(again) <= 12 - before + 2
    assert shown(project)["parts"] == 12


def test_a_damaged_part_is_found_and_made_again(project: Project) -> None:
    apply(project, BY_DAY)
    made(project)
    objects = Objects(project.root / ".mlspec")
    part = objects.path(objects.listing(shown(project)["digest"])["part-00001.parquet"], verify=False)
    part.chmod(0o644)
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    spec = BY_DAY + 'data total from daily by sql "select sum(double) as s from daily"\n'
    assert apply(project, spec)["exit_code"] == 0
    assert made(project) == ["2024-01-02"]


def test_gc_keeps_the_parts(project: Project) -> None:
    apply(project, BY_DAY)
    made(project)
    before = len(project.objects())
    assert project.run("gc").code == 0
    assert len(project.objects()) < before  # the rows that went into the parts
    project.write(events__csv=events(4))
    apply(project, BY_DAY)
    assert made(project) == ["2024-01-04"]
    apply(project, BY_DAY.replace("{ each .day }", "{ each .day; wait = 0.01 }"))  # now their rows are wanted again
    assert len(made(project)) == 4


def test_why_tells_which_parts_are_new(project: Project) -> None:
    apply(project, BY_DAY)
    project.write(events__csv=events(5))
    apply(project, BY_DAY.replace("{ each .day }", '{ each .day; bad = "2024-01-05" }'))
    project.write(m__mlspec=BY_DAY)
    why = project.run("why", "daily").out
    assert "day 2024-01-04 is new" in why and "day 2024-01-05 is new" in why
    assert "2 of 5 parts" in project.run("plan").out


def test_a_column_that_shows_only_when_it_runs(project: Project) -> None:
    spec = BY_DAY + 'data again from daily by python "steps.py:as_polars" { each .dya }\n'
    failed = told(apply(project, spec), "failed", "again")[0]
    assert "it has no column dya" in failed["message"] and "did you mean .day?" in failed["help"]


# --- who reads them -------------------------------------------------------------------------------------------


def test_everyone_reads_all_parts(project: Project) -> None:
    spec = (
        BY_DAY
        + """data copied from daily by python "steps.py:one_file"
data summed from daily by python "steps.py:as_polars"
data shelled from daily by shell "cp $daily $OUTPUT"
data train, test from daily by split { test = 3; order = .id }
model m from daily by python "sklearn.linear_model:LinearRegression" {
  predict .double from .x
  measure rmse on daily
  expect .rmse < 0.001
}
data scores from daily by m { each .day }
data shells from daily by shell "cp $daily $OUTPUT" { each .day }
"""
    )
    applied = apply(project, spec)
    assert applied["exit_code"] == 0, told(applied, "failed", "m")
    assert shown(project, "copied")["rows"] == shown(project, "shelled")["rows"] == 9
    assert shown(project, "summed")["first"] == [{"x": 13.5}]
    assert (shown(project, "train")["rows"], shown(project, "test")["rows"]) == (6, 3)
    assert shown(project, "scores")["parts"] == shown(project, "shells")["parts"] == 3
    assert shown(project, "shells")["digest"] == shown(project)["digest"]
    for file, rows in (("out.parquet", 9), ("out.csv", 10), ("out.jsonl", 9)):
        assert project.run("export", "daily", file).code == 0
        content = project.root / file
        found = (
            tables.read_file(content).num_rows if file.endswith("parquet") else len(content.read_text().splitlines())
        )
        assert found == rows


def test_a_notebook_makes_parts(project: Project) -> None:
    cell = {"cell_type": "code", "source": "clean = events[events.x > 1]", "metadata": {}, "outputs": [],
            "execution_count": None}  # fmt: skip
    project.file("clean.ipynb", json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]}))
    project.write(events__csv=events(2))
    assert apply(project, SPEC + 'data clean from events by notebook "clean.ipynb" { each .day }\n')["exit_code"] == 0
    assert (shown(project, "clean")["rows"], shown(project, "clean")["parts"]) == (4, 2)


# --- partitioned equals whole ---------------------------------------------------------------------------------

KEYS = {
    "int": st.integers(-(2**60), 2**60), "text": st.text(max_size=4), "bool": st.booleans(),
    "date": st.dates(date(1, 1, 1), date(9999, 12, 31)),
    "timestamp": st.datetimes().map(lambda moment: moment.replace(tzinfo=None)),
}  # fmt: skip
ROWS = st.sampled_from(sorted(KEYS)).flatmap(
    lambda type_: st.tuples(
        st.just(type_), st.lists(st.tuples(st.one_of(st.none(), KEYS[type_]), st.integers(0, 9)), max_size=30)
    )
)
TYPES = {
    "int": pa.int64(),
    "text": pa.string(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ROWS)
def test_the_rows_of_all_parts_are_those_of_the_whole(
    tmp_path_factory: pytest.TempPathFactory, rows: tuple[str, list[tuple[Any, int]]]
) -> None:
    type_, cells = rows
    objects = Objects(tmp_path_factory.mktemp("store"))
    table = pa.table(
        {"k": pa.array([k for k, _ in cells], TYPES[type_]), "n": pa.array([n for _, n in cells], pa.int64())}
    )
    whole = tables.write(table, objects).digest
    in_parts = parted(objects, whole)
    assert rows_of(tables.read(objects, made_by_sql(objects, in_parts))) == rows_of(
        tables.read(objects, made_by_sql(objects, whole))
    )
    again = division.divide(divide("k", whole), objects)
    assert again == division.divide(divide("k", put_back(objects, again)), objects)  # by its footers as by its rows
    assert [part.of for part in again.parts][:-1].count(None) == 0  # the missing value is the last


def divide(column: str, *digests: str, made: tuple[str, ...] = ()) -> Divide:
    inputs = tuple(Given(alias=f"t{i}", name=f"t{i}", kind="data", digest=digest) for i, digest in enumerate(digests))
    return Divide(name="daily", column=column, inputs=inputs, made=made, root=".")


def made_by_sql(objects: Objects, digest: str) -> str:
    recipe = Recipe(word="sql", text="select k, n + 1 as m from t where n <> 4")
    given_ = (Given(alias="t", name="t", kind="data", digest=digest),)
    return (
        sql.make(Make(key="", names=("o",), kind="data", recipe=recipe, inputs=given_, root="."), objects)
        .outputs["o"]
        .digest
    )


def parted(objects: Objects, digest: str) -> str:
    found = division.divide(divide("k", digest), objects).parts
    assert sum(part.rows or 0 for part in found) == tables.read(objects, digest).num_rows
    pieces = [(part.of, part.own[0]) for part in found]
    return tables.put_together(pieces, objects)


def put_back(objects: Objects, found: Any) -> str:
    return tables.put_together([(part.of, part.own[0]) for part in found.parts], objects)


def rows_of(table: pa.Table) -> list[str]:
    return sorted(map(str, table.to_pylist()))


# --- dividing and joining -------------------------------------------------------------------------------------


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects(tmp_path)


def test_rows_of_parts_that_are_made_are_not_kept(objects: Objects) -> None:
    digest = tables.write(pa.table({"k": [1, 1, 2], "n": [1, 2, 3]}), objects).digest
    other = Objects(objects.root / "other")
    other.put_bytes(objects.path(digest).read_bytes())
    first = division.divide(divide("k", digest), objects)
    second = division.divide(divide("k", digest, made=first.parts[0].own), other)
    assert first == second
    assert [other.has(part.own[0]) for part in second.parts] == [False, True]


def test_a_table_in_parts_gives_them_without_a_scan(objects: Objects, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = tables.write(pa.table({"k": ["b", "a", "b", None], "n": [1, 2, 3, 4]}), objects).digest
    found = division.divide(divide("k", whole), objects)
    in_parts = tables.put_together([(part.of, part.own[0]) for part in found.parts], objects)
    by_another = division.divide(divide("n", in_parts), objects)
    monkeypatch.setattr(tables, "read", lambda *_: pytest.fail("it was read"))
    assert division.divide(divide("k", in_parts), objects) == found
    assert division.divide(divide("", in_parts), objects) == found  # as it was made
    assert [part.of for part in by_another.parts] == [1, 2, 3, 4]


def test_more_parts_than_there_may_be_are_told(objects: Objects) -> None:
    digest = tables.write(pa.table({"k": range(10_001)}), objects).digest
    with pytest.raises(Trouble, match="10,001 values, and 10,000 parts are the most"):
        division.divide(divide("k", digest), objects)
    floats = tables.write(pa.table({"k": [0.5]}), objects).digest
    with pytest.raises(Trouble, match=r"\.k is float, which makes no parts"):
        division.divide(divide("k", floats), objects)


def test_a_value_that_another_input_lacks_gives_it_no_rows(objects: Objects) -> None:
    first = tables.write(pa.table({"k": ["a", "b"]}), objects).digest
    other = tables.write(pa.table({"k": ["b", "c"], "n": [1, 2]}), objects).digest
    found = division.divide(divide("k", first, other), objects).parts
    assert [part.of for part in found] == ["a", "b"]
    assert [tables.read(objects, part.own[1]).num_rows for part in found] == [0, 1]


def join(objects: Objects, *parts_: pa.Table, declared: tuple[Column, ...] = ()) -> Any:
    outputs = [(number, tables.write(table, objects)) for number, table in enumerate(parts_)]
    shapes = list(dict.fromkeys(one.columns for _, one in outputs))
    pieces = [
        Piece(of=of, outputs=((one.digest, one.rows or 0, one.bytes, shapes.index(one.columns)),))
        for of, one in outputs
    ]
    order = Join(names=("daily",), column="day", pieces=tuple(pieces), shapes=tuple(one or () for one in shapes),
                 declared=declared, root=".")  # fmt: skip
    return joining.join(order, objects).outputs["daily"]


def test_parts_take_the_columns_of_the_whole(objects: Objects) -> None:
    whole = join(
        objects,
        pa.table({"a": [1], "b": pa.array([None], pa.null())}),
        pa.table({"b": [2], "a": [0.5]}),
        pa.table({"a": pa.array([], pa.string())}),
    )
    assert {column.name: str(column.type) for column in whole.columns} == {"a": "float", "b": "int?"}
    assert tables.read(objects, whole.digest).to_pylist() == [{"a": 1.0, "b": None}, {"a": 0.5, "b": 2}]
    assert (whole.rows, whole.kind, whole.digest.startswith(FOLDER)) == (2, "table", True)


@pytest.mark.parametrize(
    ("other", "cause"),
    [
        ({"a": ["x"]}, r"\.a is int in the part of day 0, and text in the part of day 1"),
        ({"b": [1]}, "the part of day 1 lacks a and also has b, unlike that of day 0"),
    ],
)
def test_parts_that_do_not_go_together_are_named(objects: Objects, other: dict[str, Any], cause: str) -> None:
    with pytest.raises(Trouble, match=cause):
        join(objects, pa.table({"a": [1]}), pa.table(other))


def test_what_is_unique_is_so_in_all_parts(objects: Objects) -> None:
    declared = (Column(name="a", type=INT, unique=True), Column(name="b", type=TEXT), Column(name="c", type=FLOAT))
    row = {"a": [1], "b": ["x"], "c": [0.5]}
    with pytest.raises(Trouble, match='a is "1" in more than one part, expected unique'):
        join(objects, pa.table(row), pa.table(row), declared=declared)


def test_the_orders_of_the_parts_are_data(project: Project) -> None:
    """Any runtime may do them: each has its key, and is made as any other order."""
    from mlspec.compiler.parts import Part
    from mlspec.runtimes.local.session import Session

    project.write(m__mlspec=BY_DAY)
    program = Session(project.root / "m.mlspec").check().program
    node = program.node_of()["daily"]
    make = Make(key="whole", names=("daily",), kind="data", recipe=node.recipe, root=str(project.root),
                inputs=(Given(alias="events", name="events", kind="data", digest="d"),))  # fmt: skip
    making = {"recipe": "python 1", "input events": "d", "each": ".day of events"}
    found = list(parts.orders(node, make, [Part(of="2024-01-01", own=("p",)), Part(of=None, own=("q",))], making, {}))
    assert [order.inputs[0].digest for order, _ in found] == ["p", "q"]
    assert found[0][1] == {"recipe": "python 1", "input events": "p"} and found[0][0].key != found[1][0].key


@pytest.mark.parametrize(
    "query", ["select * from people", "select town, sum(pay) as s, list(id) as l from people group by town"]
)
def test_small_inputs_give_the_same_bytes_as_large_ones(
    objects: Objects, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    people = pa.table(
        {
            "id": range(9000),
            "town": ["Bern", None, "Chur"] * 3000,
            "pay": [i / 7 for i in range(9000)],
            "at": [FIRST] * 9000,
        }
    )
    digest = tables.write(people, objects).digest
    order = Make(key="", names=("o",), kind="data", recipe=Recipe(word="sql", text=query), root=".",
                 inputs=(Given(alias="people", name="people", kind="data", digest=digest),))  # fmt: skip
    small = sql.make(order, objects)
    monkeypatch.setattr(sql, "SMALL", 0)
    assert sql.make(order, objects) == small
