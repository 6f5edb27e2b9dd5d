"""The process that workers are forked from: it has imported what they need, so that a step starts no interpreter.

Run as `python -m mlspec.runtimes.local.zygote CONTROL LIFE MODULE…`, both numbers of inherited file descriptors. For
each socket received over CONTROL a worker is forked that serves it, and its pid is answered; asked for a pid, how that
worker ended. LIFE is a pipe whose
other end only the applying process holds: when it closes, all of them end, in the middle of whatever they do.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from importlib import import_module

ASKED = b"ended "  # a pid stands behind it
MOMENT = 1.0  # seconds


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    life = int(sys.argv[2])
    signal.signal(signal.SIGCHLD, _reap)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for module in sys.argv[3:]:
        with contextlib.suppress(ImportError):
            import_module(module)
    with contextlib.suppress(ConnectionError):  # who applies has ended, in the middle of a word
        _fork_for(control, life)


_ended: dict[int, int] = {}  # pid -> exit code, of a signal its number below zero


def _reap(*_: object) -> None:
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG))[0]:
            _ended[found[0]] = os.waitstatus_to_exitcode(found[1])


def _how_ended(pid: int) -> bytes:
    """Its sockets close a moment before it has ended."""
    end = time.monotonic() + MOMENT
    while pid not in _ended and time.monotonic() < end:
        time.sleep(0.01)
    return str(_ended.pop(pid, "")).encode()


def _fork_for(control: socket.socket, life: int) -> None:
    from . import worker

    while True:
        message, fds, _, _ = socket.recv_fds(control, 16, 1)
        if not message:
            return
        if message.startswith(ASKED):
            control.sendall(_how_ended(int(message.removeprefix(ASKED))).ljust(16))
            continue
        pid = os.fork()
        if pid == 0:
            control.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            worker.serve(socket.socket(fileno=fds[0]), life)
            os._exit(0)
        os.close(fds[0])
        control.sendall(str(pid).encode().ljust(16))


if __name__ == "__main__":
    main()
