"""Notebooks: what is known of them before they run, what they are given, what is kept of them, and how they end."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from helpers import Project, until
from mlspec.compiler import notebook
from mlspec.compiler.load import InMemory
from mlspec.compiler.notebook import Notebook
from mlspec.compiler.pipeline import Compiled, compile_text
from mlspec.compiler.python_file import Problem

Cell = str | tuple[str, str]  # its source, or its tag and its source


def ipynb(*cells: Cell, **metadata: Any) -> str:
    tagged = [("", cell) if isinstance(cell, str) else cell for cell in cells]
    whole = [_cell(source, tag, at) for at, (tag, source) in enumerate(tagged)]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": whole})


def _cell(source: str, tag: str, at: int) -> dict[str, Any]:
    if tag == "markdown":
        return {"cell_type": "markdown", "id": f"c{at}", "metadata": {}, "source": source}
    return {"cell_type": "code", "id": f"c{at}", "metadata": {"tags": [tag]} if tag else {}, "outputs": [],
            "execution_count": None, "source": source}  # fmt: skip


def read(*cells: Cell, **files: str) -> Notebook:
    found = notebook.read("n.ipynb", {"n.ipynb": ipynb(*cells), **_named(files)}.get)
    assert isinstance(found, Notebook), found
    return found


def _named(files: dict[str, str]) -> dict[str, str]:
    return {name.replace("__", "."): text for name, text in files.items()}


def changed(one: Notebook, other: Notebook) -> set[str]:
    before, now = one.code.parts, other.code.parts
    return {part for part in {*before, *now} if before.get(part) != now.get(part)}


# --- what is the same ----------------------------------------------------------------------------------------


def test_comments_markdown_layout_and_outputs_do_not_count() -> None:
    plain = read("x = 1", "y = x+1")
    full = json.loads(ipynb(("markdown", "# Title"), "# why\nx = 1", "# only this", "", "y = (x + 1)  # so"))
    full["cells"][4]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "hello"}]
    same = notebook.read("n.ipynb", {"n.ipynb": json.dumps(full)}.get)
    assert isinstance(same, Notebook)
    assert same.code == plain.code


def test_a_change_is_told_by_its_cell() -> None:
    assert changed(read("x = 1", "y = 2"), read("x = 1", "y = 3")) == {"n.ipynb cell 2"}


def test_what_cells_use_of_the_projects_files_counts_and_nothing_else() -> None:
    helpers = "def used():\n    return 1\n\n\ndef other():\n    return 2\n"
    cells = ("import helpers", "clean = helpers.used()")
    before = read(*cells, helpers__py=helpers)
    assert before.code.files == ("helpers.py", "n.ipynb")
    assert changed(before, read(*cells, helpers__py=helpers.replace("return 2", "return 3"))) == set()
    assert changed(before, read(*cells, helpers__py=helpers.replace("return 1", "return 3"))) == {"helpers.py:used"}


def test_a_star_and_a_run_file_count_as_a_whole() -> None:
    for cells in (("from helpers import *",), ("%run helpers.py --fast",)):
        one, other = (read(*cells, helpers__py=f"def f():\n    return {n}\n") for n in (1, 2))
        assert "helpers.py:*" in changed(one, other)


def test_packages_are_those_that_cells_use() -> None:
    assert read("import pandas as pd\nimport os", "pd.DataFrame(os.environ)").code.packages == ("pandas",)


def test_what_ipython_is_told_counts_and_is_no_mistake() -> None:
    source = "%matplotlib inline\nif True:\n    !ls \\\n      -l\nfiles = !ls\nx = (7\n  % 2)\nx?\n%time y = 1"
    one = read(source, "%%bash\necho 'unfinished", "%%capture shown\nz = 1")
    assert {"files", "x", "y", "z", "shown"} <= set(one.assigns) and not one.open
    assert changed(one, read(source.replace("-l", "-a"), "%%bash\necho 'unfinished", "%%capture shown\nz = 1"))


def test_a_tag_that_moves_is_a_change() -> None:
    assert changed(read(("parameters", "x = 1"), "y = 1"), read("x = 1", ("parameters", "y = 1")))


def test_cells_that_are_not_run_do_not_count() -> None:
    skipped = read(("skip-execution", "x = ("), ("injected-parameters", "y = 3"), "z = 1")
    assert skipped.code == read("z = 1").code and skipped.assigns == ("z",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ipynb("x = 1", "# two\n\ny = ("), "cell 2 of n.ipynb is not valid Python: '(' was never closed"),
        (ipynb("x", kernelspec={"language": "julia"}), "n.ipynb is written in julia"),
        ("[]", "n.ipynb is no notebook"),
        ("{", "n.ipynb is no notebook: it is not valid JSON"),
        ('{"nbformat": 3, "worksheets": []}', "n.ipynb is in another format of notebooks than 4"),
        ("[" * 100_000, "n.ipynb is nested too deeply to be read"),
        (ipynb("x = " + "(" * 90 + "1" + ")" * 90 + "\0"), "cell 1 of n.ipynb is not valid Python"),
        (None, "there is no file n.ipynb"),
    ],
)
def test_what_cannot_be_run_is_told(text: str | None, message: str) -> None:
    found = notebook.read("n.ipynb", {"n.ipynb": text}.get)
    assert isinstance(found, Problem)
    assert found.message.startswith(message)


def test_a_notebook_may_hold_anything() -> None:
    odd = {
        "nbformat": 4,
        "metadata": 3,
        "cells": [7, {"cell_type": "code", "source": [1, "x=1"], "metadata": {"tags": 3}}],
    }
    found = notebook.read("n.ipynb", {"n.ipynb": json.dumps(odd)}.get)
    assert isinstance(found, Notebook) and found.assigns == ("x",)


def test_a_cell_of_many_commands_is_read_at_once() -> None:
    assert read("\n".join(["!ls"] * 5_000), "x = 1").assigns == ("x",)


# --- a spec of it --------------------------------------------------------------------------------------------


def compiled(body: str, *cells: Cell, kind: str = "data out") -> Compiled:
    files = InMemory({"n.ipynb": ipynb(*cells)}, {})
    return compile_text("s.mlspec", f'{kind} by notebook "n.ipynb" {{\n  {body}\n}}\n', files)


def codes(*given: Any, **more: Any) -> list[str]:
    return [one.code for one in compiled(*given, **more).diagnostics]


def test_without_a_tagged_cell_any_argument_is_taken() -> None:
    assert codes("limit = 3", "out = 1") == []
    assert codes("limit = 3", ("parameters", "limit = 1"), "out = 1") == []
    assert codes("limit = 3", ("parameters", "rows = 1"), "out = 1") == ["E412"]


def test_an_output_may_be_bound_in_any_way() -> None:
    for source in (
        "import pandas as out",
        "for out in []: pass",
        "def f():\n    global out\n    out = 1",
        "from m import *",
    ):
        assert codes("", source) == [], source
    assert codes("", "oute = 1") == ["E413"]


def test_a_metric_may_be_one_that_the_notebook_tells() -> None:
    cells = ("m = fit()", "metrics = {'score': 1}")
    assert codes("expect .score > 0", *cells, kind="model m") == []


# --- run -----------------------------------------------------------------------------------------------------

SPEC = """
secret token_x

