"""What all runtimes promise, kept by Prefect: a real server, and a real worker that is killed."""

from __future__ import annotations

import contextlib
import os
import pickle
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import mlspec
import prefect_here
import pytest
import specs_on
from buckets import Line, Server
from helpers import Project, until
from mlspec.runtimes.conformance import Subject, Trial, begin
from mlspec.runtimes.prefect import apply, pull
from mlspec.runtimes.prefect.follow import complaint, shortened
from mlspec.runtimes.prefect.job import Job, last_words
from mlspec.runtimes.targets import targets
from mlspec.runtimes.trouble import Trouble
from prefect_here import POOL, PrefectHere, free_port

PACKAGE = ("__init__.py", "__main__.py", "grammar", "compiler", "runtimes", "lsp", "cli")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory, token: str, prefect: PrefectHere) -> Trial:
    bucket = tmp_path_factory.mktemp("bucket")  # more is far away than in a folder
    kill = shlex.join([sys.executable, prefect_here.__file__, str(prefect.folder)])
    subject = Subject(
        targets()["prefect"], {"work_pool": POOL, "store": f"file://{bucket}"}, kill, (prefect.folder, bucket), token
    )
    return begin(subject, tmp_path_factory.mktemp("project"))


def test_prefect(point: Callable[[Trial], None], trial: Trial) -> None:
    point(trial)


def test_what_a_step_printed_is_on_the_server_without_the_secret(trial: Trial, prefect: PrefectHere) -> None:
    """So the search for the secret looked where it would have been."""
    _, ran = trial.whole
    assert ran.code == 0
    database = b"".join(path.read_bytes() for path in (prefect.folder / "home").glob("prefect.db*"))
    assert "the token is •••".encode() in database


def test_specs_are_the_same(tmp_path: Path, prefect: PrefectHere) -> None:
    env = f'env there on prefect {{\n  store = "{tmp_path}/store"\n  work_pool = "{POOL}"\n}}'
    assert specs_on.differences(specs_on.CHOSEN, tmp_path / "specs", env) == {}


SERVED = """
mlspec 1
data flowers from csv "iris.csv" {
  species: "setosa" | "versicolor" | "virginica"
}
data train, test from flowers by split {
  test = 20%
  seed = 1
}
model neighbour from train by python "sklearn.neighbors:KNeighborsClassifier" {
  predict .species
  measure accuracy on test
}
"""
SERVICE = """
service kinds from neighbour by http
"""


def test_a_service_is_stopped_where_it_runs(tmp_path: Path, prefect: PrefectHere) -> None:
    env = f'env there on prefect {{\n  store = "{tmp_path}/store"\n  work_pool = "{POOL}"\n}}'
    project = Project(tmp_path).write(s__mlspec=f"{SERVED}{SERVICE}{env}")
    shutil.copy(specs_on.SPECS / "iris" / "iris.csv", tmp_path)

    def answers() -> bool:
        return bool(project.data("status", "--on", "there")["names"]["kinds"]["running"])

    assert project.apply("--on", "there").code == 0 and answers()
    ran = project.run("rollback", "kinds", "--on", "there")
    assert ran.code == 4 and "none before it" in ran.err
    assert project.run("stop", "kinds", "--on", "there").code == 0 and not answers()
    assert project.events("--on", "there")["kinds"] == "served" and answers()
    [process] = _processes(f"{prefect.folder}.*/kinds ")
    project.write(s__mlspec=f"{SERVED}{env}")
    ran = project.apply("--on", "there")
    assert (ran.code, ran.out.split()[:2]) == (0, ["retired", "kinds"]), ran.text
    assert "1 retired, 3 unchanged in" in ran.out
    assert "kinds" not in project.data("status", "--on", "there")["names"]
    assert process not in _processes(f"{prefect.folder}.*/kinds ")


