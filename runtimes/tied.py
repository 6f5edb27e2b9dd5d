"""`python -m mlspec.runtimes.tied COMMAND…`: run a command that ends when our standard input is closed.

Whoever started us holds the other end, and it closes when they end, in whatever way: so nothing of theirs is left behind.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence

GRACE = 3.0  # seconds from a request to end until that is no request
OFTEN = 0.5  # seconds


def start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """It ends with us. Ctrl-C in our terminal is for us alone."""
    return subprocess.Popen(
        [sys.executable, "-m", __name__, *command], env=environment, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def end(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    process.wait()


def to_parent() -> None:
    """This process ends with the one that started it, which runs it apart from its own group."""

    def watch(parent: int) -> None:
        while os.getppid() == parent:
            time.sleep(OFTEN)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, args=(os.getppid(),), daemon=True).start()


def main(command: Sequence[str]) -> int:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=_end_with_input, args=(process,), daemon=True).start()
    code = process.wait()
    _signal(process, signal.SIGKILL)  # what it has left behind
    return code


def _end_with_input(process: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1024):
        pass
    _signal(process, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[bytes], which: signal.Signals) -> None:
    """To all of its group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, which)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
