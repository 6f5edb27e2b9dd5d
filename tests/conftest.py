from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # helpers.py

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