def test_a_service_that_another_machine_runs_is_not_said_to_be_stopped(tmp_path: Path, prefect: PrefectHere) -> None:
    """The worker that is asked has neither the service nor, in its cache, anything of the bucket."""

    def env(pool: str) -> str:
        return f'env there on prefect {{\n  store = "file://{tmp_path}/bucket"\n  work_pool = "{pool}"\n}}'

    project = Project(tmp_path / "project").write(s__mlspec=f"{SERVED}{SERVICE}{env(POOL)}")
    shutil.copy(specs_on.SPECS / "iris" / "iris.csv", project.root)
    assert project.apply("--on", "there").code == 0
    with prefect.worker_of("apart", MLSPEC_CACHE=f"{tmp_path}/apart"):
        project.write(s__mlspec=f"{SERVED}{SERVICE}{env('apart')}")
        ran = project.run("stop", "kinds", "--on", "there")
        assert ran.code == 4 and "another machine than this worker's runs it: kinds answers at" in ran.err, ran.text
        project.write(s__mlspec=f"{SERVED}{env('apart')}")
        ran = project.apply("--on", "there")
        assert ran.code == 4 and "could not stop kinds" in ran.out, ran.text
    assert project.data("status", "--on", "there")["names"]["kinds"]["running"]
    project.write(s__mlspec=f"{SERVED}{SERVICE}{env(POOL)}")
    assert project.run("stop", "kinds", "--on", "there").code == 0
    assert not project.data("status", "--on", "there")["names"]["kinds"]["running"]


def test_a_worker_that_was_killed_is_busy_only_until_it_counts_as_gone() -> None:
    there, said = ["worker"], list[str]()
    server = SimpleNamespace(workers=lambda pool: there)
    run = apply._Run(server, "id", "swift", "here", began=time.monotonic() - 60)
    for _ in range(2):
        apply._tell_of_no_worker(run, SimpleNamespace(is_scheduled=lambda: True), said.append)
    there.clear()
    for _ in range(2):
        apply._tell_of_no_worker(run, SimpleNamespace(is_scheduled=lambda: True), said.append)
    assert [line.split(";")[0] for line in said] == [
        "the workers of here are busy", "no worker of here is there", "the run swift waits for it",
    ]  # fmt: skip


def test_a_name_moves_beside_a_service_that_goes(tmp_path: Path, prefect: PrefectHere) -> None:
    """Though nothing is to be made."""
    env = f'env there on prefect {{\n  store = "{tmp_path}/store"\n  work_pool = "{POOL}"\n}}'
    other = SERVED.replace("  measure", "  n_neighbors = 3\n  expect .accuracy <= 0.5\n  measure")
    project = Project(tmp_path).write(s__mlspec=f"{SERVED}{SERVICE}{env}")
    shutil.copy(specs_on.SPECS / "iris" / "iris.csv", tmp_path)
    assert project.apply("--on", "there").code == 0
    project.write(s__mlspec=f"{other}{SERVICE}{env}")
    assert project.apply("--on", "there").code == 3
    project.write(s__mlspec=f"{other.replace('<= 0.5', '>= 0.5')}{env}")
    events = project.events("--on", "there")
    assert (events["neighbour"], events["kinds"]) == ("accepted", "retired")


WAITING = """
data raw from csv "a.csv" { id: int }
data slow from raw by shell "touch BEGUN; while ! test -e GO; do sleep 0.1; done; cp $raw $OUTPUT" { id: int }
"""
HASTY = "import sys; from mlspec.runtimes.prefect import apply; apply.STILL = 2; from mlspec.cli import main; sys.exit(main())"


