"""Warm worker processes, from the side of the process that applies: hand out orders, hear of results, end what is too slow."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..trouble import Trouble
from .worker import receive, send
from .zygote import ASKED


@dataclass(frozen=True, slots=True)
class Task:
    """A message for a worker; `time` is the seconds it may take. `tag` comes back with the result. `alone`: for a
    worker of its own, that ends with it."""

    tag: Any
    message: dict[str, Any]
    time: float | None = None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """`answer` is the worker's; None when the worker ended first, then `cause` says why."""

    tag: Any
    answer: dict[str, Any] | None
    cause: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Moved:
    """How far what a task brings into the store, or takes out of it, has come; see events.Moving."""

    tag: Any
    way: str
    done: int
    of: int


@dataclass(slots=True)
class _Worker:
    connection: socket.socket
    pid: int
    task: Task | None = None
    began: float = 0.0
    overdue: bool = False
    inbox: queue.SimpleQueue[Task | None] = field(default_factory=queue.SimpleQueue)


class Pool:
    """`size` workers, forked when first needed. Results arrive in `results`, which others may put things into too."""

    def __init__(self, size: int, preload: Sequence[str], results: queue.SimpleQueue[Any]) -> None:
        self.size, self.preload, self.results = size, tuple(preload), results
        self.workers: list[_Worker] = []
        self.zygote: subprocess.Popen[bytes] | None = None
        self.control: socket.socket | None = None
        self.life = -1
        self.asking = threading.Lock()

    def free(self) -> int:
        return self.size - sum(worker.task is not None for worker in self.workers)

    def submit(self, task: Task) -> None:
        """Hand a task to an idle worker; there must be one free."""
        idle = None if task.alone else next((w for w in self.workers if w.task is None), None)
        worker = idle or self._fork()
        worker.task, worker.began, worker.overdue = task, time.monotonic(), False
        worker.inbox.put(task)

    def end_overdue(self) -> None:
        """End the workers whose task has used up its time."""
        now = time.monotonic()
        for worker in self.workers:
            if worker.task and worker.task.time is not None and now - worker.began > worker.task.time:
                worker.overdue = True
                _kill(worker.pid)

    def close(self) -> None:
        """End all workers, busy or not."""
        for worker in self.workers:
            worker.inbox.put(None)
            _kill(worker.pid)
            worker.connection.close()
        self.workers.clear()
        if self.control is not None:
            self.control.close()
        if self.life >= 0:
            os.close(self.life)
            self.life = -1
        if self.zygote is not None:
            _kill(self.zygote.pid)  # it may be in the middle of its imports, which take seconds
            self.zygote.wait()

    def _fork(self) -> _Worker:
        control = self._zygote()
        ours, theirs = socket.socketpair()
        try:
            with self.asking:
                socket.send_fds(control, [b"worker"], [theirs.fileno()])
                pid = int(control.recv(16) or b"0")
        except OSError:
            pid = 0
        theirs.close()
        if not pid:
            raise Trouble("start a worker process", "the process that they are forked from has ended")
        worker = _Worker(ours, pid)
        self.workers.append(worker)
        threading.Thread(target=self._attend, args=(worker,), daemon=True).start()
        return worker

    def _how_ended(self, worker: _Worker) -> str:
        """ "exit 3", "signal 11", or "ended" where nobody knows any more."""
        if self.control is None or worker not in self.workers:
            return "ended"
        with self.asking, contextlib.suppress(OSError, ValueError):
            self.control.sendall(ASKED + str(worker.pid).encode())
            code = int(self.control.recv(16))
            return f"signal {-code}" if code < 0 else f"exit {code}"
        return "ended"

    def _zygote(self) -> socket.socket:
        if self.control is None:
            self.control, theirs = socket.socketpair()
            life, self.life = os.pipe()
            command = [sys.executable, "-m", f"{__package__}.zygote", str(theirs.fileno()), str(life), *self.preload]
            self.zygote = subprocess.Popen(
                command, pass_fds=(theirs.fileno(), life), start_new_session=True, stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONHASHSEED": "0"},
            )  # fmt: skip
            theirs.close()
            os.close(life)
        return self.control

    def _attend(self, worker: _Worker) -> None:
        """A thread for each worker: sends a task, waits for its answer."""
        while (task := worker.inbox.get()) is not None:
            began = time.monotonic()
            try:
                send(worker.connection, task.message)
                while (answer := receive(worker.connection)) is not None and "moving" in answer:
                    self.results.put(Moved(task.tag, *answer["moving"]))
            except OSError:
                answer = None
            cause = "" if answer is not None else "time" if worker.overdue else self._how_ended(worker)
            ended = answer is None or task.alone
            if ended and worker in self.workers:
                self.workers.remove(worker)
            worker.task = None
            self.results.put(Result(task.tag, answer, cause, time.monotonic() - began))
            if ended:
                worker.connection.close()  # the worker hears that nobody is there, and ends
                return


def _kill(pid: int) -> None:
    if pid <= 0:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
