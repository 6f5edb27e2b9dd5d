"""A Prefect server, a worker of it and an S3 server, on loopback and for as long as they are wanted."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

PATIENCE = 90.0  # seconds for any of them to answer
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "NO_COLOR": "1",
    "PREFECT_CLI_COLORS": "false",
}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], env: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as out:
        process = subprocess.Popen(command, env={**os.environ, **env}, stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=subprocess.STDOUT, cwd=log.parent)  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@contextlib.contextmanager
def s3(folder: Path, bucket: str) -> Iterator[dict[str, str]]:
    """What the environment says of it; the bucket is there."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "loopback", "AWS_SECRET_ACCESS_KEY": "loopback-secret",
           "AWS_REGION": "eu-central-1", "AWS_ALLOW_HTTP": "true"}  # fmt: skip
    with running([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], {}, folder / "s3.log"):
        until(lambda: _answers(f"{url}/moto-api/"), "S3")
        urllib.request.urlopen(urllib.request.Request(f"{url}/{bucket}", method="PUT"), timeout=10).close()
        yield env


@contextlib.contextmanager
def prefect(folder: Path) -> Iterator[dict[str, str]]:
    """What the environment says of the server."""
    url = f"http://127.0.0.1:{(port := free_port())}/api"
    env = {**QUIET, "PREFECT_API_URL": url, "PREFECT_HOME": str(folder / "prefect")}
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    with running(command, env, folder / "server.log"):
        until(lambda: _answers(f"{url}/health"), "Prefect")
        yield env


@contextlib.contextmanager
def worker(folder: Path, pool: str, env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Of a pool of processes, which is made."""
    cli = [sys.executable, "-m", "prefect"]
    subprocess.run([*cli, "work-pool", "create", pool, "--type", "process"], env={**os.environ, **env}, check=True,
                   capture_output=True)  # fmt: skip
    command = [*cli, "worker", "start", "--pool", pool, "--install-policy", "never"]
    with running(command, {**env, "MLSPEC_CACHE": str(folder / "cache")}, folder / "worker.log") as process:
        until(lambda: b"started!" in (folder / "worker.log").read_bytes(), "the worker")
        yield process


def until(ready: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > end:
            raise SystemExit(f"{what} did not come up")
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
