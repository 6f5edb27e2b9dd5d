"""Queries over tables of the store: the same bytes each time, nothing reached but the inputs, plain words for failures."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from helpers import Project
from mlspec.compiler.program import Needs, Recipe
from mlspec.compiler.types import FLOAT, INT, TEXT, Column, Columns
from mlspec.runtimes import tables
from mlspec.runtimes.order import Given, Make, Outcome
from mlspec.runtimes.recipes import sql
from mlspec.runtimes.store.objects import Objects
from mlspec.runtimes.trouble import Trouble

PEOPLE = pa.table({"id": [3, 1, 2], "town": ["Bern", None, "Chur"], "pay": [0.1, 0.2, 0.3]})


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects(tmp_path / "a store's")


def run(
    objects: Objects,
    query: str,
    declared: Columns = (),
    needs: Needs | None = None,
    people: pa.Table = PEOPLE,
    **arguments: Any,
) -> Outcome:
    digest = tables.write(people, objects).digest
    order = Make(
        key="k", names=("out",), kind="data", recipe=Recipe(word="sql", text=query), arguments=arguments, root=".",
        inputs=(Given(alias="people", name="persons", kind="data", digest=digest),), declared=declared, needs=needs or Needs(),
    )  # fmt: skip
    return sql.make(order, objects)


def table(objects: Objects, query: str, **more: Any) -> pa.Table:
    return tables.read(objects, run(objects, query, **more).outputs["out"].digest)


def trouble(objects: Objects, query: str, **more: Any) -> Trouble:
    with pytest.raises(Trouble) as caught:
        run(objects, query, **more)
    return caught.value


def test_rows_come_out_ordered_by_all_columns_missing_first(objects: Objects) -> None:
    assert table(objects, "select town, id from people")["town"].to_pylist() == [None, "Bern", "Chur"]


@pytest.mark.parametrize(
    "query", ["select id from people order by id desc", "from people select id order by 1 desc -- so"]
)
def test_an_order_of_the_query_itself_stays(objects: Objects, query: str) -> None:
    assert table(objects, query)["id"].to_pylist() == [3, 2, 1]


def test_an_order_further_in_is_none_of_the_result(objects: Objects) -> None:
    query = "with x as (select id from people order by id desc limit 2) select * from x"
    assert table(objects, query)["id"].to_pylist() == [2, 3]


def test_the_same_rows_give_the_same_bytes(objects: Objects) -> None:
    query = "select town, sum(pay) as pay, count(*) as n from people group by all"
    one, two = run(objects, query), run(objects, query, people=PEOPLE.take([2, 0, 1]))
    assert one.outputs["out"].digest == two.outputs["out"].digest


def test_values_are_bound_by_name(objects: Objects) -> None:
    query = "select id from people where id >= $least and town in (select unnest($towns)) and '$odd' = '$' || $word"
    found = table(objects, query, least=2, towns=("Bern", "Chur", "x"), word="odd", other="not in the query")
    assert found["id"].to_pylist() == [2, 3]


def test_dates_are_bound_as_dates(objects: Objects, tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    project.file("people.csv", "joined\n2020-01-31\n2021-01-31\n")
    project.file(
        "a.mlspec",
        """
