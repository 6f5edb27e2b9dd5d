"""Searches as a person meets them: what is tried, what wins, and what a second apply, a kill or a failure leaves."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from mlspec.compiler.load import InMemory
from mlspec.compiler.pipeline import compile_text
from mlspec.compiler.program import Among, Search
from mlspec.compiler.types import Column, Type
from mlspec.runtimes.order import Tried
from mlspec.runtimes.search import ROUND, best_of, grid, proposals
from mlspec.runtimes.targets import targets

from .helpers import Project, until

ROWS = [(i // 2, i % 17, (i * 7) % 13) for i in range(120)]
PEOPLE = "id,x,z,y,kind\n" + "".join(
    f"{i},{x},{z},{3 * x - z + i % 5},{'yes' if x + z > 14 else 'no'}\n" for i, x, z in ROWS
)

# A model of the user's own: it writes down each time that it is made, and says itself how well it does.
STEPS = """
import time
from pathlib import Path


class Constant:
    def __init__(self, value):
        self.value = value

    def predict(self, rows):
        return [self.value] * len(rows)


def fit(train, a, b=0, wait=0.0, bad=-1):
    with open("made.txt", "a") as file:
        file.write(f"{a} {b}\\n")
    time.sleep(wait)
    if a == bad or bad == 99:
        raise ValueError(f"no model for a = {a}")
    return Constant(float(a)), {"score": 10.0 - (a - 5) ** 2 - b}
