"""The process that workers are forked from: it has imported what they need, so that a step starts no interpreter.

Run as `python -m mlspec.runtimes.local.zygote CONTROL LIFE MODULE…`, both numbers of inherited file descriptors. For
each socket received over CONTROL a worker is forked that serves it, and its pid is answered. LIFE is a pipe whose
other end only the applying process holds: when it closes, all of them end, in the middle of whatever they do.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
from importlib import import_module


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    life = int(sys.argv[2])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system reaps the workers
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for module in sys.argv[3:]:
        with contextlib.suppress(ImportError):
            import_module(module)
    with contextlib.suppress(ConnectionError):  # who applies has ended, in the middle of a word
        _fork_for(control, life)


def _fork_for(control: socket.socket, life: int) -> None:
    from . import worker

    while True:
        message, fds, _, _ = socket.recv_fds(control, 16, 1)
        if not message:
            return
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