data raw from csv "a.csv"
data shapes from folder "shapes"

data clean, rest from raw, shapes by notebook "steps/clean.ipynb" {
  limit = 10
  words = ["a", "b"]
  token = token_x
  x: int
  y: int
}

model m from clean as rows, last m as before by notebook "train.ipynb" {
  predict .y from .x
  trees = 3
  measure rmse on rest
  expect .score > 0.5
  expect .rmse < 100
}

data batch from rest by m
data drawn from m by notebook "drawn.ipynb"
"""

CLEAN = ipynb(
    ("markdown", "# Clean"),
    "import features\nprint('it prints')",
    ("parameters", "limit = 3\nraw = None\nwords = []\ntoken = ''"),
    "assert sorted(f.name for f in shapes.iterdir()) == ['one.txt'], shapes\nassert words == ['a', 'b']\nprint(token)",
    "clean, rest = features.parted(raw, limit)\nclean",
    kernelspec={"name": "a kernel that nobody has", "language": "python"},
)
TRAIN = ipynb(
    "from sklearn.ensemble import RandomForestRegressor\nassert before is None",
    "m = RandomForestRegressor(trees).fit(rows[['x']], rows['y'])\nmetrics = {'score': m.score(rows[['x']], rows['y'])}",
)
DRAWN = ipynb(
    "import random, numpy as np, pandas as pd",
    "assert m.predict(pd.DataFrame({'x': [1]})).shape == (1,)\n"
    "drawn = pd.DataFrame({'a': [random.random()], 'b': [np.random.random()]})\ndrawn",
)


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("notebooks"))
    rows = "".join(f"{n},{n * 2}\n" for n in range(40))
    project.write(s__mlspec=SPEC, a__csv="x,y\n" + rows, train__ipynb=TRAIN, drawn__ipynb=DRAWN)
    project.file("steps/clean.ipynb", CLEAN)
    project.file("steps/features.py", "def parted(frame, limit):\n    return frame.head(limit), frame.tail(5)\n")
    project.file("shapes/one.txt", "1")
    ran = project.run("apply", env={"TOKEN_X": "geheimnis-99"})
    assert ran.code == 0, ran.text
    yield project


def exported(project: Project, name: str) -> dict[str, Any]:
    ran = project.run("export", name, "kept.ipynb")
    assert ran.code == 0, ran.text
    found: dict[str, Any] = json.loads((project.root / "kept.ipynb").read_bytes())
    return found


def sources(kept: dict[str, Any]) -> list[str]:
    return ["".join(cell["source"]) for cell in kept["cells"]]


def test_what_a_notebook_leaves_is_its_artifact(applied: Project) -> None:
    assert applied.data("show", "clean")["rows"] == 10
    assert applied.data("show", "rest")["first"][0] == {"x": 35, "y": 70}
    assert applied.data("show", "batch")["columns"][-1] == {"name": "prediction", "type": "float"}
    shown = applied.data("show", "m")
    assert set(shown["metrics"]) == {"score", "rmse"} and shown["estimator"] == "RandomForestRegressor"


def test_the_notebook_is_kept_as_it_ran(applied: Project) -> None:
    kept = exported(applied, "clean")
    given = sources(kept)[3]
    assert given.endswith("# made from: raw, shapes\n# secret: token\nlimit = 10\nwords = ['a', 'b']")
    assert kept["cells"][3]["metadata"] == {"tags": ["injected-parameters"]}
    assert [cell.get("execution_count") for cell in kept["cells"]] == [None, 1, 2, 3, 4, 5]
    assert "x   y" in "".join(kept["cells"][5]["outputs"][0]["data"]["text/plain"])
    assert "notebook" in applied.run("show", "clean").out
    assert exported(applied, "m")["cells"][0]["source"][-1] == "trees = 3"  # no cell is tagged: it comes first


def test_what_it_prints_is_its_log_and_nothing_shows_a_secret(applied: Project) -> None:
    assert applied.run("logs", "clean").out.startswith("it prints\n•••\n")
    assert "•••" in json.dumps(exported(applied, "clean"), ensure_ascii=False)
    files = [path for path in applied.root.rglob("*") if path.is_file()]
    assert [path for path in files if b"geheimnis-99" in path.read_bytes()] == []


def test_the_kept_notebook_stays_as_long_as_the_artifact(applied: Project) -> None:
    assert applied.run("gc").out.startswith("0 objects gone")
    ran = applied.run("export", "raw", "none.ipynb")
    assert ran.code == 4 and "none made it" in ran.err


def test_the_kept_notebook_can_be_the_next_source(applied: Project, tmp_path: Path) -> None:
    found = notebook.read("n.ipynb", {"n.ipynb": json.dumps(exported(applied, "drawn"))}.get)
    again = notebook.read("n.ipynb", {"n.ipynb": DRAWN}.get)
    assert isinstance(found, Notebook) and isinstance(again, Notebook)
    assert found.code == again.code


def test_nothing_changed_makes_nothing_and_again_gives_the_same_bytes(applied: Project) -> None:
    assert "Nothing to be made" in applied.apply().out
    before = applied.data("show", "drawn")["digest"]
    applied.file("drawn.ipynb", DRAWN.replace("pandas as pd", "pandas as pd\\nprint(1)"))
    assert "drawn.ipynb cell 1 changed" in applied.run("why", "drawn").out
    assert applied.events()["drawn"] == "made"
    assert applied.data("show", "drawn")["digest"] == before
    applied.file("drawn.ipynb", DRAWN)


def test_dates_come_as_dates_in_python_and_in_a_notebook(tmp_path: Path) -> None:
    project = Project(tmp_path).write(a__csv="x\n1\n", f__py="""