def test_a_run_is_given_up_only_when_nothing_of_it_goes_on(tmp_path: Path, prefect: PrefectHere) -> None:
    """It waits for a worker for as long as there is none; and it may outlive its worker."""
    begun, go = tmp_path / "begun", tmp_path / "go"
    spec = WAITING.replace("BEGUN", str(begun)).replace("GO", str(go))
    env = f'env there on prefect {{\n  store = "{tmp_path}/store"\n  work_pool = "idle"\n}}'
    project = Project(tmp_path / "project").write(x__mlspec=f"{spec}{env}", a__csv="id\n1\n")
    prefect.create("idle")

    def hasty() -> subprocess.Popen[str]:
        return subprocess.Popen([sys.executable, "-c", HASTY, "apply", "--on", "there"], cwd=project.root, text=True,
                                env={**os.environ, "NO_COLOR": "1"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip

    process = hasty()
    time.sleep(20)
    assert process.poll() is None
    soon = {"PREFECT_WORKER_HEARTBEAT_SECONDS": "1"}
    prefect.start_worker("idle", "first", **soon)
    until(begun.exists, 90)
    flows = prefect.kill_alone("first")
    prefect.start_worker("idle", "second", **soon)
    try:
        out = _read_until(process, "what it has begun goes on", 120)
        assert "waits for it; Ctrl-C leaves it waiting" in out
        go.touch()
        out, _ = process.communicate(timeout=90)
        assert process.returncode == 0 and "made" in out, out
        begun.unlink(), go.unlink()
        project.file("a.csv", "id\n2\n")
        process = hasty()
        until(begun.exists, 90)
        prefect.end("second")
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 4 and "that had it is gone, and nothing of it goes on" in out, out
    finally:
        process.kill()
        prefect.end("second")
        for flow in flows:
            with contextlib.suppress(ProcessLookupError):
                os.kill(flow, signal.SIGKILL)


def test_two_that_want_the_same_wait_and_who_loses_the_store_is_told_that_the_run_goes_on(
    tmp_path: Path, prefect: PrefectHere, s3_server: Server, line: Line
) -> None:
    begun, go = tmp_path / "begun", tmp_path / "go"
    spec = WAITING.replace("BEGUN", str(begun)).replace("GO", str(go))
    env = 'env there on prefect {\n  store = "s3://acme/team"\n  work_pool = "far"\n}'
    one, two = (Project(tmp_path / name).write(x__mlspec=f"{spec}{env}", a__csv="id\n1\n") for name in ("one", "two"))
    with prefect.worker_of("far", **s3_server.environment()):
        first = one.start("apply", "--on", "there", env=s3_server.environment(address=line.address))
        until(begun.exists, 90)
        second = two.start("apply", "--on", "there", env=s3_server.environment())
        _read_until(second, "waits    slow  another apply is making it", 90)
        line.answer("400 Bad Request", "ExpiredToken")
        go.touch()
        out, err = first.communicate(timeout=90)
        assert first.returncode == 4 and "the credentials have expired" in err, out + err
        assert "may be going on at http://127.0.0.1" in out.splitlines()[-1]
        out, err = second.communicate(timeout=90)
        assert second.returncode == 0, out + err


def _read_until(process: subprocess.Popen[str], text: str, seconds: float) -> str:
    found: list[str] = []
    assert process.stdout is not None
    clock = threading.Timer(seconds, process.kill)
    clock.start()
    for line in process.stdout:
        found.append(line)
        if text in line:
            clock.cancel()
            return "".join(found)
    raise AssertionError("".join(found))


def _processes(command: str) -> list[int]:
    found = subprocess.run(["pgrep", "-f", command], capture_output=True, text=True, check=False).stdout
    return [int(line) for line in found.split()]


def test_why_a_project_could_not_be_taken_out_of_the_store_is_told(tmp_path: Path, prefect: PrefectHere) -> None:
    env = f'env there on prefect {{\n  store = "file://{tmp_path}/bucket"\n  work_pool = "keyless"\n}}'
    project = Project(tmp_path / "project").write(x__mlspec=f'data raw from csv "a.csv"\n{env}', a__csv="id\n1\n")
    cache = tmp_path / "cache"
    cache.write_text("no folder")
    with prefect.worker_of("keyless", MLSPEC_CACHE=str(cache)):
        ran = project.apply("--on", "there")
    assert ran.code == 4 and "came to no end: it has crashed: could not open the store" in ran.out, ran.text


def test_what_is_noted_of_a_block_is_told_as_here(tmp_path: Path, prefect: PrefectHere) -> None:
    env = f'env there on prefect {{\n  store = "file://{tmp_path}/store"\n  work_pool = "{POOL}"\n}}'
    project = Project(tmp_path / "project").write(s__mlspec=f"{SHARED}{env}")
    shutil.copy(specs_on.SPECS / "iris" / "iris.csv", project.root)
    here, there = project.apply().out, project.apply("--on", "there").out
    noted = [line.strip() for line in here.splitlines() if line.startswith(" " * 14)]
    assert noted and [one for one in noted if one not in there] == [], (here, there)
    names = list(project.data("status", "--on", "there")["names"])
    assert names == sorted(names) and len(names) == 3


def test_a_worker_of_another_version_says_so(tmp_path: Path, prefect: PrefectHere) -> None:
    """One that really imports another: its requirements could not have been met otherwise."""
    source = Path(mlspec.__file__).parent
    shutil.copytree(source, tmp_path / "older" / "mlspec", ignore=lambda folder, names: {
        name for name in names if Path(folder) == source and name not in PACKAGE})  # fmt: skip
    own = tmp_path / "older" / "mlspec" / "__init__.py"
    own.write_text(own.read_text(encoding="utf-8").replace(mlspec.__version__, "0.0.9"), encoding="utf-8")
    env = f'env there on prefect {{\n  store = "{tmp_path}/store"\n  work_pool = "older"\n}}'
    project = Project(tmp_path).write(s__mlspec=f"{SERVED}{env}")
    shutil.copy(specs_on.SPECS / "iris" / "iris.csv", tmp_path)
    with prefect.worker_of("older", PYTHONPATH=f"{tmp_path}/older"):
        ran = project.apply("--on", "there")
    assert ran.code == 4 and ran.err == ""
    assert f"this worker has mlspec 0.0.9, and the flow was compiled by {mlspec.__version__}" in ran.out


SHARED = """
mlspec 1
data flowers from csv "iris.csv" {
  species: "setosa" | "versicolor" | "virginica"
}
data parts from flowers by sql "select * from flowers" {
  each .species
}
model tried from flowers by python "sklearn.neighbors:KNeighborsClassifier" {
  predict .species
  n_neighbors in 1..4
  search folds = 3, best = max(.accuracy)
}
"""


# Ray is large, and not among what tests install: `make ray`.
RUNNERS = [runner for runner in ("dask", "ray") if find_spec(f"prefect_{runner}")]


@pytest.mark.parametrize("runner", RUNNERS)
def test_a_cluster_makes_the_same(tmp_path: Path, prefect: PrefectHere, runner: str) -> None:
    env = f'env there on prefect {{\n  store = "{tmp_path}/store"\n  work_pool = "{POOL}"\n  runner = "{runner}"\n}}'
    project = Project(tmp_path).write(s__mlspec=f"{SHARED}{env}")
    shutil.copy(specs_on.SPECS / "iris" / "iris.csv", tmp_path)
    assert project.apply().code == 0
    assert set(project.events("--on", "there").values()) == {"made"}
    here, there = (project.data("status", *on)["names"] for on in ((), ("--on", "there")))
    assert {name: one["digest"] for name, one in here.items()} == {name: one["digest"] for name, one in there.items()}
    assert "Nothing to be made" in project.apply("--on", "there").out


def test_a_cluster_where_nobody_listens_is_told_at_once(tmp_path: Path, prefect: PrefectHere) -> None:
    """Ray itself asks without end. It need not be installed here: the address is tried before the flow is loaded."""
    address = f"ray://127.0.0.1:{free_port()}"
    env = f'env there on prefect {{\n  store = "{tmp_path}/store"\n  work_pool = "{POOL}"\n  runner = "ray"\n  address = "{address}"\n}}'
    project = Project(tmp_path / "project").write(x__mlspec=f'data raw from csv "a.csv"\n{env}', a__csv="id\n1\n")
    ran = project.apply("--on", "there")
    assert ran.code == 4 and f"could not reach the cluster at {address}: nothing answers there" in ran.out, ran.text


def test_addresses_of_clusters() -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        port = there.getsockname()[1]
        for address in (f"ray://127.0.0.1:{port}", f"127.0.0.1:{port}", f"tcp://localhost:{port}", "auto", "local", ""):
            pull.reach(address)
    for address, cause in {f"127.0.0.1:{port}": "nothing answers there", "tcp://here:x": "it is no address"}.items():
        with pytest.raises(Trouble, match=cause):
            pull.reach(address)


def test_a_project_comes_along_to_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLSPEC_CACHE", f"{tmp_path}/cache")
    here = tmp_path / "project"
    here.mkdir()
    for name in ("s.mlspec", "steps.py", "large.csv"):
        (here / name).write_text(name)
    job = Job(here / "s.mlspec", env="there", mlspec=mlspec.__version__, files=["s.mlspec", "steps.py"])
    sent = pickle.dumps(job)
    assert pickle.loads(sent) == job
    shutil.rmtree(here)
    there = pickle.loads(sent)
    assert there == pickle.loads(sent) and there.spec.is_relative_to(tmp_path / "cache")
    assert sorted(path.name for path in there.spec.parent.iterdir()) == [".mlspec", "s.mlspec", "steps.py"]


def test_a_cluster_of_its_own_is_no_other_that_is_there(tmp_path: Path) -> None:
    env = 'env there on prefect {\n  store = "/s"\n  runner = "ray"\n  workers = 3\n}'
    spec = specs_on.lay_out("iris", tmp_path / "iris", env)
    assert spec.run("compile", "--on", "there", "--to", "out").code == 0
    flow = (spec.root / "out" / "flow.py").read_text(encoding="utf-8")
    assert "task_runner=RayTaskRunner(init_kwargs={'address': 'local', 'num_cpus': 3})" in flow
    assert '"flowers.py"' in flow and "iris.csv" not in flow
    assert "prefect-ray" in (spec.root / "out" / "requirements.txt").read_text(encoding="utf-8").split()


def test_of_a_flow_that_could_not_begin_the_exception_is_told() -> None:
    told = (
        'Engine execution exited with unexpected exception\nTraceback (most recent call last):\n  File "a.py", line 1\n'
        "    raise one\nOSError: one\n\nThe above exception was the direct cause of the following exception:\n\n"
        'Traceback (most recent call last):\n  File "b.py", line 2, in init\n    raise two\n    ^^^^^^^^^\n'
        "ConnectionError: two\n\nwith more to say"
    )
    assert complaint(told) == "ConnectionError: two" and complaint("one\ntwo") == "one"


def test_edges_are_as_in_the_plan(tmp_path: Path) -> None:
    spec = specs_on.lay_out("telco_churn", tmp_path / "telco", 'env there on prefect { store = "/s" }')
    assert spec.run("compile", "--on", "there", "--to", "out").code == 0
    flow = (spec.root / "out" / "flow.py").read_text(encoding="utf-8")
    submitted = re.findall(r"^    (\w+)_done = \w+\.submit\((.*)\)$", flow, re.MULTILINE)
    assert {name: set(re.findall(r"allow_failure\((\w+)_done\)", given)) for name, given in submitted} == {
        "customers": set(), "train_test": {"customers"}, "churn": {"train_test"}, "churn_api": {"churn"},
        "scores": {"churn", "customers"},
    }  # fmt: skip


def test_what_a_job_ended_with_is_told_without_what_came_before() -> None:
    told = "warning[W105]: much\n  --> s.mlspec:3\n\nerror: could not write s3://b: no keys\n  = help: renew them\n"
    assert last_words(told) == "could not write s3://b: no keys\nhelp: renew them"
    assert last_words("Killed\n") == "Killed"


def test_a_line_without_end_is_shortened() -> None:
    assert shortened("ab\n" + "ä" * 100_000) == "ab\n" + "ä" * 499 + "…"
