"""A Prefect server and a process worker of this machine, real ones, with all that they keep in one folder.

As a program, `python prefect_here.py FOLDER` kills the worker and what it runs, and starts another one.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

POOL = "here"
STARTING = 90.0  # seconds


@dataclass(frozen=True)
class PrefectHere:
    folder: Path
    port: int

    def environment(self) -> dict[str, str]:
        return {
            "PREFECT_HOME": str(self.folder / "home"), "PREFECT_API_URL": f"http://127.0.0.1:{self.port}/api",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "PREFECT_WORKER_QUERY_SECONDS": "1",
            "MLSPEC_CACHE": str(self.folder / "cache"),
        }  # fmt: skip

    def start(self) -> None:
        (self.folder / "port").write_text(f"{self.port}")
        self._begin("server", "server", "start", "--host", "127.0.0.1", "--port", f"{self.port}")
        end = time.monotonic() + STARTING
        while not self._is_healthy():
            assert time.monotonic() < end, (self.folder / "server.log").read_text()
            time.sleep(0.2)
        self.create(POOL)
        self.start_worker()

    def create(self, pool: str) -> None:
        subprocess.run([sys.executable, "-m", "prefect", "work-pool", "create", pool, "--type", "process"], check=True,
                       env={**os.environ, **self.environment()}, capture_output=True)  # fmt: skip

    def start_worker(self, pool: str = POOL, name: str = "worker", **environment: str) -> None:
        self._begin(name, "worker", "start", "--pool", pool, "--type", "process", "--install-policy", "never",
                    **environment)  # fmt: skip

    @contextlib.contextmanager
    def worker_of(self, pool: str, **environment: str) -> Iterator[None]:
        """One more worker, of a pool of its own, with this in its environment."""
        self.create(pool)
        self.start_worker(pool, pool, **environment)
        try:
            yield
        finally:
            self.end(pool)

    def stop(self) -> None:
        self.end("worker")
        self.end("server")
        subprocess.run(["pkill", "-9", "-f", f"{self.folder}/cache"], check=False)  # services outlive their worker

    def another_worker(self) -> None:
        self.end("worker")
        self.start_worker()

    def _begin(self, name: str, *words: str, **environment: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "prefect", *words], cwd=self.folder,
                env={**os.environ, **self.environment(), **environment},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        (self.folder / f"{name}.pid").write_text(f"{process.pid}")

    def end(self, name: str) -> None:
        """As when its machine is gone: a flow's run, which a worker starts apart from itself, goes with it."""
        for process in with_children(int((self.folder / f"{name}.pid").read_text())):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def kill_alone(self, name: str) -> list[int]:
        """A worker, and nothing that it runs: that is returned."""
        worker, *rest = with_children(int((self.folder / f"{name}.pid").read_text()))
        os.kill(worker, signal.SIGKILL)
        return rest

    def _is_healthy(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/health") as answer:
            return bool(answer.status == 200)
        return False


def with_children(process: int) -> list[int]:
    found = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in found.splitlines()]
    wanted = [process]
    for one in wanted:
        wanted += [child for child, parent in pairs if parent == one]
    return wanted


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    given = Path(sys.argv[1])
    PrefectHere(given, int((given / "port").read_text())).another_worker()
