"""Plan and apply as a person meets them: nothing made twice, early cutoff, gates, and why."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import Project
from mlspec.runtimes.store.ledger import COMPILED, Ledger

CSV = "id,amount\n1,10\n2,20\n3,30\n"
CHAIN = """mlspec 1

data raw from csv "raw.csv" { id: int, unique }
data big from raw by sql "select * from raw where amount >= 20"
data total from big by python "steps.py:total" { times = 2 }
"""
STEPS = """from helpers_of_mine import double
import pandas as pd


def total(big: pd.DataFrame, times: int) -> pd.DataFrame:
    # a comment
    return pd.DataFrame({"total": [double(int(big["amount"].sum())) * times]})
"""
MINE = "def double(x):\n    return 2 * x\n\n\ndef unused():\n    return 1\n"


@pytest.fixture
def chain(project: Project) -> Project:
    project.file("raw.csv", CSV)
    project.file("a.mlspec", CHAIN)
    project.file("steps.py", STEPS)
    project.file("helpers_of_mine.py", MINE)
    assert project.apply().code == 0
    return project


def test_a_second_apply_makes_nothing(chain: Project) -> None:
    ran = chain.apply()
    assert (ran.code, ran.out) == (0, "Nothing to be made: all 3 are as a.mlspec says.\n")


def test_what_comes_out(chain: Project) -> None:
    found = chain.data("show", "total")
    assert found["first"] == [{"total": 200}]


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("steps.py", "# a comment", "# another comment"),
        ("steps.py", '    return pd.DataFrame({"total"', '\n    return  pd.DataFrame( {"total"'),
        ("helpers_of_mine.py", "return 1", "return 2"),
        ("a.mlspec", "select * from raw where", "SELECT  *  FROM raw -- all\\n WHERE"),
        ("a.mlspec", "data raw from", "## What came in.\ndata raw from"),
        ("a.mlspec", "data total from", "data sum_of_all from"),
    ],
)
def test_cosmetic_edits_make_nothing(chain: Project, file: str, before: str, after: str) -> None:
    text = (chain.root / file).read_text()
    assert before in text
    chain.file(
        file,
        text.replace(before, after.replace("\\n", " ") if "--" not in after else "select * from raw /* all */ where"),
    )
    plan = chain.data("plan")
    assert not [action for action in plan["actions"] if action["action"] == "make"]


def test_a_changed_helper_makes_what_uses_it(chain: Project) -> None:
    chain.file("helpers_of_mine.py", MINE.replace("2 * x", "3 * x"))
    plan = chain.run("plan").out
    assert "helpers_of_mine.py:double changed" in plan
    assert chain.events() == {"raw": "reused", "big": "reused", "total": "made"}


def test_an_argument_makes_only_what_depends_on_it(chain: Project) -> None:
    chain.file("a.mlspec", CHAIN.replace("times = 2", "times = 3"))
    assert "times: 2 -> 3" in chain.run("plan").out
    assert chain.events() == {"raw": "reused", "big": "reused", "total": "made"}


def test_the_ripple_stops_where_the_bytes_are_the_same(chain: Project) -> None:
    chain.file("raw.csv", CSV + "4,1\n")
    assert chain.events() == {"raw": "made", "big": "made", "total": "reused"}


def test_why_tells_what_changed_down_to_the_file(chain: Project) -> None:
    chain.file("raw.csv", CSV + "4,40\n")
    assert "raw.csv +1 lines" in chain.run("plan").out
    assert "raw.csv +1 lines" in chain.run("why", "total").out


def test_a_block_that_is_gone_takes_its_name_along_and_not_its_artifact(chain: Project) -> None:
    chain.file("a.mlspec", "\n".join(CHAIN.split("\n")[:-2]) + "\n")
    objects = len(chain.objects())
    assert "total" in chain.run("plan").out
    assert chain.events()["total"] == "retired"
    assert len(chain.objects()) == objects


def test_a_saved_plan_is_applied_or_refused_as_stale(chain: Project) -> None:
    chain.file("a.mlspec", CHAIN.replace("times = 2", "times = 3"))
    assert chain.run("plan", "--save", "plan.json").code == 0
    chain.file("raw.csv", CSV + "4,40\n")
    stale = chain.apply("plan.json")
    assert stale.code == 4 and "the world has moved" in stale.err
    chain.file("raw.csv", CSV)
    assert chain.apply("plan.json").code == 0


@pytest.mark.parametrize("path", ["p.plan", "plans/plan", "../elsewhere.mlspec"])
def test_a_saved_plan_is_known_by_what_it_holds(chain: Project, path: str) -> None:
    (chain.root / "plans").mkdir()
    chain.file("a.mlspec", CHAIN.replace("times = 2", "times = 3") + "\nenv prod on local\n")
    assert chain.run("plan", "--on", "prod", "--save", path).out.endswith(f"Saved: mlspec apply {path}\n")
    assert chain.apply(path).code == 0
    assert set(chain.data("status", "--on", "prod")["names"]) == {"raw", "big", "total"}
    assert "nowhere/p: No such file" in chain.run("plan", "--save", "nowhere/p").err
    assert "or a plan that mlspec plan --save kept" in " ".join(chain.run("apply", "--help").out.split())


def test_a_gate_that_does_not_hold_moves_nothing(chain: Project) -> None:
    gated = CHAIN.replace('where amount >= 20"', 'where amount >= 20" { expect .rows >= 3 }')
    chain.file("a.mlspec", gated)
    before = chain.data("status")["names"]["big"]["digest"]
    ran = chain.apply()
    assert ran.code == 3
    assert "expect .rows >= 3" in ran.out and "2 needs 3, short by 1" in ran.out
    assert chain.data("status")["names"]["big"]["digest"] == before
    assert chain.apply().code == 3  # told again, and nothing made
    chain.file("a.mlspec", gated.replace(">= 3 }", ">= 2 }"))
    assert chain.apply().code == 0


def test_what_depends_on_a_name_that_was_never_accepted_waits(project: Project) -> None:
    project.file("raw.csv", CSV)
    project.file(
        "a.mlspec", 'data raw from csv "raw.csv" { expect .rows > 5 }\ndata b from raw by sql "select * from raw"\n'
    )
    assert project.events() == {"raw": "refused", "b": "waits"}


def test_what_was_refused_can_be_looked_at(project: Project) -> None:
    spec = 'data d, bad from csv "d.csv" { a: int; expect bad.rows <= 0 }\n'
    project.write(a__mlspec=spec, d__csv="a\n1\nx\n")
    assert "look at it: mlspec show d --refused" in project.apply().out
    assert "refused: mlspec show bad --refused" in project.run("show", "bad").out
    ran = project.run("show", "bad", "--refused")
    assert "expect bad.rows <= 0: 1 needs 0, over by 1" in ran.out and "expected int" in ran.out
    assert "--refused" in project.run("export", "bad", "bad.csv").err
    assert project.run("export", "bad", "bad.csv", "--refused").code == 0
    assert '"x","expected int"' in (project.root / "bad.csv").read_text()
    assert project.run("why", "bad").out == "bad was made, and refused\n  expect bad.rows <= 0: 1 needs 0, over by 1\n"
    project.file("d.csv", "a\n1\n")
    assert project.apply().code == 0
    assert "nothing of it is refused now" in project.run("show", "bad", "--refused").err
    project.file("d.csv", "a\n1\ny\n")
    assert project.apply().code == 3
    assert project.data("show", "bad")["rows"] == 0 and project.data("show", "bad", "--refused")["rows"] == 1
    assert "  d.csv +1 lines" in project.run("why", "bad").out


def test_rows_are_judged_one_by_one(project: Project) -> None:
    project.file("raw.csv", "a,b\n1,2\n5,4\n7,8\n")
    project.file("a.mlspec", 'data raw from csv "raw.csv" { expect .a <= .b }\n')
    ran = project.apply()
    assert ran.code == 3 and "1 row breaks it: row 2 (a 5, b 4)\n" in ran.out


def test_rollback_goes_back_and_stays_back(chain: Project) -> None:
    first = chain.data("status")["names"]["total"]["digest"]
    chain.file("a.mlspec", CHAIN.replace("times = 2", "times = 5"))
    chain.apply()
    assert chain.run("rollback", "total").code == 0
    assert chain.data("status")["names"]["total"]["digest"] == first
    ran = chain.apply()
    assert ran.code == 0 and "rolled back" in ran.out
    assert chain.data("status")["names"]["total"]["digest"] == first


def test_gc_keeps_what_names_and_their_history_hold(chain: Project) -> None:
    chain.file("raw.csv", CSV + "4,40\n")
    chain.apply()
    held = {path.parent.name + path.name for path in chain.objects()}
    (chain.root / ".mlspec/objects/ff").mkdir(exist_ok=True)
    (chain.root / ".mlspec/objects/ff" / ("0" * 62)).write_bytes(b"nobody's")
    assert "1 objects would go" in chain.run("gc", "--dry-run").out
    assert chain.run("gc").code == 0
    assert {path.parent.name + path.name for path in chain.objects()} == held
    assert chain.apply().out.startswith("Nothing to be made")


def test_export_and_compile(chain: Project) -> None:
    assert chain.run("export", "total", "out/total.csv").code == 0
    assert (chain.root / "out/total.csv").read_text() == '"total"\n200\n'
    assert chain.run("compile", "--on", "local").code == 0
    first = {path.name: path.read_bytes() for path in (chain.root / "compiled/local").iterdir()}
    chain.run("compile", "--on", "local")
    assert first == {path.name: path.read_bytes() for path in (chain.root / "compiled/local").iterdir()}
    assert str(chain.root).encode() not in b"".join(first.values())


@pytest.mark.parametrize(
    ("path", "told"),
    [(".", "it is a folder\n  = help: name a file, as in total.csv"), ("out.csv", "it is a folder"),
     ("a.mlspec/total.csv", "File exists"), ("total", "a table is not written as a file without an ending")],
)  # fmt: skip
def test_export_to_where_no_file_can_be(chain: Project, path: str, told: str) -> None:
    (chain.root / "out.csv").mkdir()
    ran = chain.run("export", "total", path)
    assert ran.code == 4 and told in ran.err and "Traceback" not in ran.err


def test_graph_in_three_forms(chain: Project) -> None:
    assert "big" in chain.run("graph").out
    assert chain.run("graph", "--as", "mermaid").out.startswith("flowchart LR")
    assert chain.run("graph", "--as", "svg").out.startswith("<svg")


def test_the_notebook_says_the_same(chain: Project) -> None:
    import mlspec

    spec = mlspec.load(str(chain.root / "a.mlspec"))
    assert repr(spec.plan()) == "Nothing to be made: all 3 are as a.mlspec says."
    assert spec["total"].read()["total"].tolist() == [200]
    assert "<table" in spec["big"]._repr_html_()


def test_mistakes_as_data(project: Project) -> None:
    project.file("a.mlspec", 'data raw from cvs "raw.csv"\n')
    ran = project.run("check", "--json")
    assert ran.code == 1
    told = json.loads(ran.out)["diagnostics"][0]
    assert (told["code"], told["line"], told["column"], told["help"]) == ("E203", 1, 15, "did you mean csv?")


def test_a_secret_like_nothing_is_kept_of_the_environment(chain: Project) -> None:
    chain.file("a.mlspec", CHAIN.replace("times = 2", "times = 7"))
    chain.run("apply", env={"A_SECRET_OF_MINE": "tell-nobody"})
    for path in (chain.root / ".mlspec").rglob("*"):
        assert not path.is_file() or b"tell-nobody" not in path.read_bytes()
    sqlite3.connect(chain.root / ".mlspec/state.db").execute("select 1")


def test_what_comes_out_the_same_is_known_by_what_made_it_last(chain: Project) -> None:
    chain.file(
        "steps.py", STEPS.replace('double(int(big["amount"].sum())) * times', 'int(big["amount"].sum()) * 2 * times')
    )
    assert chain.events()["total"] == "made"
    assert chain.run("why", "total").out.strip() == "total is up to date"
    assert chain.run("gc").code == 0
    assert "Nothing to be made" in chain.apply().out


def test_why_does_not_run_in_a_circle_through_last(project: Project) -> None:
    project.file("raw.csv", CSV)
    project.file("w.py", "def sum_up(raw, before):\n    return raw.tail(1)\n")
    project.file("a.mlspec", 'data raw from csv "raw.csv"\ndata s from raw, last s as before by python "w.py:sum_up"\n')
    assert project.apply().code == 0
    project.file("raw.csv", CSV + "4,40\n")
    assert project.run("why", "s").out.splitlines()[1:] == ["  raw changed", "    raw.csv +1 lines"]


def test_the_plan_of_one_and_of_none(project: Project) -> None:
    project.write(a__mlspec='param since: date = 2020-01-01\nparam town: text = "Zürich"\n'
                  'data a from csv "a.csv"\ndata b from a by sql "select $since as d, $town as t, x from a"\n', a__csv="x\n1\n")  # fmt: skip
    assert project.apply().code == 0
    project.file(
        "a.mlspec", (project.root / "a.mlspec").read_text().replace("2020", "2021").replace("Zürich", "Genève")
    )
    shown = project.run("plan").out
    assert "since: 2020-01-01 -> 2021-01-01" in shown and 'town: "Zürich" -> "Genève"' in shown
    project.file("a.mlspec", 'data a from csv "a.csv"\n')
    project.apply()
    assert project.apply().out == "Nothing to be made: a is as a.mlspec says.\n"
    project.file("b.mlspec", "## Nothing yet.\n")
    assert project.run("plan", "b.mlspec").out == "Nothing to be made: b.mlspec has no blocks.\n"


def test_a_store_that_is_a_file(project: Project) -> None:
    project.write(a__mlspec='data a from csv "a.csv"\nenv e on local { store = "a.csv" }\n', a__csv="x\n1\n")
    ran = project.run("plan", "--on", "e")
    assert ran.code == 4 and f"could not open the store {project.root}/a.csv: File exists" in ran.err


def test_a_model_is_shown_with_all_its_steps(project: Project) -> None:
    project.write(a__mlspec="""data a from csv "a.csv"