param since: date = 2021-01-01
param days: list[date] = [2021-01-31]
data people from csv "people.csv" { joined: date; expect max(.joined) > since }
data out from people by sql "select year($since) as y, $at as at from people where joined > $since and joined in $days" {
  at = 2021-01-01T10:00
}
""",
    )
    ran = project.apply("a.mlspec")
    assert ran.code == 0, ran.text
    shown = project.data("show", "out", "a.mlspec")
    assert shown["first"] == [{"y": 2021, "at": "2021-01-01 10:00:00"}]


def test_an_argument_is_never_pasted(objects: Objects) -> None:
    assert table(objects, "select $x as x", x="' or 1 = 1 --")["x"].to_pylist() == ["' or 1 = 1 --"]


def test_what_is_drawn_is_the_same_each_time(objects: Objects) -> None:
    query = "select id, random() + 0 * $seed as r from people"
    assert table(objects, query, seed=1).equals(table(objects, query, seed=1))
    assert not table(objects, query, seed=1).equals(table(objects, query, seed=2))
    assert table(objects, "select random() as r").equals(table(objects, "select random() as r"))


def test_an_empty_result_keeps_its_types(objects: Objects) -> None:
    query = (
        "select id, town, pay, sum(id) as n, date '2020-01-01' as d, [id] as l from people where id > 9 group by all"
    )
    columns = run(objects, query).outputs["out"].columns
    assert [str(c.type) for c in columns or ()] == ["int", "text", "float", "int", "date", "list[int]"]


def test_the_types_of_duckdb_become_those_of_the_language(objects: Objects) -> None:
    query = """select sum(id) as n, 1.5 as half, 'x'::enum('x', 'y') as e, timestamptz '2020-01-01 01:00+01' as t,
               current_setting('TimeZone') as zone, null as nothing from people;"""
    assert table(objects, query).to_pylist() == [
        {"n": 6, "half": 1.5, "e": "x", "t": datetime(2020, 1, 1), "zone": "UTC", "nothing": None}
    ]


def test_declared_columns_must_be_so(objects: Objects) -> None:
    declared = (Column(name="id", type=FLOAT), Column(name="town", type=TEXT))
    assert (
        table(objects, "select id, coalesce(town, '') as town from people", declared=declared)["id"].type
        == pa.float64()
    )
    found = trouble(objects, "select id, town from people", declared=declared)
    assert (found.action, "town is missing" in found.cause) == ("make out", True)
    assert "no column id" in trouble(objects, "select town from people where town <> ''", declared=declared).cause


def test_more_cores_order_rows_the_same(objects: Objects) -> None:
    many = pa.table({"id": [i * 7919 % 100_003 for i in range(100_003)]})
    found = table(objects, "select id, id % 10 as d from people", people=many, needs=Needs(cpu=2.5, memory=10**9))
    assert found["id"].to_pylist() == list(range(100_003))


# --- what cannot be ------------------------------------------------------------------------------------------


def test_a_failing_value_is_told_with_its_place(objects: Objects) -> None:
    found = trouble(objects, "select id,\n  cast(town as int) as n\nfrom people")
    assert found.action == "run the query of out"
    assert found.cause.startswith("could not convert string 'Bern' to INT32")
    assert found.detail.splitlines()[0] == "LINE 2:   cast(town as int) as n"
    assert found.detail.splitlines()[1].strip().startswith("^")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("select 1 as a; select 2 as a", "there are 2"),
        ("-- nothing", "there are none"),
        ("create table t as select 1", "this is another statement"),
        ("copy people to 'x.csv'", "this is another statement"),
        ("set threads = 8", "this is another statement"),
    ],
)
def test_a_query_is_one_select(objects: Objects, query: str, found: str) -> None:
    assert trouble(objects, query).cause == f"a query is one SELECT, and {found}"


def test_what_is_no_sql_is_told(objects: Objects) -> None:
    assert trouble(objects, "selec id from people").cause == 'syntax error at or near "selec"'


def test_a_query_reaches_nothing_but_its_inputs(objects: Objects, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    for query in (f"from '{secret}'", f"select * from read_text('{secret}')", f"select * from glob('{tmp_path}/*')"):
        assert "disabled" in trouble(objects, query).cause
    assert "does not exist" in trouble(objects, "select * from PEOPLE_OF_PYTHON").cause


def test_no_query_leaves_anything_for_the_next(objects: Objects, tmp_path: Path) -> None:
    run(objects, "select * from people")
    order = Make(key="k", names=("out",), kind="data", recipe=Recipe(word="sql", text="from people"), root=".")
    with pytest.raises(Trouble, match="people does not exist"):
        sql.make(order, objects)
    assert not list(objects.aside.glob("*"))


def test_a_folder_is_no_table(objects: Objects) -> None:
    folder = objects.scratch()
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    given = Given(alias="files", name="pages", kind="data", digest=objects.put_folder(folder))
    order = Make(
        key="k", names=("out",), kind="data", recipe=Recipe(word="sql", text="from files"), inputs=(given,), root="."
    )
    with pytest.raises(Trouble, match="pages is a folder of files, not a table"):
        sql.make(order, objects)


def test_too_little_memory_is_a_memory_error(objects: Objects) -> None:
    """The job words it for all recipes."""
    needs = Needs(memory=20_000_000)
    with pytest.raises(MemoryError):
        run(objects, "select list(i::varchar || 'some more text') as l from range(3000000) t(i)", needs=needs)


def test_two_columns_of_one_name_are_told(objects: Objects) -> None:
    assert "two of its columns are named id" in trouble(objects, "select id, id from people").cause


def test_dates_of_arguments_compare_when_cast(objects: Objects) -> None:
    people = pa.table({"day": [date(2020, 1, 1), date(2021, 1, 1)]})
    query = "select day from people where day >= $since::date"
    assert table(objects, query, people=people, since="2020-06-01")["day"].to_pylist() == [date(2021, 1, 1)]


def test_int_is_what_a_count_gives(objects: Objects) -> None:
    assert (run(objects, "select count(*) as n from people").outputs["out"].columns or ())[0].type == INT
