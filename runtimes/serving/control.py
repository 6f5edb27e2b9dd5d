"""What `apply`, `status` and `stop` do with a service. A folder holds all that is known of it.

Invariant: importing this file imports nothing heavy, for a `status` is part of every plan.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..trouble import Trouble
from .release import CONTROL, LOCK, LOG, STATE, Release, Status, read_state, short_path

__all__ = ["Release", "Status", "discard", "log", "promote", "stage", "status", "stop"]

STARTING = 15.0  # seconds for a process to take orders, or for the one before it to be gone
STOPPING = 20.0  # seconds for a process to end by itself
QUICK = 0.1  # seconds that a status may wait for counts

Answer = dict[str, Any]


def stage(folder: Path, release: Release, probe: list[Any]) -> dict[str, float]:
    """Load a release beside the one that answers, and send it rows.

    Returns the quantiles of the time for one request in seconds, `p50 p95 p99`, and the share of `errors`. Without rows
    to send a model is timed with an example made from its features; a function is not asked what nobody has named.
    Raises Trouble if it cannot be loaded or answers no row.
    """
    from .probe import measure

    folder.mkdir(parents=True, exist_ok=True)
    with _front(folder, release.name) as connection:
        staged = _ask(connection, {"do": "stage", "release": release.model_dump()}, folder, release.name)
    try:
        if probe:
            return measure(release, staged["host"], staged["token"], probe)
        return {} if release.called else _measure_example(release, staged)
    except BaseException:  # also Ctrl-C
        with contextlib.suppress(Trouble):
            discard(folder, release.id)
        raise


def promote(folder: Path, release_id: str) -> str:
    """From now on the staged release answers. Returns the address."""
    return str(_order(folder, {"do": "promote", "release": release_id})["address"])


def discard(folder: Path, release_id: str) -> None:
    """Drop the staged release; with nothing running behind it, the service's process ends."""
    if _is_held(folder):
        _order(folder, {"do": "discard", "release": release_id})


def status(folder: Path) -> Status:
    state = read_state(folder) if _is_held(folder) else {}
    if not state.get("release"):
        return Status()
    try:
        with _connect(folder, QUICK) as connection:
            counts = _exchange(connection, {"do": "status"})
    except (OSError, ValueError):  # it is busy or about to end: what it said last must do
        counts = {}
    return Status(running=True, **state, **counts)


def stop(folder: Path) -> None:
    """Requests under way are answered; what does not end by itself is ended."""
    if not _is_held(folder):
        return
    with contextlib.suppress(OSError, ValueError), _connect(folder, STOPPING) as connection:
        _exchange(connection, {"do": "stop"})
    if _released(folder, STOPPING):
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(read_state(folder)["pid"]), signal.SIGKILL)  # the holder of the lock, so not a stale number
    if not _released(folder, STARTING):
        raise Trouble("stop the service", "its process does not end")


def log(folder: Path) -> Path:
    return folder / LOG


def _measure_example(release: Release, staged: Answer) -> dict[str, float]:
    """The example is made up: that a model cannot answer it says nothing against the model."""
    from .probe import measure

    try:
        return measure(release, staged["host"], staged["token"], [staged["example"]])
    except Trouble:
        return {"errors": 0.0}


# --- the process ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _front(folder: Path, name: str) -> Iterator[socket.socket]:
    """A connection to the service's process, which is started if there is none."""
    deadline = time.monotonic() + STARTING + STOPPING
    while time.monotonic() < deadline:
        lock = _open_lock(folder)
        try:
            if _try_lock(lock, fcntl.LOCK_EX):
                _start(folder, lock, name)
        finally:
            os.close(lock)
        try:
            connection = _connect(folder, None)
        except OSError:  # another one starts it just now, or it is about to end
            time.sleep(0.02)
            continue
        with connection:
            yield connection
        return
    raise Trouble(f"start {name}", "its process takes no orders", "see its log", _tail(folder))


def _start(folder: Path, lock: int, name: str) -> None:
    """The socket for orders exists before the process does, so there is nothing to wait for."""
    with short_path(folder) as short:
        (folder / CONTROL).unlink(missing_ok=True)
        (folder / STATE).unlink(missing_ok=True)
        orders = socket.socket(socket.AF_UNIX)
        orders.bind(str(short / CONTROL))
        (folder / CONTROL).chmod(0o600)
        orders.listen(16)
    with orders, log(folder).open("ab") as output:
        given = (str(folder.absolute()), str(lock), str(orders.fileno()))
        ended = subprocess.run(
            [sys.executable, "-P", "-m", f"{__package__}.front", *given],
            pass_fds=(lock, orders.fileno()), start_new_session=True, cwd=folder,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False,
        )  # fmt: skip
    if ended.returncode:
        raise Trouble(f"start {name}", "its process did not start", detail=_tail(folder))


def _order(folder: Path, order: Answer) -> Answer:
    try:
        with _connect(folder, None) as connection:
            return _ask(connection, order, folder, "the service")
    except OSError:
        raise Trouble(f"{order['do']} a release", "the service is not running", "apply again") from None


def _ask(connection: socket.socket, order: Answer, folder: Path, name: str) -> Answer:
    try:
        answer = _exchange(connection, order)
    except (OSError, ValueError):
        raise Trouble(f"start {name}", "its process ended", "see its log", _tail(folder)) from None
    if "trouble" in answer:
        raise Trouble(*answer["trouble"])
    return answer


def _connect(folder: Path, timeout: float | None) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(timeout)
        with short_path(folder) as short:
            connection.connect(str(short / CONTROL))
    except BaseException:
        connection.close()
        raise
    return connection


def _exchange(connection: socket.socket, order: Answer) -> Answer:
    connection.sendall(json.dumps(order).encode() + b"\n")
    with connection.makefile("rb") as incoming:
        answer: Answer = json.loads(incoming.readline())
    return answer


def _is_held(folder: Path) -> bool:
    """Whether the service's process lives. A number in a file could be another process by now; a held lock cannot."""
    try:
        lock = os.open(folder / LOCK, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _try_lock(lock, fcntl.LOCK_SH)
    finally:
        os.close(lock)


def _open_lock(folder: Path) -> int:
    try:
        return os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Trouble("start the service", f"its folder cannot be written: {error.strerror}") from None


def _try_lock(lock: int, how: int) -> bool:
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _released(folder: Path, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not _is_held(folder):
            return True
        time.sleep(0.02)
    return False


def _tail(folder: Path, lines: int = 20) -> str:
    try:
        with log(folder).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 20_000))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