model m from a by python "w.py:fit" { predict .y }
model k from a by python "sklearn.cluster:KMeans" { predict from .x; n_clusters = 2 }
""", a__csv="x,y\n1,2.5\n2,3\n3,4\n", w__py="""from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

def fit(a):
    return make_pipeline(StandardScaler(), LinearRegression()).fit(a[["x"]], a.y)
""")  # fmt: skip
    assert project.apply().code == 0
    assert "estimator  StandardScaler, then LinearRegression\n" in project.run("show", "m").out
    assert "predicts   features x, task = none\n" in project.run("show", "k").out


# --- the end of the process ----------------------------------------------------------------------------------

TAKEN_APART = """
import sys


class Told:
    def __init__(self, what): self.what = what
    def __del__(self, write=sys.__stderr__.write): write(self.what)


sys.modules["told"] = Told("taken apart")
"""


@pytest.mark.parametrize(
    ("words", "code"), [(("apply", "a.mlspec"), 0), (("check", "b.mlspec"), 1), (("check", "--nope"), 2)]
)
def test_a_command_ends_before_python_takes_itself_apart(project: Project, words: tuple[str, ...], code: int) -> None:
    """Then threads of Arrow's that still let go of something abort the process, seldom."""
    project.write(a__mlspec='mlspec 1\ndata a from csv "a.csv"\n', b__mlspec="dat\n", a__csv="n\n1\n")
    project.file("first/sitecustomize.py", TAKEN_APART)
    where = os.pathsep.join([str(project.root / "first"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    plain = subprocess.run(
        [sys.executable, "-c", ""], env={**os.environ, "PYTHONPATH": where}, capture_output=True, text=True, check=True
    )
    assert plain.stderr == "taken apart"
    ran = project.run(*words, env={"PYTHONPATH": where})
    assert ran.code == code and "taken apart" not in ran.err
    assert not list(project.root.rglob("*-wal")), "the ledger is closed all the same"


def test_what_an_apply_has_compiled_the_next_command_does_not(project: Project) -> None:
    """Although it wrote the lock, which a compile reads. Not so where somebody else did."""
    project.write(a__mlspec='mlspec 1\ndata a from csv "a.csv"\n', a__csv="n\n1\n")
    assert project.apply().code == 0

    def compiles() -> bool:
        ran = project.run("plan", env={"PYTHONPROFILEIMPORTTIME": "1"})
        assert ran.code == 0, ran.err
        return "mlspec.compiler.pipeline" in ran.err

    assert not compiles()
    lock = project.root / "mlspec.lock"
    lock.write_text(lock.read_text() + "# touched\n")
    assert compiles() and not compiles()
    project.write(a__csv="n\n1\n2\n")
    assert project.apply().code == 0 and not compiles()
    project.write(a__csv="n\none\n")
    assert "E308" in project.run("plan").err


def test_a_source_that_is_as_it_was_is_not_read_again_to_check_a_spec_that_changed(project: Project) -> None:
    project.write(a__mlspec='mlspec 1\ndata a from csv "a.csv"\n', a__csv="n,m\n1,2\n")

    def reads(code: int = 0) -> bool:
        ran = project.run("check", env={"PYTHONPROFILEIMPORTTIME": "1"})
        assert ran.code == code, ran.err
        return "mlspec.runtimes.sources.csv" in ran.err

    assert reads()
    spec = project.root / "a.mlspec"
    spec.write_text(spec.read_text() + 'data b from a by sql "select n from a"\n')
    assert not reads()
    spec.write_text(spec.read_text() + 'data c from a by sql "select k from a"\n')
    assert not reads(1)
    spec.write_text(spec.read_text().replace('"a.csv"', '"a.csv" { m: text }').replace("select k", "select m"))
    assert reads(), "what is declared is part of what is looked for"
    project.write(a__csv="n,k\n1,2\n")
    assert reads(1), "the file is another"


def test_of_what_was_compiled_the_latest_are_remembered(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "state.db", "a.mlspec", "local")
    for number in range(COMPILED + 3):
        ledger.put_compiled(f"{number}", b"x")
    ledger.put_compiled("3", b"again")
    ledger.put_compiled("new", b"x")
    left = [key for key in (*map(str, range(COMPILED + 3)), "new") if ledger.compiled(key)]
    assert left == ["3", *map(str, range(5, COMPILED + 3)), "new"] and ledger.compiled("3") == b"again"


def test_a_share_of_a_split_is_told_by_the_name_of_its_output(project: Project) -> None:
    spec = 'mlspec 1\ndata a from csv "a.csv"\ndata train, test from a by split { test = 20% }\n'
    project.write(a__mlspec=spec, a__csv="n\n" + "".join(f"{number}\n" for number in range(40)))
    assert project.apply().code == 0
    project.write(a__mlspec=spec.replace("20%", "25%"))
    assert "test: 0.2 -> 0.25" in project.run("plan").out
    project.write(a__mlspec=spec.replace("test", "held"))
    assert "to make" not in project.run("plan").out
