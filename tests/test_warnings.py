"""What ruins models: seen in the text, asked of the data, told once, and not told where it is said to be known."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from helpers import Project
from hypothesis import given, settings
from hypothesis import strategies as st
from mlspec.compiler import lineage
from mlspec.compiler.ancestry import Ancestry, Value
from mlspec.compiler.doubts import is_key
from mlspec.compiler.incremental import Editing
from mlspec.compiler.load import InMemory
from mlspec.compiler.pipeline import compile_text
from mlspec.compiler.program import Doubt, Program
from mlspec.compiler.types import Column, Columns, Type
from mlspec.grammar.codes_warnings import WARNINGS
from mlspec.runtimes import tables
from mlspec.runtimes.facts import about_table
from mlspec.runtimes.order import Question
from mlspec.runtimes.store.objects import Objects


def columns(**types: str) -> Columns:
    return tuple(Column(name=name, type=Type.model_validate({"base": base})) for name, base in types.items())


PEOPLE = columns(id="int", age="float", town="text", left="bool", since="date", customer_id="int")
SCALED = """
from sklearn.preprocessing import StandardScaler

def scale(frame):
    return StandardScaler().fit_transform(frame)

def scaled(people):
    return scale(people)

def plain(people):
    return people
"""
FILES = InMemory({"steps.py": SCALED}, {"people.csv": PEOPLE})
HEAD = 'data people from csv "people.csv"\n'
SPLIT = "data train, test from people by split {\n  test = 20%\n}\n"


def model(on: str, *lines: str, predict: str = ".left from .age", name: str = "m") -> str:
    body = "\n  ".join([f"predict {predict}", *lines])
    return f'model {name} from {on} by python "sklearn.linear_model:LogisticRegression" {{\n  {body}\n}}\n'


def program(text: str) -> Program:
    return compile_text("a.mlspec", HEAD + text, FILES).program


def told(text: str) -> list[str]:
    compiled = compile_text("a.mlspec", HEAD + text, FILES)
    assert compiled.sound, compiled.diagnostics
    return [one.code for one in compiled.diagnostics]


# --- lineage --------------------------------------------------------------------------------------------------

F: lineage.Inputs = (("f", ("id", "a", "b", "y")), ("g", ("id", "z")))


@pytest.mark.parametrize(
    ("select", "columns_of", "same"),
    [
        ("y as x", {"y"}, True),
        ("cast(y as int) as x", {"y"}, True),
        ("f.y as x", {"y"}, True),
        ("a + b as x", {"a", "b"}, False),
        ("case when y then 1 else 0 end as x", {"y"}, False),
        ("coalesce(a, b, 0) as x", {"a", "b"}, False),
        ("y is null as x", {"y"}, False),
        ("y in (1, 2) as x", {"y"}, False),
        ("a between b and 3 as x", {"a", "b"}, False),
        ("sum(y) over (partition by id) as x", {"y"}, False),
        ("lag(y) over (order by id) as x", set(), False),
        ("sum(y) over (order by id) as x", set(), False),
        ("(select max(y) from f) as x", set(), False),
        ("1 as x", set(), False),
    ],
)
def test_of_what_a_column_is_made(select: str, columns_of: set[str], same: bool) -> None:
    origin = lineage.of(f"select id, {select} from f", F).columns["x"]
    assert {column for _, _, column in origin.columns} == columns_of
    assert origin.same is same


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("select * from f", "f"),
        ("select id from f where a > 1 limit 3", "f"),
        ("with x as (select * from f) select * from x", "f"),
        ("select * from (select * from f) t", "f"),
        ("select f.* from f left join g using (id)", "f"),
        ("select sum(a) over () from f", "f"),
        ("select count(*) from f", ""),
        ("select id, max(a) from f group by id", ""),
        ("select * from f union all select * from f", ""),
        ("select * from f right join g using (id)", ""),
        ("select no such thing", ""),
    ],
)
def test_whose_rows_come_out(query: str, rows: str) -> None:
    assert lineage.of(query, F).rows == rows


def test_through_queries_and_splits_to_the_source() -> None:
    found = Ancestry(program(
        'data b from people by sql "select *, not \\"left\\" as stays from people"\n'
        'data c from b by sql "with x as (select stays as s, age from b) select s as kept, age from x"\n'
        "data train, test from c by split {\n  test = 20%\n}\n"
    ))  # fmt: skip
    assert found.unchanged(Value("train", "kept"))[-1] == Value("b", "stays")
    assert Value("people", "left") in set(found.above(Value("train", "kept")))
    assert found.with_rows_of("train") == ["train", "c", "b", "people"]
    assert not found.share_rows("train", "test")


@settings(max_examples=200, deadline=None)
@given(st.text("abfgxy (),.*=<'\"\n+", max_size=40))
def test_no_query_is_too_strange(text: str) -> None:
    lineage.of(f"select {text} from f", F)


# --- in the text ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (model("people", "measure roc_auc on people"), ["W101"]),
        (SPLIT + model("train", "measure roc_auc on test"), []),
        (SPLIT + model("train", "measure roc_auc on people"), ["W101"]),
        (SPLIT + model("train", "measure roc_auc on test", "measure roc_auc as seen on train"), []),
        (model("people", "measure roc_auc on people  # ok: W101"), []),
        (model("people", "measure roc_auc on people").replace("{\n", "{  # ok: W101\n", 1), []),
    ],
)
def test_measured_where_it_was_fitted(text: str, codes: list[str]) -> None:
    assert told(text) == codes


@pytest.mark.parametrize(
    ("query", "predict", "codes"),
    [
        ('select *, \\"left\\" as gone from people', ".left from .gone", ["W102"]),
        ('select age, \\"left\\"::int as gone, \\"left\\" from people', ".gone from .left, .age", ["W102"]),
        ("select *, age > 60 as old from people", ".old from .age, .town", ["W102"]),
        ("select *, age > 60 as old from people", ".old from .town", []),
        ("select *, lag(age) over (order by id) as before from people", ".age from .before", []),
        ("select a.id, a.age, b.age as other from people a join people b on a.id = b.id + 1", ".age from .other", []),
        ("select *, avg(age) over (partition by town) as usual from people", ".age from .usual", ["W102"]),
        ("select *, age > 60 as old, random() as luck from people", ".old from .luck", []),
    ],
)
def test_the_target_among_the_features(query: str, predict: str, codes: list[str]) -> None:
    assert told(f'data b from people by sql "{query}"\n' + model("b", predict=predict)) == codes


@pytest.mark.parametrize(("function", "codes"), [("scaled", ["W103"]), ("plain", [])])
def test_fitted_before_the_split(function: str, codes: list[str]) -> None:
    before = f'data b from people by python "steps.py:{function}"\n' + SPLIT.replace("from people", "from b")
    assert told(before + model("train", "measure roc_auc on test")) == codes
    assert told(before + model("train")) == []


def test_a_batch_of_what_was_learned() -> None:
    fitted = SPLIT + model("train", "measure roc_auc on test")
    assert told(fitted + "data scores from people by m\n") == ["W104"]
    assert told(fitted + "data scores from test by m\n") == []
    assert told(fitted + "data scores from people by m  # ok: W104\n") == []
    new = 'data new from people by sql "select id, age from people"\n'
    assert told(fitted + new + "data scores from new by m\n") == []


def test_where_there_are_mistakes_there_are_no_warnings() -> None:
    compiled = compile_text("a.mlspec", HEAD + model("people", "measure roc_auc on people", "expect .f1 > 1"), FILES)
    assert [one.code for one in compiled.diagnostics] == ["E601"]


# --- what the data is asked -----------------------------------------------------------------------------------


def doubts(text: str) -> dict[str, Doubt]:
    return {doubt.code: doubt for node in program(text).nodes for doubt in node.doubts}


def test_what_is_asked_and_of_what() -> None:
    asked = doubts(SPLIT + model("train", "measure accuracy on test"))
    assert set(asked) == {"W201", "W202", "W203", "W204"}
    assert asked["W201"].of == ("train",) and asked["W201"].columns == ("age",)
    assert asked["W202"].of == ("train", "test") and asked["W202"].columns == ("id", "customer_id")
    assert asked["W203"].of == ("people",) and asked["W203"].columns == ("since",)
    assert asked["W204"].of == ("test",) and asked["W204"].measure == "accuracy"


def test_what_the_text_tells_the_data_is_not_asked_for() -> None:
    derived = 'data aged from people by sql "select *, age > 60 as old from people"\n' + SPLIT.replace("people", "aged")
    measured = model("train", "measure roc_auc on test", predict=".old from .age, .town")
    assert "W102" in told(derived + measured) and "W201" not in doubts(derived + measured)


def test_what_is_not_asked() -> None:
    measured = model("train", "measure roc_auc on test")
    assert set(doubts(SPLIT)) == set()
    assert set(doubts(SPLIT.replace("20%", "20%\n  order = .since") + measured)) == {"W201"}
    assert set(doubts(SPLIT.replace("20%", "20%\n  by = .id") + measured)) == {"W201", "W203"}
    assert set(doubts(SPLIT.replace("{\n", "{  # ok: W202, W203\n") + measured)) == {"W201"}
    assert doubts(SPLIT + model("train", "measure roc_auc on test", predict=".left from .id"))["W202"].but == ("id",)


def test_what_a_key_is_called() -> None:
    assert all(map(is_key, ("id", "ID", "customer_id", "customerID", "userId", "row_key", "uuid")))
    assert not any(map(is_key, ("paid", "valid", "humidity", "idea", "monkey", "Madrid")))


@pytest.fixture
def objects(tmp_path: Path) -> Objects:
    return Objects(tmp_path)


def ask(objects: Objects, doubt: Doubt, first: Mapping[str, Any], *others: Mapping[str, Any]) -> Any:
    digests = [tables.write(pa.table(dict(one)), objects).digest for one in (first, *others)]
    named = {f"other {place}": digest for place, digest in enumerate(digests[1:], 1)}
    return about_table(objects, digests[0], [Question(key="k", doubt=doubt, others=named)])["k"]


RANDOM = random.Random(3)
NOISE = [RANDOM.random() for _ in range(200)]
LEFT = [RANDOM.random() < 0.3 for _ in range(200)]


def determined(objects: Objects, **table: list[Any]) -> Any:
    return ask(objects, Doubt(code="W201", of=("train",), but=("y",), target="y"), table)


def test_a_column_that_tells_the_answer(objects: Objects) -> None:
    codes = [f"c{i % 7}" if left else f"d{i % 5}" for i, left in enumerate(LEFT)]
    assert determined(objects, x=NOISE, code=codes, y=LEFT)["column"] == "code"
    scores = [noise + 2 * left for noise, left in zip(NOISE, LEFT, strict=True)]
    assert determined(objects, x=NOISE, score=scores, y=LEFT)["column"] == "score"
    euros = [noise * 100 + 3 for noise in NOISE]
    assert determined(objects, x=[float(left) for left in LEFT], euros=euros, y=NOISE)["column"] == "euros"


def test_what_tells_no_answer(objects: Objects) -> None:
    nearly = [float("nan") if i == 9 else noise + left for i, (noise, left) in enumerate(zip(NOISE, LEFT, strict=True))]
    assert determined(objects, x=NOISE, near=nearly, each=list(range(200)), y=LEFT) is None
    assert determined(objects, x=[1, 2] * 5, y=[1, 2] * 5) is None, "few rows say nothing"
    rare = [i < 2 for i in range(200)]
    assert determined(objects, group=[i // 2 for i in range(200)], y=rare) is None, "that may be by chance"
    assert determined(objects, x=NOISE, y=[True] * 200) is None


def test_a_positive_value_is_asked_about(objects: Objects) -> None:
    table = {"x": ["a" if left else "b" for left in LEFT], "y": ["Yes" if left else "No" for left in LEFT]}
    doubt = Doubt(code="W201", of=("train",), columns=("x",), target="y", positive="Yes")
    assert ask(objects, doubt, table)["column"] == "x"


def test_the_same_key_on_both_sides(objects: Objects) -> None:
    doubt = Doubt(code="W202", of=("train", "test"), columns=("id", "customer_id"), but=("shop_id",))
    train = {"id": list(range(80)), "customer_id": [i % 40 for i in range(80)]}
    test = {"id": list(range(80, 100)), "customer_id": [i % 40 for i in range(20)]}
    assert ask(objects, doubt, train, test) == {"key": "customer_id", "other": 1, "shared": 20, "of": 40}
    apart = {"id": list(range(80, 100)), "customer_id": list(range(100, 120))}
    assert ask(objects, doubt, train, apart) is None
    by_name = doubt.model_copy(update={"columns": ("*",)})
    assert (
        ask(objects, by_name, {"shop_id": [1, 2] * 20, "x": NOISE[:40]}, {"shop_id": [1, 2] * 20, "x": NOISE[40:80]})
        is None
    )


def test_the_same_row_on_both_sides(objects: Objects) -> None:
    doubt = Doubt(code="W202", of=("train", "test"))
    found = ask(objects, doubt, {"x": NOISE[:50]}, {"x": NOISE[45:60]})
    assert found == {"key": "", "other": 1, "shared": 5, "of": 60}
    assert ask(objects, doubt, {"x": [1, 2] * 50}, {"x": [1, 2] * 5}) is None, "rows of few kinds are no doubles"


DAYS = [date(2020, 1, 1) + timedelta(days=i) for i in range(100)]


def test_rows_in_time(objects: Objects) -> None:
    doubt = Doubt(code="W203", of=("a",), columns=("day",))
    assert ask(objects, doubt, {"day": DAYS}) == {"column": "day"}
    assert ask(objects, doubt, {"day": [day for day in DAYS[:30] for _ in range(3)]}) == {"column": "day"}
    mixed = RANDOM.sample(DAYS, 100)
    assert ask(objects, doubt, {"day": mixed}) == {"column": "day"}, "one row a day, in whatever order"
    irregular = RANDOM.sample(DAYS, 40)
    assert ask(objects, doubt, {"day": irregular}) is None
    ordered_by_us = doubt.model_copy(update={"but": ("day",)})
    assert ask(objects, ordered_by_us, {"day": sorted(irregular)}) is None
    assert ask(objects, doubt, {"day": [DAYS[0]] * 50}) is None


def test_the_share_of_the_most_frequent_answer(objects: Objects) -> None:
    doubt = Doubt(code="W204", of=("test",), target="y", measure="accuracy")
    assert ask(objects, doubt, {"y": ["a"] * 9 + ["b"]}) == pytest.approx(0.9)
    yes = doubt.model_copy(update={"positive": "b"})
    assert ask(objects, yes, {"y": ["a"] * 5 + ["b"] * 2 + ["c"] * 3}) == pytest.approx(0.8)


def test_a_question_that_cannot_be_answered_is_no_failure(objects: Objects) -> None:
    assert ask(objects, Doubt(code="W201", of=("a",), target="nowhere"), {"x": NOISE}) is None


# --- as a person meets them -----------------------------------------------------------------------------------


def people(project: Project) -> Project:
    rows = ["customer_id,day,x,status,gone"]
    for i, (noise, left) in enumerate(zip(NOISE, LEFT, strict=True)):
        rows.append(
            f"{i % 50},{date(2020, 1, 1) + timedelta(days=i)},{noise:.4f},{'closed' if left else 'open'},{str(left).lower()}"
        )
    project.file("people.csv", "\n".join(rows) + "\n")
    return project.write(a__mlspec=SPEC)


SPEC = """
data people from csv "people.csv"
data train, test from people by split {
  test = 20%
  seed = 1
}
model knows from train by python "sklearn.tree:DecisionTreeClassifier" {
  predict .gone from .x, .status
  measure accuracy on test
}
model same from train by python "sklearn.dummy:DummyClassifier" {
  predict .gone from .x
  measure accuracy on test
}
"""


def codes(events: list[dict[str, Any]]) -> dict[str, list[str]]:
    return {event["name"]: [one["code"] for one in event["warned"]] for event in events if event.get("warned")}


def test_an_apply_tells_what_the_data_says_and_a_second_costs_nothing(project: Project) -> None:
    people(project)
    ran = project.apply()
    assert ran.code == 0, ran.text
    assert "warning[W201]: status alone tells gone: each of its 2 values goes with one answer (a.mlspec:7)" in ran.out
    assert "warning[W202]:" in ran.out and "values of customer_id stand in train and in test (a.mlspec:3)" in ran.out
    assert "warning[W203]: the rows of people follow each other in time by day" in ran.out
    assert "warning[W204]: accuracy = " in ran.out
    assert ran.out.count("if it is meant so: # ok: W20") == 4
    assert project.apply().out.startswith("Nothing to be made")
    assert "warning[W203]" in project.run("show", "train").out
    assert [one["code"] for one in project.data("show", "knows")["warnings"]] == ["W201"]


def test_make_tells_the_place_in_the_spec_that_was_applied(project: Project) -> None:
    people(project)
    project.write(a__mlspec=SPEC + 'env there on make { store = "made" }')
    ran = project.apply("--on", "there")
    assert ran.code == 0 and "goes with one answer (a.mlspec:7)" in ran.out, ran.text
    assert "project/" not in ran.out


def test_what_is_known_is_neither_asked_nor_told(project: Project) -> None:
    people(project)
    known = SPEC.replace("test = 20%", "test = 20%  # ok: W202, W203").replace(
        "from .x, .status", "from .x, .status  # ok: W201"
    )
    project.file("a.mlspec", known)
    found = codes(project.data("apply")["events"])
    assert found == {"same": ["W204"]}
    project.file("a.mlspec", SPEC)
    assert codes(project.data("apply")["events"]) == {"knows": ["W201"], "train, test": ["W202", "W203"]}


def test_each_warning_says_how_to_say_that_it_is_known() -> None:
    assert all(f"# ok: {code.id}" in code.why for code in WARNINGS)


EDITS = (
    SPLIT + model("train", "measure roc_auc on test"),
    SPLIT + model("train", "measure roc_auc on people"),
    "# a line above\n" + SPLIT + model("train", "measure roc_auc on people"),
    SPLIT + model("train", "measure roc_auc on people  # ok: W101"),
    SPLIT + model("train", "measure roc_auc on people") + "data scores from people by m\n",
    'data b from people by python "steps.py:scaled"\n' + SPLIT.replace("from people", "from b"),
    'data b from people by python "steps.py:scaled"\n' + SPLIT.replace("from people", "from b") + model("train", "measure roc_auc on test"),
    'data b from people by python "steps.py:plain"\n' + SPLIT.replace("from people", "from b") + model("train", "measure roc_auc on test"),
    SPLIT.replace("20%", "twenty") + model("train", "measure roc_auc on people"),
)  # fmt: skip


def test_under_edit_the_same_is_told_as_of_the_whole_text() -> None:
    editing = Editing("a.mlspec", FILES)
    for seed in range(40):
        text = HEAD + random.Random(seed).choice(EDITS)
        now, whole = editing.compile(text), compile_text("a.mlspec", text, FILES)
        assert now.diagnostics == whole.diagnostics, text
        assert [node.doubts for node in now.program.nodes] == [node.doubts for node in whole.program.nodes]
