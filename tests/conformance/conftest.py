from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # prefect_here.py, specs_on.py

from mlspec.runtimes.conformance import POINTS
from mlspec.runtimes.conformance.ground import VARIABLE
from prefect_here import PrefectHere, free_port

TOKEN = "correct-horse-battery-staple"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "point" in metafunc.fixturenames:
        metafunc.parametrize("point", POINTS, ids=lambda point: point.__name__)


@pytest.fixture(scope="session")
def token() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, TOKEN)
        yield TOKEN


@pytest.fixture(scope="session")
def prefect(tmp_path_factory: pytest.TempPathFactory, token: str) -> Iterator[PrefectHere]:
    """A server and a worker, which has the secret of the conformance suite; mlspec is configured for them."""
    here = PrefectHere(tmp_path_factory.mktemp("prefect"), free_port())
    with pytest.MonkeyPatch.context() as patch:
        for name, value in here.environment().items():
            patch.setenv(name, value)
        try:
            here.start()
            yield here
        finally:
            here.stop()
