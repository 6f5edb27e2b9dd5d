"""`env`, `set`, secrets, schedules, `last` as an input and the lock, as a person meets them."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import time
import urllib.parse

import pytest
from helpers import Project, until

SPEC = """mlspec 1

param low: int = 1

data raw from csv "raw.csv"
data some from raw by sql "select * from raw where n >= $low"
data twice from some by python "steps.py:times" { by = 2 }

env more on local {
  store = "shared"
  set low = 2
  set twice.by = 3
  set twice.needs.retries = 1
}
"""
STEPS = "def times(some, by):\n    return some.assign(n=some.n * by)\n"


@pytest.fixture
def spec(project: Project) -> Project:
    return project.write(a__mlspec=SPEC, raw__csv="n\n1\n2\n3\n", steps__py=STEPS)


def test_a_spec_for_others_is_looked_at_alone(spec: Project) -> None:
    spec.write(a__mlspec=SPEC.replace("int = 1", "int"))
    assert "mlspec check --set 'low = …'" in spec.run("check").err
    assert spec.run("check", "--set", "low = 3").code == 0
    assert "make    some" in spec.run("plan", "--set", "low = 3").out
    assert "could not save the plan" in spec.run("plan", "--set", "low = 3", "--save", "a.plan").err


def test_no_fewer_than_one_step_runs(spec: Project) -> None:
    ran = spec.apply("--workers", "0")
    assert (ran.code, "0 is no whole number of 1 or more" in ran.err) == (2, True)


def test_an_environment_sets_params_and_arguments(spec: Project) -> None:
    assert spec.apply().code == 0
    assert spec.apply("--on", "more").code == 0
    assert spec.data("show", "twice")["first"] == [{"n": 2}, {"n": 4}, {"n": 6}]
    assert spec.data("show", "twice", "--on", "more")["first"] == [{"n": 6}, {"n": 9}]


def test_each_environment_has_its_names_and_its_store(spec: Project) -> None:
    assert spec.apply("--on", "more").code == 0
    assert (spec.root / "shared" / "objects").is_dir()
    assert spec.data("status")["names"] == {}
    assert set(spec.data("status", "--on", "more")["names"]) == {"raw", "some", "twice"}


def test_two_specs_share_a_store(spec: Project) -> None:
    assert spec.apply("--on", "more").code == 0
    shutil.copy(spec.root / "a.mlspec", spec.root / "b.mlspec")
    assert set(spec.events("b.mlspec", "--on", "more").values()) == {"accepted"}


def test_mistakes_of_every_environment_are_told(spec: Project) -> None:
    spec.file("a.mlspec", SPEC.replace("set twice.by", "set twice.bye"))
    ran = spec.run("check")
    assert ran.code == 1
    assert "a.mlspec:12:13" in ran.err
    assert ran.err.count("error[") == 1


def test_an_environment_that_is_not_there(spec: Project) -> None:
    ran = spec.run("plan", "--on", "mor")
    assert (ran.code, "did you mean more?" in ran.err) == (2, True)


# --- secrets --------------------------------------------------------------------------------------------------

SECRET = 'secret key\ndata raw from csv "raw.csv"\ndata d from raw by python "s.py:f" { key = key }\n'
VALUE = "correct-horse-battery"


def test_a_secret_reaches_the_function_and_nothing_else(project: Project) -> None:
    project.write(a__mlspec=SECRET, raw__csv="n\n1\n")
    project.file(
        "s.py",
        "import os\ndef f(raw, key):\n    print('the key is', key)\n    os.system('echo $KEY >&2')\n    return raw.assign(n=len(key))\n",
    )
    ran = project.run("apply", env={"KEY": VALUE})
    assert ran.code == 0, ran.text
    assert project.data("show", "d")["first"] == [{"n": len(VALUE)}]
    log = project.run("logs", "d").out
    assert "the key is •••" in log
    project.run("compile", "--to", "out")
    project.run("plan", "--save", "plan.json")
    for path in project.root.rglob("*"):
        assert path.is_dir() or VALUE.encode() not in path.read_bytes(), path
    assert VALUE not in ran.text + log


def test_a_secret_in_an_error_is_hidden(project: Project) -> None:
    project.write(a__mlspec=SECRET, raw__csv="n\n1\n", s__py="def f(raw, key):\n    raise ValueError(f'bad {key}')\n")
    ran = project.run("apply", env={"KEY": VALUE})
    assert (ran.code, VALUE in ran.text, "bad •••" in ran.text) == (4, False, True)


@pytest.mark.parametrize("value", ["correct-horse-battery", 's3cr3t-Tök"en\\x', 'it\'s\ta "secret" of/ours?'])
def test_a_secret_is_hidden_however_it_is_written(project: Project, value: str) -> None:
    """In a line without end, in two pieces, as Python and JSON write it, in an address, in an exception's own words."""
    project.write(s__mlspec=SECRET, raw__csv="n\n1\n")
    project.file(
        "s.py",
        """
import json, sys, urllib.parse
def f(raw, key):
    for width in (1, 7, 4096, 65521):
        sys.stdout.write("." * width + (key + ",") * 20_000)
    for part in (key[:5], key[5:]):
        sys.stdout.write(part)
        sys.stdout.flush()
    print(repr(key), ascii([key]), json.dumps({"key": key}), json.dumps(key, ensure_ascii=False), urllib.parse.quote(key, safe=""))
    return {}[key]
""",
    )
    ran = project.run("apply", env={"KEY": value})
    assert ran.code == 4
    kept = ran.text.encode() + b"".join(
        path.read_bytes() for path in (project.root / ".mlspec").rglob("*") if path.is_file()
    )
    written = {
        value,
        repr(value)[1:-1],
        ascii(value)[1:-1],
        json.dumps(value)[1:-1],
        urllib.parse.quote(value, safe=""),
    }
    assert [form for form in written if form.encode() in kept] == [] and "•••".encode() in kept


