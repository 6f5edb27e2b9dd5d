"""A command -> what the whole process took, from start to exit."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from .watch import watched


class Failed(Exception):
    """The command did not end well; the text is the last line that it said."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds, `cpu` of all its processes; `peak` is the MB of the largest of them."""

    wall: float
    cpu: float
    peak: float


def measure(command: Sequence[str], folder: Path, patience: float) -> Cost:
    with tempfile.TemporaryFile() as said:
        started = perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True
        )
        timer = threading.Timer(patience, process.terminate)
        timer.start()
        with watched(process.pid) as seen:
            try:
                _, status, usage = os.wait4(process.pid, 0)  # Popen.wait would lose the resource usage
            except BaseException:  # we are interrupted, and it shall not go on alone
                process.terminate()
                raise
            finally:
                timer.cancel()
            wall = perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if wall >= patience:
            raise Failed(f"stopped after {patience:.0f} s")
        if process.returncode != 0:
            said.seek(0)
            raise Failed(_last_line(said.read()) or f"exit code {process.returncode}")
    waited = usage.ru_utime + usage.ru_stime
    return Cost(wall, max(waited, sum(seen.cpu.values())), max(usage.ru_maxrss / 1024, *seen.peak.values(), 0))


def best(command: Sequence[str], folder: Path, patience: float, times: int) -> Cost:
    """The quickest of some runs: what disturbs a run only ever adds to it."""
    return min((measure(command, folder, patience) for _ in range(times)), key=lambda cost: cost.wall)


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else ""
