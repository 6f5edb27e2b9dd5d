from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # helpers.py

from buckets import Line, Server, server
from helpers import Project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """An empty folder for a spec; services that it started are stopped at the end."""
    root = tmp_path / "project"
    root.mkdir()
    yield Project(root)
    from mlspec.runtimes.serving import control

    for folder in (root / ".mlspec" / "services").glob("*/*/*"):
        control.stop(folder)


@pytest.fixture(scope="module")
def served() -> Iterator[Server]:
    """A server that answers as S3 does."""
    with server() as found:
        yield found


@pytest.fixture
def s3_server(served: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The same, with an empty bucket, and the environment that leads there."""
    served.reset()
    served.make("acme")
    for name, value in served.environment().items():
        monkeypatch.setenv(name, value)
    return served


@pytest.fixture
def line(s3_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """The environment leads there over a line that can be watched and cut."""
    found = Line(s3_server)
    monkeypatch.setenv("AWS_ENDPOINT_URL", found.address)
    yield found
    found.close()