def test_a_secret_that_is_not_set(project: Project) -> None:
    project.write(a__mlspec=SECRET, raw__csv="n\n1\n", s__py="def f(raw, key):\n    return raw\n")
    ran = project.apply()
    assert ran.code == 4
    assert "could not read the secret key: KEY is not set in the environment" in ran.text


def test_another_value_of_a_secret_makes_nothing(project: Project) -> None:
    project.write(a__mlspec=SECRET, raw__csv="n\n1\n", s__py="def f(raw, key):\n    return raw\n")
    assert project.run("apply", env={"KEY": "one"}).code == 0
    assert "Nothing to be made" in project.run("apply", env={"KEY": "two"}).out


# --- last as an input -----------------------------------------------------------------------------------------


def test_last_is_what_was_accepted_before(project: Project) -> None:
    project.write(
        a__mlspec='data raw from csv "raw.csv"\ndata total from raw, last total as before by python "s.py:f"\n',
        raw__csv="n\n1\n",
        s__py="def f(raw, before=None):\n    n = int(raw.n.sum()) + (0 if before is None else int(before.n[0]))\n"
        "    return raw.head(1).assign(n=n)\n",
    )
    assert project.apply().code == 0
    assert project.data("show", "total")["first"] == [{"n": 1}]
    assert "Nothing to be made" in project.apply().out  # a new last alone makes nothing
    project.file("raw.csv", "n\n10\n")
    assert project.apply().code == 0
    assert project.data("show", "total")["first"] == [{"n": 11}]


# --- every ----------------------------------------------------------------------------------------------------

EVERY = 'data raw from csv "raw.csv"\ndata now from raw by python "s.py:f" {\n  every 6h\n}\n'
CLOCK = """import pathlib

def f(raw):
    path = pathlib.Path("count")
    n = len(path.read_text()) if path.exists() else 0
    path.write_text("x" * (n + 1))
    return raw.assign(n=n)
"""


