"""What all runtimes promise, kept by make; and what it compiles to, as a person uses it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import specs_on
from helpers import Project
from mlspec.runtimes import laid_out
from mlspec.runtimes.conformance import Subject, Trial, begin
from mlspec.runtimes.conformance.ground import until
from mlspec.runtimes.conformance.points import KILLED
from mlspec.runtimes.targets import targets

QUIET = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory, token: str) -> Trial:
    return begin(Subject(targets()["make"], {"workers": "2"}, token=token), tmp_path_factory.mktemp("make"))


def test_make(point: Callable[[Trial], None], trial: Trial) -> None:
    point(trial)


def by_hand(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", "-j2", f"MLSPEC={sys.executable} -m mlspec", *words], cwd=folder, env=QUIET,
                          capture_output=True, text=True, timeout=120, check=False)  # fmt: skip


def test_a_compiled_folder_is_made_by_hand(project: Project) -> None:
    """With a name that make and the shell might take amiss; what its sources held is in the store since the apply."""
    name, store = "it's $5 #1.mlspec", project.root / "a store"
    text = f"""mlspec 1
data numbers from csv "numbers.csv"
data größe, Makefile from numbers by split {{ größe = 1 }}
use "other.mlspec" as eu
data both from größe, eu.doubled by sql "select n from größe union all select n from doubled"
env there on make {{ store = "{store}" }}
"""
    other = 'data numbers from csv "numbers.csv"\ndata doubled from numbers by sql "select 2 * n as n from numbers"\n'
    project.file(name, text)
    project.file("other.mlspec", other)
    project.file("numbers.csv", "n\n1\n2\n3\n")
    ran = project.apply(name, "--on", "there")
    assert ran.code == 0, ran.text
    project.file("other.mlspec", other.replace("2 * n", "3 * n"))
    assert project.run("compile", name, "--on", "there", "--to", "out").code == 0
    for words in (["both"], []):
        ran = by_hand(project.root / "out", *words)
        assert ran.returncode == 0 and not (project.root / "out" / "failed").exists(), ran.stdout + ran.stderr
        assert ("made     both" in ran.stdout) == bool(words), ran.stdout
    assert project.apply(name).code == 0
    assert digests(project, name, "there") == digests(project, name, "local")
    assert project.run("apply", name, "--on", "there").out.startswith("Nothing to be made")


def digests(project: Project, spec: str, on: str) -> dict[str, str]:
    return {name: one["digest"] for name, one in project.data("status", spec, "--on", on)["names"].items()}


def test_by_hand_a_job_that_fails_is_noted_and_the_others_go_on(project: Project) -> None:
    project.write(a__mlspec=f"""mlspec 1
data numbers from csv "numbers.csv"
data few from numbers by sql "select * from numbers" {{ expect .rows > 0 }}
data more from few, numbers by sql "select numbers.n from numbers, few"
env there on make {{ store = "{project.root}/store" }}
""", numbers__csv="n\n1\n")  # fmt: skip
    assert project.run("apply", "--on", "there").code == 0
    before = digests(project, "a.mlspec", "there")
    spec = (project.root / "a.mlspec").read_text()
    spec = spec.replace("> 0", "> 5").replace('* from numbers"', 'n + 1 as n from numbers"')
    project.file("a.mlspec", spec.replace("numbers.n from", "numbers.n + 1 as n from"))
    project.run("compile", "--on", "there", "--to", "out")
    ran = by_hand(project.root / "out")
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert (project.root / "out" / "failed").read_text() == "few\n"
    after = digests(project, "a.mlspec", "there")
    assert after["few"] == before["few"] and after["more"] != before["more"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_the_jobs_end_with_the_apply(sent: signal.Signals, trial: Trial) -> None:
    """Though it is the only one that is told."""
    ground = trial.ground(f"ends_{sent.name.lower()}", KILLED)
    process = ground.start("apply", ground.spec, "--on", "there")
    until(lambda: ground.noted()["begun"] == 1, 60, "the slow step to begin")
    process.send_signal(sent)
    process.communicate(timeout=60)
    assert process.returncode == (130 if sent is signal.SIGINT else -9)
    until(lambda: str(ground.root) not in running(), 60, "its jobs to end")
    Path(f"{ground.tally}.go").touch()
    assert ground.apply().code == 0
    assert (ground.noted()["slow"], ground.noted()["constant"]) == (1, 1)


def running() -> str:
    """The folders in which processes of mlspec work."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if b"mlspec" in (process / "cmdline").read_bytes():
                found.append(str((process / "cwd").readlink()))
    return "\n".join(found)


def test_gc_takes_projects_that_are_old_and_not_in_use(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of make, and of this machine's workers; in use is also what a process was only told of."""
    monkeypatch.setenv("MLSPEC_CACHE", f"{project.root}/cache")
    laid = project.root / ".mlspec" / "make"
    for rows in ("1", "2", "3"):
        project.write(a__mlspec=f"""# {rows}
data numbers from csv "numbers.csv"
env there on make {{ store = ".mlspec" }}
""", numbers__csv=f"n\n{rows}\n")  # fmt: skip
        assert project.apply("--on", "there").code == 0
    last = max(laid.iterdir(), key=lambda one: one.stat().st_mtime)
    used, unused = (one for one in laid.iterdir() if one != last)
    of_a_worker = project.root / "cache" / "projects" / ("0" * 32)
    own = project.file("cache/projects/notes/mine.txt", "")  # it is none of ours
    of_a_worker.mkdir()
    for one in (used, unused, of_a_worker, own.parent):
        os.utime(one, (0, 0))
    with subprocess.Popen([sys.executable, "-c", "input()", f"{used}/project"], stdin=subprocess.PIPE) as process:
        assert "2 projects would go" in project.run("gc", "--dry-run").out and unused.exists()
        assert project.data("gc")["projects"] == 2
        process.communicate(b"\n")
    assert set(laid.iterdir()) == {last, used} and not of_a_worker.exists() and own.exists()
    assert project.data("gc")["projects"] == 1
    os.utime(last, (0, 0))
    assert laid_out.is_there(last) and project.data("gc")["projects"] == 0  # it was asked for again


def test_edges_are_as_in_the_plan(project: Project) -> None:
    root = project.root / "telco"
    spec = specs_on.lay_out("telco_churn", root, 'env there on make { store = "s" }')
    assert spec.run("compile", "--on", "there", "--to", "out").code == 0
    rules = re.findall(r"^(\w+): ?(.*)$", (root / "out" / "Makefile").read_text(), re.MULTILINE)
    assert {name: set(after.split()) for name, after in rules} == {
        "all": {"customers", "train", "churn", "churn_api", "scores"}, "customers": set(), "train": {"customers"},
        "test": {"train"}, "churn": {"train", "test"}, "churn_api": {"churn"}, "scores": {"churn", "customers"},
    }  # fmt: skip


def test_specs_are_the_same(tmp_path: Path) -> None:
    env = f'env there on make {{\n  store = "{tmp_path}/store"\n  workers = 2\n}}'
    assert specs_on.differences(specs_on.CHOSEN, tmp_path / "specs", env) == {}
