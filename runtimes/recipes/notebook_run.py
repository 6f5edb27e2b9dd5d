"""Runs the cells of a notebook, in place, in a Python of its own that ends when this process does.

The kernel is this very interpreter, whichever kernels are installed, and reads nobody's settings of IPython.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import from_dict

from .notebook import HIDDEN

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
PATIENCE = 120  # seconds for a kernel to start


@dataclass(frozen=True, slots=True)
class Failure:
    """`cell` is the number of the cell that it came about in; `ended` when the kernel did."""

    cell: int | None
    message: str
    ended: bool = False


class _Kernel(AsyncKernelManager):
    @property
    def kernel_spec(self) -> KernelSpec:
        command = [sys.executable, "-P", "-m", f"{__package__}.notebook_kernel", "-f", "{connection_file}"]
        return KernelSpec(argv=[*command, "--HistoryManager.enabled=False"], language="python")


def run(notebook: dict[str, Any], root: Path) -> Failure | None:
    """Run all cells, whose outputs come into `notebook`; what goes wrong in one ends it."""
    nodes: Any = from_dict(notebook)  # type: ignore[no-untyped-call]
    number: int | None = None
    try:
        with _started(nodes, root) as client:
            for index, cell in enumerate(nodes["cells"]):
                mark = cell["metadata"].get(HIDDEN)
                number = mark if isinstance(mark, int) else None
                client.execute_cell(cell, index, store_history=not isinstance(mark, str))
    except CellExecutionError as error:
        return Failure(number, f"{error.ename}: {error.evalue}")
    except (DeadKernelError, RuntimeError) as error:
        return Failure(number, str(error), ended=True)
    finally:
        notebook["cells"] = nodes["cells"]
    return None


class _Client(NotebookClient):
    def output(self, outs: list[Any], msg: dict[str, Any], display_id: str | None, cell_index: int) -> Any:
        """What a cell prints is also the step's log, as it comes."""
        content = msg["content"]
        if msg["msg_type"] == "stream":
            _print(content["text"], content["name"])
        elif msg["msg_type"] == "error":
            _print(COLOURS.sub("", "\n".join(content["traceback"])) + "\n", "stderr")
        return super().output(outs, msg, display_id, cell_index)


def _print(text: str, stream: str) -> None:
    target = sys.stderr if stream == "stderr" else sys.stdout
    target.write(text)
    target.flush()


@contextlib.contextmanager
def _started(nodes: Any, root: Path) -> Iterator[NotebookClient]:
    folder = Path(tempfile.mkdtemp(prefix="mlspec-"))  # not in the store: the path of a socket has little room
    reading, life = os.pipe()
    kernel = _Kernel(transport="ipc", ip=str(folder / "socket"), connection_file=str(folder / "connection.json"))
    client = _Client(
        nodes, km=kernel, timeout=None, startup_timeout=PATIENCE, shutdown_kernel="immediate", record_timing=False
    )
    try:
        environment = {**os.environ, "IPYTHONDIR": str(folder), "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        with client.setup_kernel(cleanup_kc=True, cwd=str(root), env=environment, stdin=reading):
            yield client
    finally:
        _end_group(kernel)
        os.close(life)
        os.close(reading)
        shutil.rmtree(folder, ignore_errors=True)


def _end_group(kernel: AsyncKernelManager) -> None:
    """A kernel leads a session of its own: all that its cells have started ends with it, if it has crashed as well."""
    group = getattr(kernel.provisioner, "pgid", None)
    if group:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