def test_what_is_due_is_made_again(project: Project) -> None:
    project.write(a__mlspec=EVERY, raw__csv="n\n1\n", s__py=CLOCK)
    assert project.apply().code == 0
    assert "Nothing to be made" in project.apply().out
    _seven_hours_later(project)
    plan = project.run("plan").out
    assert "due: every 6h" in plan
    assert project.events() == {"raw": "reused", "now": "made"}
    assert project.data("show", "now")["first"] == [{"n": 1}]
    assert "Nothing to be made" in project.apply().out


def _seven_hours_later(project: Project) -> None:
    """All that was made, was made seven hours earlier."""
    with sqlite3.connect(project.root / ".mlspec" / "state.db") as db:
        db.execute("update records set body = json_set(body, '$.at', json_extract(body, '$.at') - 25200)")
    db.close()


def test_apply_keep_applies_when_it_is_due(project: Project) -> None:
    project.write(a__mlspec=EVERY.replace("6h", "1m"), raw__csv="n\n1\n", s__py=CLOCK)
    assert project.apply().code == 0
    with sqlite3.connect(project.root / ".mlspec" / "state.db") as db:
        db.execute("update records set body = json_set(body, '$.at', ?)", (time.time() - 57,))
    db.close()
    process = project.start("apply", "--keep")
    try:
        until(lambda: (project.root / "count").read_text() == "xx")
    finally:
        process.kill()
        process.communicate()


# --- the lock -------------------------------------------------------------------------------------------------


def test_locked_builds_from_the_copy_in_the_store(project: Project) -> None:
    project.write(a__mlspec='data raw from csv "raw.csv"\n', raw__csv="n\n1\n")
    assert project.apply().code == 0
    lock = (project.root / "mlspec.lock").read_text()
    project.file("raw.csv", "n\n1\n2\n")
    assert "Nothing to be made" in project.apply("--locked").out
    assert project.apply().code == 0
    assert (project.root / "mlspec.lock").read_text() != lock
    project.file("mlspec.lock", lock)
    assert project.apply("--locked").code == 0
    assert project.data("show", "raw")["rows"] == 1


@pytest.mark.parametrize("meanwhile", ["", "x,m\nu,1\n", "m,n\n,\n"])
def test_locked_compiles_by_the_lock_where_the_file_is_gone_or_another(project: Project, meanwhile: str) -> None:
    spec = """data raw, bad from csv "raw.csv" { number: int from "the n" }
data few from raw by sql "select number, m, x, missing from raw where x >= 2"
env prod on local { store = "elsewhere" }
"""
    project.write(a__mlspec=spec, raw__csv="m,the n,x,missing\na,1,2,\n,2,1,\n")
    assert project.apply().code == 0
    kept = project.data("plan", "--locked")
    (project.root / "raw.csv").unlink()
    if meanwhile:
        project.file("raw.csv", meanwhile)
    assert project.run("check").code == 1
    assert "Nothing to be made" in project.run("plan", "--locked").out
    assert project.data("plan", "--locked") == kept
    assert "Nothing to be made" in project.apply("--locked").out


def test_a_column_without_any_value_pins_no_type(project: Project) -> None:
    project.write(a__mlspec='data raw from csv "raw.csv"\n', raw__csv="n,m\n")
    assert project.apply().code == 0
    project.file("raw.csv", "n,m\n1,\n2,\n")
    assert project.apply().code == 0
    project.file("raw.csv", "n,m\n1,2.5\n")
    assert project.apply().code == 0
    project.file("raw.csv", "n,m\n1,\n")
    ran = project.run("check")
    assert "m was float when this was last accepted, and is without any value now" in ran.text
    assert "help: declare what it is to be: m: float?" in ran.text


