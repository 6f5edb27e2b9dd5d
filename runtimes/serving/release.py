"""What a service is asked to serve, how it fares, and the files of its folder."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ConfigDict

from ...compiler.program import Exchange
from ...compiler.types import Frozen
from ..order import Make

LOCK = "lock"  # held by the front for as long as it lives
CONTROL = "control.sock"  # where the front takes orders
STATE = "state.json"  # what the front last said of itself
PORT = "port"  # the port that was once chosen
LOG = "service.log"

PROBE_HEADER = "x-mlspec-probe"  # carries the token that leads a request to the candidate


class Called(Frozen):
    """The function that answers in a model's place: the order with all that it is handed, what it is asked, and where
    its code lies as it was when the release was made. `store` is where its inputs are."""

    order: Make
    exchange: Exchange
    code: str = ""
    store: str = ""

    @property
    def has_code(self) -> bool:
        """Whether the function is of the project's files, not of an installed package."""
        return bool(self.order.recipe.code and self.order.recipe.code.files)


class Release(Frozen):
    """A model, or a function, and how it is served.

    `model_folder` is the absolute folder that the store laid out, "" for a function; `root` the project's. `shown` are
    values of an example to show, by feature. `log` says whether requests are kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    id: str
    name: str
    model_digest: str = ""
    model_folder: str = ""
    called: Called | None = None
    shown: dict[str, Any] = {}
    log: bool = True
    route: str = "/predict"
    host: str = "127.0.0.1"
    port: int | None = None
    replicas: int = 1
    doc: str = ""
    root: str = ""

    @property
    def mark(self) -> str:
        """The model's digest, short, as every answer carries it; of a function, which is more than a model, the release's."""
        return (self.id if self.called else self.model_digest).rpartition(":")[2][:12]


class Status(Frozen):
    """`running` says that a release answers. `since` is when it began to, in seconds since 1970; times are seconds."""

    running: bool = False
    address: str = ""
    release: str = ""
    pid: int = 0
    since: float = 0.0
    requests: int = 0
    errors: int = 0
    p50: float | None = None
    p95: float | None = None


def read_state(folder: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((folder / STATE).read_bytes())
    except (OSError, ValueError):
        return {}
    return state


def write_atomically(path: Path, text: str) -> None:
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    aside.write_text(text)
    aside.replace(path)


@contextmanager
def short_path(folder: Path) -> Iterator[Path]:
    """The folder under a short name: the address of a local socket may have a hundred bytes only."""
    if len(os.fsencode(folder.absolute())) < 80:
        yield folder.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="mlspec") as temporary:
        link = Path(temporary) / "s"
        link.symlink_to(folder.absolute())
        yield link


def quantile(ordered: list[float], share: float) -> float:
    """The value that this share lies at or below; `ordered` is sorted and not empty."""
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]