def said(raw, day, at, days, text):
    return {"said": [repr((day, at, days, text))]}
""")  # fmt: skip
    project.file("n.ipynb", ipynb("import f\n\nout = f.said(raw, day, at, days, text)"))
    given = 'day = since\n  at = 2024-01-02T10:30\n  days = [2024-01-03, since]\n  text = "2024-01-04"'
    project.file(
        "s.mlspec",
        f"""param since: date = 2024-01-01
data raw from csv "a.csv"
data a from raw by python "f.py:said" {{
  {given}
}}
data out from raw by notebook "n.ipynb" {{
  {given}
}}
env later on local {{
  set since = 2024-05-06
}}
""",
    )
    assert project.apply("--on", "later").code == 0
    expected = (date(2024, 5, 6), datetime(2024, 1, 2, 10, 30), [date(2024, 1, 3), date(2024, 5, 6)], "2024-01-04")
    for name in ("a", "out"):
        assert project.data("show", name, "--on", "later")["first"] == [{"said": repr(expected)}]


# --- what goes wrong -----------------------------------------------------------------------------------------


def running(tmp_path: Path, *cells: Cell, body: str = "", kind: str = "data out", **files: str) -> Project:
    project = Project(tmp_path).write(**{"a__csv": "x,y\n1,2\n3,4\n", **files})
    project.file("n.ipynb", ipynb(*cells))
    project.file("s.mlspec", f'data raw from csv "a.csv"\n{kind} from raw by notebook "n.ipynb" {{\n{body}\n}}\n')
    return project


def test_an_error_is_told_by_cell_and_line_with_the_users_frames(tmp_path: Path) -> None:
    cells = (
        "import own\n\n\ndef f(n):\n    return own.g(n)",
        ("markdown", "#"),
        "# why\n\nout = f(0)",
        "print('not reached')",
    )
    project = running(tmp_path, *cells, own__py="def g(n):\n    return 1 / n\n")
    ran = project.apply()
    assert ran.code == 4
    assert "could not make out: ZeroDivisionError: division by zero, in cell 2, line 3" in ran.text
    lines = [line.strip() for line in ran.text.splitlines()]
    frames = [line for line in lines if " in " in line and ":" in line and "could not" not in line]
    assert frames == ["n.ipynb cell 2:3 in <module>", "n.ipynb cell 1:5 in f", "own.py:2 in g"]
    (kept,) = (tmp_path / ".mlspec" / "logs").glob("out-*.ipynb")
    assert kept.name in ran.text
    cells_kept = json.loads(kept.read_bytes())["cells"]
    assert cells_kept[-2]["outputs"][-1]["ename"] == "ZeroDivisionError" and cells_kept[-1]["outputs"] == []
    assert "ZeroDivisionError" in project.run("logs", "out").out


WRONG = {
    "number": ("number = 3", "number is a value of type int"),
    "unbound": ("globals()", "the notebook left no variable unbound"),
    "ended": ("import os\nos._exit(1)\nended = 1", "its Python ended in cell 1"),
    "left": ("import sys\nsys.exit(3)\nleft = 1", "it called exit(3), in cell 1, line 2"),
    "large": ("large = bytearray(3_000_000_000)", "it needs more memory than its memory"),
    "own": (
        "class M:\n    def predict(self, rows): return [1]\nown = M()",
        "the model needs a class or function that the notebook itself defines",
    ),
}


def test_what_cannot_be_kept_is_told(tmp_path: Path) -> None:
    project = Project(tmp_path)
    blocks = []
    for name, (source, _) in WRONG.items():
        project.file(f"{name}.ipynb", ipynb(source))
        kind = "model" if name == "own" else "data"
        blocks.append(f'{kind} {name} by notebook "{name}.ipynb" {{ needs memory = 900MB }}\n')
    project.file("s.mlspec", "".join(blocks))
    events = project.data("apply")["events"]
    told = {event["name"]: event["message"] for event in events if event["event"] == "failed"}
    assert {name for name, (_, message) in WRONG.items() if message not in told[name]} == set()


def test_a_notebook_that_is_saved_while_another_step_runs_is_not_taken_for_the_one_of_before(tmp_path: Path) -> None:
    project = running(tmp_path, "out = raw")
    project.file("s.mlspec", 'data raw by python "raw.py:raw"\ndata out from raw by notebook "n.ipynb"\n')
    saving = json.dumps(ipynb("out = raw.head(1)"))
    project.file("raw.py", f"def raw():\n    open('n.ipynb', 'w').write({saving})\n    return {{'x': [1, 2]}}\n")
    ran = project.apply()
    assert ran.code == 4 and "n.ipynb, or what it imports, was changed while it was applied" in ran.text
    assert project.apply().code == 0 and project.data("show", "out")["rows"] == 1


SLEEPER = "import subprocess, time\np = subprocess.Popen(['sleep', '600'])\nopen('pids', 'w').write(f'{os.getpid()} {p.pid}\\n')"


@pytest.mark.parametrize("how", ["time", signal.SIGKILL, signal.SIGINT], ids=["time", "killed", "stopped"])
def test_a_kernel_and_all_that_it_started_end_with_the_step(tmp_path: Path, how: str | signal.Signals) -> None:
    cell = f"import os\n{SLEEPER}\ntime.sleep(600)\nout = 1"
    project = running(tmp_path, cell, body="needs time = 10s" if how == "time" else "")
    process = project.start("apply")
    pids = tmp_path / "pids"
    until(lambda: pids.exists() and pids.read_text().endswith("\n"), 60)
    if isinstance(how, signal.Signals):
        process.send_signal(how)
    out, err = process.communicate(timeout=30)
    until(lambda: not any(is_alive(int(pid)) for pid in pids.read_text().split()), 5)
    assert process.returncode in (4, 130, -9), out + err


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    """As a fresh environment has it: the packages cannot be found."""
    project = running(tmp_path, "out = raw")
    hiding = "import sys\nsys.modules['nbclient'] = None\n"
    project.file("hidden/sitecustomize.py", hiding)
    ran = project.run("apply", env={"PYTHONPATH": str(tmp_path / "hidden")})
    assert ran.code == 4 and 'pip install "mlspec[notebook]"' in ran.text


def test_a_notebook_is_searched(tmp_path: Path) -> None:
    cells = (
        ("parameters", "depth = 1"),
        "from sklearn.tree import DecisionTreeRegressor\n\nm = DecisionTreeRegressor(max_depth=depth)\n"
        "m.fit(raw[['x']], raw.y)\nmetrics = {\"fit\": m.score(raw[['x']], raw.y)}",
    )
    body = "predict .y from .x\ndepth in 1..3\nsearch best = max(.fit)"
    rows = "".join(f"{x},{x * x % 7}\n" for x in range(40))
    project = running(tmp_path, *cells, body=body, kind="model out", a__csv=f"x,y\n{rows}")
    project.file("n.ipynb", ipynb(*cells).replace("m = D", "out = D").replace("m.", "out."))
    assert project.events()["out"] == "made"
    shown = project.data("show", "out")
    assert shown["search"]["best"] == {"depth": 3}
    assert "depth = 3" in json.dumps(exported(project, "out"))