def test_locked_refuses_what_nobody_has_any_more(project: Project) -> None:
    project.write(a__mlspec='data raw from csv "raw.csv"\n', raw__csv="n\n1\n")
    assert project.apply().code == 0
    shutil.rmtree(project.root / ".mlspec")
    project.file("raw.csv", "n\n1\n2\n")
    ran = project.apply("--locked")
    assert ran.code == 4
    assert "raw.csv holds something else than mlspec.lock says, and the store has no copy of that" in ran.text


def test_an_undeclared_column_of_another_type_is_an_error(project: Project) -> None:
    project.write(a__mlspec='data raw from csv "raw.csv"\n', raw__csv="n\n1\n")
    assert project.apply().code == 0
    project.file("raw.csv", "n\nmany\n")
    ran = project.run("check")
    assert (ran.code, "error[E308]" in ran.err) == (1, True)
    assert "or as n: int, and the rows that do not hold one are named" in ran.err
    project.file("a.mlspec", 'data raw from csv "raw.csv" {\n  n: text\n}\n')
    assert project.apply().code == 0


# --- GPUs -----------------------------------------------------------------------------------------------------

GPU = 'data raw from csv "raw.csv"\ndata a from raw by python "s.py:f" { needs gpu = 1 }\ndata b from raw as r by python "s.py:g" { needs gpu = 1 }\n'
SEEN = """import os

def seen(frame):
    return frame.assign(seen=os.environ["CUDA_VISIBLE_DEVICES"])

def f(raw):
    return seen(raw)

def g(r):
    return seen(r)
"""


def test_a_step_sees_the_gpus_that_are_its_own(project: Project) -> None:
    project.write(a__mlspec=GPU, raw__csv="n\n1\n", s__py=SEEN)
    ran = project.run("apply", env={"CUDA_VISIBLE_DEVICES": "3"})
    assert ran.code == 0, ran.text
    assert [project.data("show", name)["first"][0]["seen"] for name in "ab"] == ["3", "3"]


def test_a_step_that_needs_more_gpus_than_there_are(project: Project) -> None:
    project.write(a__mlspec=GPU.replace("gpu = 1", "gpu = 2"), raw__csv="n\n1\n", s__py=SEEN)
    ran = project.run("apply", env={"CUDA_VISIBLE_DEVICES": "0"})
    assert ran.code == 4
    assert "it needs 2 GPU, and there is 1 here" in ran.text


# --- a name taken twice ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["param k: int = 1", "secret k", "param d: int = 1", "secret d"])
def test_a_block_of_the_name_of_a_param_or_secret_is_one_mistake_also_where_there_are_environments(
    project: Project, first: str
) -> None:
    blocks = (
        'data d from csv "c.csv"\ndata k from d by sql "select id from d"\ndata e from k by sql "select id from k"\n'
    )
    learns = 'model k2 from d by python "sklearn.svm:SVC" {\n  predict .churned from .id\n  measure roc_auc on d\n}\n'
    project.write(a__mlspec=f"{first}\n{blocks}{learns}env prod on local\n", c__csv="id,churned\n1,true\n2,false\n")
    told = re.findall(r"^error\[(\w+)\]", project.run("check").text, re.MULTILINE)
    assert set(told) <= {"E102", "E104", "E610"}
    assert told.count("E102") == 1


def test_a_mistake_in_a_set_points_at_the_words_that_were_given(project: Project) -> None:
    project.file("a.mlspec", 'mlspec 1\nparam low: int = 3\nparam high: int = 4\ndata a from csv "a.csv"\n')
    project.file("a.csv", "id\n1\n")
    ran = project.run("check", "--set", "high = 7", "--set", 'low = "x"')
    assert ran.code == 1 and '--set:2:7\n2 │ low = "x"\n  │       ^^^' in ran.err.replace(" ┌─ ", " ┌─ "), ran.err
    ran = project.run("check", "--set", "low 3")
    assert ran.code == 1 and "1 │ low 3" in ran.err and "set low" not in ran.err, ran.err
