"""One worker process and the connection to it, from the front's side."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..trouble import Trouble
from .journal import Journal, Output
from .release import Release
from .worker import Answer, frame

if TYPE_CHECKING:
    from .crew import Call

Answered = Callable[["Attached", list["Call"], list[Answer]], None]
Lost = Callable[["Attached", list["Call"]], None]

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


async def attach(release: Release, journal: Journal, answered: Answered, lost: Lost) -> Attached:
    """Start a worker. Its `ready` is the model's signature, once it is loaded."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    life, life_of_front = os.pipe()
    try:
        process = _start(release, theirs.fileno(), life)
    finally:
        theirs.close()
        os.close(life)
    assert process.stdout is not None
    hiding = tuple(release.called.order.secrets.values()) if release.called else ()
    _, output = await loop.connect_read_pipe(lambda: Output(journal, process.pid, hiding), process.stdout)
    worker = Attached(process, life_of_front, output, answered, lost)
    ours.setblocking(False)
    await loop.create_connection(lambda: worker, sock=ours)
    worker.transport.write(frame(release.model_dump_json()))
    return worker


def _start(release: Release, connection: int, life: int) -> subprocess.Popen[bytes]:
    """`-P` keeps the project's files from shadowing the library's modules while these are imported."""
    here = f"{__package__}.worker"
    threads = str(max(1, (os.cpu_count() or 1) // release.replicas))
    return subprocess.Popen(
        [sys.executable, "-P", "-m", here, str(connection), str(life)],
        pass_fds=(connection, life),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        cwd=release.root if release.root and Path(release.root).is_dir() else None,
        env={**dict.fromkeys(THREADS, threads), **os.environ, "PYTHONUNBUFFERED": "1"},
    )


class Attached(asyncio.Protocol):
    """`calls` are what it works on now, since `asked`."""

    def __init__(
        self, process: subprocess.Popen[bytes], life: int, output: Output, answered: Answered, lost: Lost
    ) -> None:
        self.process, self.life, self.output = process, life, output
        self.answered, self.lost = answered, lost
        self.ready: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self.calls: list[Call] = []
        self.born = self.asked = time.monotonic()
        self.incoming = bytearray()
        self.transport: Any = None

    @property
    def pid(self) -> int:
        return self.process.pid

    def ask(self, calls: list[Call]) -> None:
        self.calls, self.asked = calls, time.monotonic()
        self.transport.write(frame([(call.single, call.rows) for call in calls]))

    def end(self) -> None:
        """At once. What it still holds is lost."""
        if self.transport is not None:
            self.transport.close()
        if self.life >= 0:
            os.close(self.life)
            self.life = -1
        self._kill()

    def exit_words(self) -> str:
        code = self.process.poll()
        if code is None:
            return "it closed its connection"
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.incoming += data
        while len(self.incoming) >= 4:
            end = 4 + int.from_bytes(self.incoming[:4], "big")
            if len(self.incoming) < end:
                return
            message = pickle.loads(memoryview(self.incoming)[4:end].tobytes())
            del self.incoming[:end]
            self._heard(message)

    def connection_lost(self, error: Exception | None) -> None:
        asyncio.get_running_loop().create_task(self._bury())

    def _heard(self, message: Any) -> None:
        if self.ready.done():
            calls, self.calls = self.calls, []
            self.answered(self, calls, message)
        elif message[0] == "ready":
            self.ready.set_result(message[1])
        else:
            self.ready.set_exception(Trouble(*message[1]))

    async def _bury(self) -> None:
        """Wait for the process, so that it leaves no zombie, and tell why it ended."""
        try:
            await asyncio.wait_for(asyncio.to_thread(self.process.wait), 0.5)
        except TimeoutError:
            self._kill()
        calls, self.calls = self.calls, []
        if not self.ready.done():
            cause = f"the worker process ended while it loaded the release ({self.exit_words()})"
            self.ready.set_exception(Trouble("load the release", cause, detail="\n".join(self.output.tail)))
        self.lost(self, calls)
        await asyncio.to_thread(self.process.wait)
        if self.life >= 0:
            os.close(self.life)
            self.life = -1

    def _kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
