"""What all runtimes promise, kept by this machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from mlspec.runtimes.conformance import Subject, Trial, begin
from mlspec.runtimes.targets import targets


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory, token: str) -> Trial:
    folder: Path = tmp_path_factory.mktemp("local")
    return begin(Subject(targets()["local"], token=token), folder)


def test_local(point: Callable[[Trial], None], trial: Trial) -> None:
    point(trial)
