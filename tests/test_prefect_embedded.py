"""Prefect without a server: one of our own, which goes with the apply, in whatever way that ends."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from helpers import Project, until

pytest.importorskip("prefect")

SPEC = """
data raw from csv "a.csv" { id: int }
data slow from raw by shell "touch $PROJECT/begun; sleep 300; cp $raw $OUTPUT" { id: int }
env there on prefect { store = "STORE" }
"""
MARK = "MLSPEC_TEST_MARK"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_of_an_apply_that_was_ended(tmp_path: Path, how: signal.Signals) -> None:
    spec = SPEC.replace("STORE", f"{tmp_path}/store").replace("$PROJECT", str(tmp_path))
    project = Project(tmp_path / "project").write(x__mlspec=spec, a__csv="id\n1\n")
    environment = {"PREFECT_API_URL": "", "PREFECT_HOME": f"{tmp_path}/home", "MLSPEC_CACHE": f"{tmp_path}/cache",
                   MARK: str(tmp_path)}  # fmt: skip
    process = project.start("apply", "--on", "there", env=environment)
    until((tmp_path / "begun").exists, 120)
    assert len(_of(tmp_path)) > 4  # the server, the run, its flow, the job
    process.send_signal(how)
    process.communicate(timeout=60)
    until(lambda: not _of(tmp_path), 30)


def _of(mark: Path) -> list[str]:
    """The processes that were started with it in their environment, whoever started them."""
    found = []
    for one in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}\0".encode() in (one / "environ").read_bytes():
                found.append((one / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return [command for command in found if command]
