"""An address that the service listens at."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from typing import Any

from ..trouble import Trouble

KEPT_ALIVE = 75  # seconds that an idle connection stays open: longer than clients keep theirs, so that they close first
GRACE = 10  # seconds for requests to finish when it is closed


class Listener:
    """`host` and `port` as asked for; `port` is the real one even when 0 was asked for."""

    def __init__(self, name: str, host: str, port: int) -> None:
        self.socket = _bind(name, host, port)
        self.host, self.port = host, int(self.socket.getsockname()[1])
        self.server: Any = None
        self.task: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    async def open(self, app: Any) -> None:
        import uvicorn

        config = uvicorn.Config(
            app, http="httptools", loop="asyncio", ws="none", lifespan="off", access_log=False, log_config=None,
            server_header=False, proxy_headers=False, timeout_keep_alive=KEPT_ALIVE, timeout_graceful_shutdown=GRACE,
            backlog=1024,
        )  # fmt: skip
        self.server = uvicorn.Server(config)
        self.server.capture_signals = contextlib.nullcontext  # signals are the front's
        self.task = asyncio.get_running_loop().create_task(self.server.serve(sockets=[self.socket]))
        while not self.server.started:
            await asyncio.sleep(0.005)

    async def close(self) -> None:
        """Let requests finish; idle connections are closed."""
        if self.server is not None and self.task is not None:
            self.server.should_exit = True
            await self.task
        self.socket.close()


def _bind(name: str, host: str, port: int) -> socket.socket:
    action = f"start {name}"
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        raise Trouble(action, f"{host} is no address of this machine", "leave `host` out for 127.0.0.1") from None
    listening = socket.socket(family, kind, protocol)  # said aloud, or asyncio would leave Nagle's delay on
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(place)
        listening.listen(1024)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        raise Trouble(action, *_why(error, host, port)) from None
    return listening


def _why(error: OSError, host: str, port: int) -> tuple[str, str]:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} is in use by another program", "end that program, or write another `port` in the block"
        case errno.EACCES:
            return f"port {port} needs rights that you do not have", "write a `port` of 1024 or more"
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine", "leave `host` out for 127.0.0.1"
    return error.strerror or str(error), ""