"""

SPEC = """mlspec 1
data people from csv "people.csv"
data train, test from people by split { test = 20%; by = .id }
"""


def of_function(*lines: str, search: str = "search best = max(.score)") -> str:
    body = "\n".join(f"  {line}" for line in (*lines, search))
    data = 'mlspec 1\ndata train from csv "people.csv"\n'
    return f'{data}model m from train by python "steps.py:fit" {{\n  predict .y from .x\n{body}\n}}\n'


def of_class(*lines: str, entry: str = "sklearn.tree:DecisionTreeRegressor", predict: str = ".y from .x, .z") -> str:
    body = "\n".join(f"  {line}" for line in lines)
    return f'{SPEC}model m from train by python "{entry}" {{\n  predict {predict}\n{body}\n}}\n'


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path).write(people__csv=PEOPLE, steps__py=STEPS)


def made(project: Project) -> list[str]:
    """The arguments of each time that the function ran, since the last time of asking."""
    file = project.root / "made.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    file.unlink(missing_ok=True)
    return lines


def apply(project: Project, spec: str, *words: str) -> dict[str, Any]:
    project.write(m__mlspec=spec)
    ran = project.run("apply", "--json", *words)
    assert ran.out, ran.err
    return json.loads(ran.out)  # type: ignore[no-any-return]


def tried(applied: dict[str, Any]) -> list[dict[str, Any]]:
    return [event for event in applied["events"] if event["event"] == "tried"]


def shown(project: Project) -> dict[str, Any]:
    return project.data("show", "m")  # type: ignore[no-any-return]


# --- a grid -------------------------------------------------------------------------------------------------------


def test_a_grid_tries_all_combinations_and_the_best_is_the_model(project: Project) -> None:
    applied = apply(project, of_function("a in 3..6", "b in 0 | 2"))
    assert len(tried(applied)) == 8 and tried(applied)[-1]["number"] == tried(applied)[-1]["of"] == 8
    assert {(e["arguments"]["a"], e["arguments"]["b"]) for e in tried(applied)} == {
        (a, b) for a in range(3, 7) for b in (0, 2)
    }
    assert made(project).count("5 0") == 2  # its trial, and the model
    search = shown(project)["search"]
    assert search["best"] == {"a": 5, "b": 0} and search["score"] == 10.0
    assert search["trials"][0] == [{"a": 3, "b": 0}, 6.0] and len(search["trials"]) == 8
    assert shown(project)["metrics"]["score"] == 10.0


def test_only_what_is_tried_anew_is_made(project: Project) -> None:
    apply(project, of_function("a in 3..6", "b in 0 | 2"))
    made(project)
    again = apply(
        project,
        of_function("a in 3..6", "b in 0 | 2", "needs cpu = 1, retries = 1", "expect .score > 9"),
    )
    assert made(project) == [] and again.get("counts", {}).get("made") is None
    project.write(m__mlspec=of_function("a in 3..7", "b in 0 | 2"))
    assert "a in 3..6 -> 3..7" in project.run("plan").out
    longer = apply(project, of_function("a in 3..7", "b in 0 | 2"))
    assert sorted(made(project)) == ["5 0", "7 0", "7 2"] and [e["number"] for e in tried(longer)] == [9, 10]


def test_people_read_the_trials_as_they_come_the_failed_ones_too(project: Project) -> None:
    project.write(m__mlspec=of_function("a in 3..6", "bad = 4"))
    ran = project.apply("--workers", "1")
    assert ran.code == 0 and ran.err == ""
    assert "1/4  a 3  score 6.0000, the best so far" in ran.out
    assert "2/4  a 4  could not make m: ValueError: no model for a = 4" in ran.out
    assert "4/4  a 6  score 9.0000, best 10.0000" in ran.out
    assert "the best of 4 trials, score 10: a = 5" in ran.out
    assert shown(project)["search"]["trials"][1] == [{"a": 4}, None]
    text = project.run("show", "m").out
    assert "the best of 4 trials, 1 of which failed, by max(score):" in text
    assert text.index("5  10.0000") < text.index("6  9.0000")
    assert not [*project.root.glob(".mlspec/logs/*/*trial*")] and not [*(project.root / ".mlspec/aside").iterdir()]


def test_lists_and_truths_are_tried_as_they_are(project: Project) -> None:
    project.write(steps__py="import json\n" + STEPS.replace("def fit(train, a, b=0", "def fit(train, a, b=0, c=True")
                  .replace('f"{a} {b}\\n"', 'json.dumps([a, c]) + "\\n"').replace("(a - 5)", "(len(a) - 2)")
                  .replace("float(a)", "1.0").replace(" - b}", " - (c is True)}").replace("a == bad or ", ""))  # fmt: skip
    apply(project, of_function("a in [1] | [1, 2]", "c in true | false"))
    assert sorted({*made(project)}) == ["[[1, 2], false]", "[[1, 2], true]", "[[1], false]", "[[1], true]"]
    assert shown(project)["search"]["best"] == {"a": [1, 2], "c": False}


# --- trials that are proposed -------------------------------------------------------------------------------------


def test_more_trials_are_only_as_many_more(project: Project) -> None:
    def spec(trials: int) -> str:
        return of_function("a in 0..500", "b in 0..3", search=f"search trials = {trials}, best = max(.score)")

    apply(project, spec(10))
    first = made(project)
    assert len(first) == 11 and len({*first}) == 10
    apply(project, spec(18))
    more = made(project)
    assert len(more) == 9 and not {*more[:-1]} & {*first}
    trials = [f"{one['a']} {one['b']}" for one, _ in shown(project)["search"]["trials"]]
    assert {*trials[:10]} == {*first} and {*trials[10:]} == {*more[:-1]}


def test_the_same_wins_however_many_workers_there_are(tmp_path: Path) -> None:
    spec = of_class("max_depth in 1..20", "min_samples_leaf in 1..20", "ccp_alpha in log(0.001..1)", "seed = 7",
                    "search trials = 12, folds = 3, best = min(.rmse)", "measure rmse on test")  # fmt: skip
    found = []
    for workers in ("1", "2"):
        project = Project(tmp_path / workers).write(people__csv=PEOPLE, m__mlspec=spec)
        assert project.apply("--workers", workers).code == 0
        found.append((shown(project)["digest"], shown(project)["search"]))
    assert found[0] == found[1] and len(found[0][1]["trials"]) == 12


def test_without_optuna_it_says_what_to_install(project: Project) -> None:
    project.file("without/optuna.py", "raise ImportError('no module named optuna')")
    project.write(m__mlspec=of_function("a in 0..50", search="search trials = 5, best = max(.score)"))
    ran = project.run("apply", env={"PYTHONPATH": str(project.root / "without")})
    assert ran.code == 4 and "it needs Optuna" in ran.out and 'pip install "mlspec[search]"' in ran.out


# --- what goes wrong ----------------------------------------------------------------------------------------------


def test_killed_it_goes_on_where_it_was(project: Project) -> None:
    project.write(m__mlspec=of_function("a in 0..9", "wait = 0.15"))
    process = project.start("apply", "--workers", "2", start_new_session=True)
    file = project.root / "made.txt"
    until(lambda: file.exists() and len(file.read_text().splitlines()) >= 5)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close() if process.stdout else None
    process.stderr.close() if process.stderr else None
    before = made(project)
    assert project.apply("--workers", "2").code == 0
    after = made(project)
    assert len(after) <= 10 - len(before) + 2 + 1  # two were under way, and the model itself
    assert shown(project)["search"]["best"] == {"a": 5}


def test_when_all_fail_the_step_fails_as_the_first_did(project: Project) -> None:
    applied = apply(project, of_function("a in 4..6", "bad = 99"), "--workers", "1")
    failed = next(event for event in applied["events"] if event["event"] == "failed")
    assert applied["exit_code"] == 4 and "no model for a = 4" in failed["message"]
    assert "steps.py" in failed["detail"]


def test_a_trial_that_takes_too_long_is_ended_and_tried_again_as_often_as_it_says(project: Project) -> None:
    project.write(steps__py=STEPS.replace("time.sleep(wait)", "time.sleep(30 if a == 5 else 0)"))
    applied = apply(project, of_function("a in 4 | 5", "needs time = 2s, retries = 1"))
    assert made(project).count("5 0") == 2 and shown(project)["search"]["best"] == {"a": 4}
    assert "longer than its time = 2s" in next(e["failure"] for e in tried(applied) if e["failure"])


def test_a_metric_that_the_function_does_not_return_is_told(project: Project) -> None:
    project.write(m__mlspec=of_function("a in 4..5", search="search best = max(.gain)"))
    project.write(steps__py=STEPS.replace('{"score":', 'gain={"score":').replace("return Constant", "return _with(Constant")
                  .replace(" - b}", " - b})") + "\n\ndef _with(model, gain):\n    return model, gain\n")  # fmt: skip
    ran = project.apply()
    assert ran.code == 4 and "it gave no metric gain, but score" in ran.out


# --- scored on folds, or on data ----------------------------------------------------------------------------------


def test_folds_choose_and_the_gate_judges_on_data_that_no_trial_saw(project: Project) -> None:
    spec = of_class(
        "max_depth in 1 | 8", "search folds = 4, best = min(.rmse)", "measure rmse on test", "expect .rmse < {}"
    )
    assert apply(project, spec.replace("{}", "0.001"))["exit_code"] == 3
    ran = apply(project, spec.replace("{}", "20"))
    assert ran["exit_code"] == 0 and tried(ran) == []
    assert shown(project)["search"]["best"] == {"max_depth": 8} and shown(project)["search"]["metric"] == "min(rmse)"


def test_a_classification_with_texts_is_searched_on_folds(project: Project) -> None:
    spec = of_class("max_depth in 1 | 6", "search folds = 3, best = max(.roc_auc)", "measure accuracy on test",
                    entry="sklearn.tree:DecisionTreeClassifier", predict='.kind == "yes" from .x, .z')  # fmt: skip
    assert apply(project, spec)["exit_code"] == 0
    assert shown(project)["search"]["score"] > 0.8


KEYS = '''
class Knows:
    """Answers for keys that it has not seen; and only for those."""

    def __init__(self, depth=1):
        self.depth = depth

    def fit(self, rows, y):
        self.seen, self.mean = set(rows["id"]), float(y.mean())
        return self

    def predict(self, rows):
        if len(rows) > 4 and self.seen & set(rows["id"]):
            raise ValueError("a key stands on both sides")
        return [self.mean] * len(rows)
'''


def test_a_key_that_was_split_by_stands_on_one_side_of_the_folds_too(project: Project) -> None:
    lines = ("depth in 1 | 2", "search folds = 3, best = min(.mae)", "measure mae on test")
    spec = of_class(*lines, entry="keys.py:Knows", predict=".y from .id, .x")
    project.write(keys__py=KEYS)
    assert apply(project, spec)["exit_code"] == 0
    loose = apply(project, spec.replace("; by = .id", ""))
    assert all("a key stands on both sides" in event["failure"] for event in tried(loose))


def test_a_function_is_made_on_folds_and_its_model_predicts_the_rest(project: Project) -> None:
    spec = of_function("a in 0 | 12 | 24", search="search folds = 3, best = min(.mae)")
    assert apply(project, spec)["exit_code"] == 0
    assert len(made(project)) == 3 * 3 + 1
    assert shown(project)["search"]["best"] == {"a": 24}


def test_trials_are_measured_on_data_of_their_own(project: Project) -> None:
    spec = SPEC.replace("train, test", "train, valid, test").replace("{ test = 20%", "{ test = 20%; valid = 20%")
    spec += ('model m from train by python "steps.py:fit" {\n  predict .y from .x\n  a in 0 | 12 | 24\n  search best = min(.mae)\n'
             "  measure mae on valid\n  measure mae as error on test\n  expect .error < 90\n}\n")  # fmt: skip
    assert apply(project, spec)["exit_code"] == 0
    assert shown(project)["search"]["score"] == shown(project)["metrics"]["mae"]


# --- environments -------------------------------------------------------------------------------------------------


def test_an_environment_changes_the_search_or_gives_the_argument(project: Project) -> None:
    spec = (
        of_function("a in 1..4") + "env long on local { set m.search.trials = 2 }\nenv fixed on local { set m.a = 3 }\n"
    )
    project.write(m__mlspec=spec)
    assert project.run("apply", "--on", "fixed").code == 0
    assert made(project) == ["3 0"]
    long = _search(spec, "long")
    assert long is not None and long.trials == 2 and long.size == 2


# --- by themselves ------------------------------------------------------------------------------------------------

SPACE = (Among(name="n", low=1, high=50, whole=True), Among(name="rate", low=0.01, high=0.3, log=True),
         Among(name="way", values=("a", True, 1, (1, 2))))  # fmt: skip


def _tried(search: Search, trials: int, seed: int = 3) -> list[Tried]:
    search = search.model_copy(update={"trials": trials})
    found: list[Tried] = []
    while len(found) < trials:
        for arguments in proposals(search, found, seed):
            n, rate = arguments["n"], arguments["rate"]
            assert isinstance(n, int) and isinstance(rate, float)
            score = None if n % 7 == 0 else -abs(n - 20) - abs(rate - 0.1)
            found.append(Tried(arguments=arguments, score=score))
    return found


def test_a_longer_search_begins_as_the_shorter_did_and_learns() -> None:
    search = Search(space=SPACE, trials=60, best="max", metric="m")
    short, long = _tried(search, 20), _tried(search, 60)
    assert long[:20] == short and len({repr(one.arguments) for one in long}) == 60
    assert _tried(search, 20, seed=4) != short
    late = [one.arguments["n"] for one in long[-ROUND:]]
    assert sum(abs(int(str(n)) - 20) < 8 for n in late) > ROUND / 2
    assert all(0.01 <= float(str(one.arguments["rate"])) <= 0.3 for one in long)


def test_a_small_space_is_never_tried_twice_at_one_place() -> None:
    search = Search(space=(Among(name="n", low=1, high=3, whole=True), Among(name="w", values=(True, 1, 1.0))),
                    trials=8, best="min", metric="m")  # fmt: skip
    asked = [repr(one) for one in proposals(search, [], 0)]
    assert len({*asked}) == len(asked) == 8


def test_the_first_of_equals_is_the_best() -> None:
    search = Search(space=SPACE, best="min", metric="m")
    tried = [Tried(arguments={"n": n}, score=score) for n, score in enumerate((None, 2.0, 1.0, 1.0))]
    assert best_of(search, tried) == tried[2] and best_of(search, tried[:1]) is None


def test_a_grid_is_in_the_order_in_which_it_is_written() -> None:
    search = Search(
        space=(Among(name="a", low=1, high=2, whole=True), Among(name="b", values=("x", "y"))), best="max", metric="m"
    )
    assert [(one["a"], one["b"]) for one in grid(search)] == [(1, "x"), (1, "y"), (2, "x"), (2, "y")]


def _search(text: str, env: str = "local") -> Search | None:
    columns = tuple(Column(name=n, type=Type(base="int")) for n in ("id", "x", "z", "y"))
    compiled = compile_text("m.mlspec", text, InMemory({"steps.py": STEPS}, {"people.csv": columns}), targets(), env)
    assert compiled.diagnostics == ()
    return compiled.program.node_of()["m"].search


def test_a_param_stands_for_an_end_or_a_number() -> None:
    text = of_function("a in low..9", search="search trials = many, best = max(.score)")
    search = _search(text.replace("mlspec 1\n", "mlspec 1\nparam low: int = -2\nparam many: int = 5\n"))
    assert search is not None and search.space[0].low == -2 and search.trials == 5 and search.size == 5


def test_the_key_of_the_split_is_known_at_compile_time() -> None:
    spec = of_class("max_depth in 1..4", "search trials = 9, folds = 2, best = min(.mae)")
    through = spec.replace(
        "model m from train", 'data chosen from train by sql "select * from train"\nmodel m from chosen'
    )
    without = spec.replace(
        "model m from train", 'data chosen from train by sql "select x, z, y from train"\nmodel m from chosen'
    )
    renamed = through.replace("select * from train", "select x, z, y, id as customer from train")
    again = renamed.replace(
        "model m from chosen", 'data twice from chosen by sql "select *, customer as c from chosen"\nmodel m from twice'
    )
    swapped = through.replace("select * from train", "select x, z, y, x + 1 as id, id as customer from train")
    for text, group in (
        (spec, "id"), (through, "id"), (without, ""), (renamed, "customer"), (again, "customer"), (swapped, "customer"),
        (through.replace("select *", "select id, avg(x) as x, avg(z) as z, avg(y) as y").replace("train\"", "train group by id\""), "id"),
        (through.replace("select *", "select id + 1 as id, x, z, y"), "id"),
    ):  # fmt: skip
        search = _search(text)
        assert search is not None and search.group == group and search.is_grid and search.size == 4


def test_trials_out_of_memory_are_told_as_any_step_is(project: Project) -> None:
    project.file("people.csv", PEOPLE)
    project.file("own.py", """
import numpy
from sklearn.linear_model import LogisticRegression
class Hungry(LogisticRegression):
    def fit(self, X, y):
        self.rows_ = numpy.ones(200_000_000)
        return super().fit(X, y)
""")  # fmt: skip
    spec = SPEC + (
        'model m from train by python "own.py:Hungry" {\n  predict .kind from .x, .z\n'
        "  C in 0.1 | 1\n  search folds = 5, best = max(.roc_auc)\n  needs memory = 500MB\n}\n"
    )
    ran = project.file("spec.mlspec", spec) and project.apply()
    assert ran.code == 4 and "could not make m: it needs more memory than its memory = 500MB" in ran.out
    assert "Traceback" not in ran.out and "worker.py" not in ran.out
