"""What all runtimes promise, kept by Prefect: a real server, and a real worker that is killed."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import prefect_here
import pytest
import specs_on
from mlspec.runtimes.conformance import Subject, Trial, begin
from mlspec.runtimes.targets import targets
from prefect_here import POOL, PrefectHere


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory, token: str, prefect: PrefectHere) -> Trial:
    kill = shlex.join([sys.executable, prefect_here.__file__, str(prefect.folder)])
    subject = Subject(targets()["prefect"], {"work_pool": POOL}, kill, (prefect.folder,), token)
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


def test_edges_are_as_in_the_plan(tmp_path: Path) -> None:
    spec = specs_on.lay_out("telco_churn", tmp_path / "telco", 'env there on prefect { store = "/s" }')
    assert spec.run("compile", "--on", "there", "--to", "out").code == 0
    flow = (spec.root / "out" / "flow.py").read_text(encoding="utf-8")
    submitted = re.findall(r"^    (\w+)_done = \w+\.submit\((.*)\)$", flow, re.MULTILINE)
    assert {name: set(re.findall(r"allow_failure\((\w+)_done\)", given)) for name, given in submitted} == {
        "customers": set(), "train_test": {"customers"}, "churn": {"train_test"}, "churn_api": {"churn"},
        "scores": {"churn", "customers"},
    }  # fmt: skip
