"""The process of a service: it owns the address, answers HTTP, and takes orders from `control`.

Run as `python -m mlspec.runtimes.serving.front FOLDER LOCK CONTROL`. LOCK and CONTROL are inherited file descriptors:
the folder's lock, held for as long as this process lives, and the local socket on which orders come, a line of JSON
each. It detaches itself, so it outlives the terminal that started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from ..trouble import Trouble
from .journal import Journal
from .release import CONTROL, LOCK, LOG, PORT, STATE, Release, write_atomically

LEASE = 300.0  # seconds for a candidate to be promoted; then whoever staged it is gone
LOOK = 2.0  # seconds between two looks at whether the folder is still there
RETIRING = 60.0  # seconds for a replaced release to finish what it holds


def main() -> None:
    folder, lock, control = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    if os.fork():
        os._exit(0)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    write_atomically(folder / STATE, json.dumps({"pid": os.getpid()}))
    asyncio.run(_run(folder, lock, socket.socket(fileno=control)))


async def _run(folder: Path, lock: int, control: socket.socket) -> None:
    front = Front(folder, lock)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, front.stopping.set)
    control.setblocking(False)
    orders = await asyncio.start_unix_server(front.hear, sock=control)
    front.expire(None)
    try:
        while front.folder_is_ours() and not front.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(front.stopping.wait(), LOOK)
    finally:
        orders.close()
        await front.close()


class Front:
    def __init__(self, folder: Path, lock: int) -> None:
        from .app import App
        from .kept import Kept
        from .meters import Meters
        from .served import Routing

        self.folder, self.lock = folder, lock
        self.journal = Journal(folder / LOG)
        self.meters = Meters()
        self.routing = Routing()
        self.kept = Kept(folder, self.journal)
        self.app = App(self.routing, self.journal, self.meters, self.kept)
        self.listeners: list[Any] = []  # the last one is where the newest release answers
        self.stopping = asyncio.Event()
        self.order = asyncio.Lock()  # one order that changes something at a time
        self.tasks: set[asyncio.Task[None]] = set()

    # --- orders ----------------------------------------------------------------------------------------------

    async def hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One order, one answer."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            line = await reader.readuntil(b"\n")
            answer = await self._unless_gone(self._done(json.loads(line)), reader)
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _unless_gone(self, work: Any, reader: asyncio.StreamReader) -> Any:
        """Who gives an order and leaves before the answer (Ctrl-C) takes it back."""
        working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(reader.read(1))
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            working.cancel()
        leaving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            return await working
        raise ConnectionResetError

    async def _done(self, order: dict[str, Any]) -> dict[str, Any]:
        try:
            match order["do"]:
                case "status":
                    return self._status()
                case "stop":
                    self.stopping.set()
                    return {}
            async with self.order:
                return await self._change(order)
        except Trouble as trouble:
            return {"trouble": [trouble.action, trouble.cause, trouble.help, trouble.detail]}
        except Exception as error:
            self.journal.line(traceback.format_exc())
            cause = f"{type(error).__name__}: {error}"
            return {"trouble": [f"{order['do']} the release", cause, "", traceback.format_exc()]}

    async def _change(self, order: dict[str, Any]) -> dict[str, Any]:
        match order["do"]:
            case "stage":
                return await self.stage(Release.model_validate(order["release"]))
            case "promote":
                return await self.promote(order["release"])
            case "discard":
                return await self.discard(order["release"])
        raise Trouble("follow an order", f"there is no order {order['do']}")

    # --- the releases ------------------------------------------------------------------------------------------

    async def stage(self, release: Release) -> dict[str, Any]:
        """Load a release beside the one that answers."""
        await self.drop_candidate()
        try:
            listener = await self._listen(release)
            candidate = await self._load(release)
        except BaseException:
            await self.drop_candidate()
            self._stop_if_empty()
            raise
        self.routing.candidate = candidate
        self.journal.line(f"release {release.id} is loaded and on trial")
        self.expire(candidate)
        return {"host": listener.address, "token": candidate.token, "example": candidate.example}

    async def promote(self, release: str) -> dict[str, Any]:
        """The one step in which the route, the schema and the workers change together."""
        routing, address = self.routing, self._address()
        if routing.candidate is None or routing.candidate.release.id != release:
            if routing.live is not None and routing.live.release.id == release:
                return {"address": address}
            raise Trouble("switch to the new release", f"{release} is not on trial any more", "apply again")
        old, routing.live, routing.candidate = routing.live, routing.candidate, None
        routing.live.since = time.time()
        self.meters.show(routing.live.release)
        self._write_state()
        with contextlib.suppress(OSError):  # a full disk costs its log, not the service
            self.kept.know(routing.live.saw)
        self.journal.line(f"release {release} answers at {address}{routing.live.release.route}")
        for listener in self.listeners[:-1]:
            self.listeners.remove(listener)
            self._keep(listener.close())
        if old is not None:
            self._keep(self._retire(old))
        return {"address": address}

    async def discard(self, release: str) -> dict[str, Any]:
        if self.routing.candidate is not None and self.routing.candidate.release.id == release:
            await self.drop_candidate()
            self.journal.line(f"release {release} was not taken")
        self._stop_if_empty()
        return {}

    async def drop_candidate(self) -> None:
        """Also the address that only the candidate was to have."""
        candidate, self.routing.candidate = self.routing.candidate, None
        if candidate is not None:
            candidate.crew.end()
        while len(self.listeners) > (self.routing.live is not None):
            await self.listeners.pop().close()

    def expire(self, candidate: Any) -> None:
        """What is staged and then forgotten goes, and with it a process behind which nothing runs."""
        asyncio.get_running_loop().call_later(LEASE, lambda: self._keep(self._expired(candidate)))

    async def _expired(self, candidate: Any) -> None:
        async with self.order:
            if candidate is not None and self.routing.candidate is candidate:
                await self.drop_candidate()
            self._stop_if_empty()

    async def _load(self, release: Release) -> Any:
        from .crew import Crew
        from .served import serve

        crew = Crew(release, self.journal, self.meters.restarts.inc)
        try:
            return serve(release, await crew.start(), crew)
        except BaseException:
            crew.end()
            raise

    async def _retire(self, old: Any) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(old.crew.retire(), RETIRING)
        old.crew.end()
        self.journal.line(f"release {old.release.id} has finished")

    # --- the address and the process ---------------------------------------------------------------------------

    async def _listen(self, release: Release) -> Any:
        """The listener for a release: the open one, if it is the same address."""
        from .listener import Listener

        port = release.port or self._remembered_port()
        if self.listeners and (self.listeners[-1].host, self.listeners[-1].port) == (release.host, port):
            return self.listeners[-1]
        listener = Listener(release.name, release.host, port)
        if release.port is None and not port:
            write_atomically(self.folder / PORT, str(listener.port))
        await listener.open(self.app)
        self.listeners.append(listener)
        return listener

    def folder_is_ours(self) -> bool:
        """Who deletes the folder can no longer reach this process, so it must not go on by itself."""
        try:
            return os.path.samestat((self.folder / LOCK).stat(), os.fstat(self.lock))
        except OSError:
            return False

    def _remembered_port(self) -> int:
        try:
            return int((self.folder / PORT).read_text())
        except (OSError, ValueError):
            return 0

    def _address(self) -> str:
        return str(self.listeners[-1].address) if self.listeners else ""

    def _write_state(self) -> None:
        live = self.routing.live
        assert live is not None
        state = {"pid": os.getpid(), "address": self._address(), "release": live.release.id, "since": live.since}
        write_atomically(self.folder / STATE, json.dumps(state))

    def _status(self) -> dict[str, Any]:
        return self.meters.summary()

    def _stop_if_empty(self) -> None:
        if self.routing.live is None and self.routing.candidate is None:
            self.stopping.set()

    def _keep(self, coroutine: Any) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def close(self) -> None:
        """Requests finish, then the workers end."""
        await asyncio.gather(*(listener.close() for listener in self.listeners))
        for served in (self.routing.candidate, self.routing.live):
            if served is not None:
                served.crew.end()
        if self.tasks:
            await asyncio.wait(self.tasks, timeout=1)
        self.kept.close()
        if self.folder_is_ours():
            for file in (CONTROL, STATE):
                (self.folder / file).unlink(missing_ok=True)
        self.journal.line("stopped")
        self.journal.flush()


if __name__ == "__main__":
    main()
