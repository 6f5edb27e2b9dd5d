"""A worker process: takes orders from a socket, one at a time, and answers with what came of each.

A message is four bytes of length and JSON.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import struct
import sys
import threading
from pathlib import Path
from typing import Any

from .. import job, secrets
from ..order import Divide, Join, Judge, Make, Propose, Trial
from ..store.moving import Watch
from ..store.objects import Damaged
from ..store.opening import objects_at
from ..trouble import Trouble, no_memory, out_of_memory
from .gpus import VISIBLE
from .printing import printing_to

SQUARE = 256  # rows of a matrix that is large enough for more than one thread


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    body = json.dumps(message).encode()
    connection.sendall(struct.pack("!I", len(body)) + body)


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """The next message, None when the other side is gone."""
    head = _exactly(connection, 4)
    if head is None:
        return None
    body = _exactly(connection, struct.unpack("!I", head)[0])
    return None if body is None else json.loads(body)


def _exactly(connection: socket.socket, count: int) -> bytes | None:
    chunks = []
    while count:
        try:
            chunk = connection.recv(min(count, 1 << 20))
        except OSError:
            return None
        if not chunk:
            return None
        chunks.append(chunk)
        count -= len(chunk)
    return b"".join(chunks)


def serve(connection: socket.socket, life: int) -> None:
    os.setpgid(0, 0)  # so that all that a step starts can be ended with it
    threading.Thread(target=_end_with, args=(life,), daemon=True).start()
    while (message := receive(connection)) is not None:
        send(connection, _done(message, lambda *moving: send(connection, {"moving": moving})))


def _end_with(life: int) -> None:
    while os.read(life, 1):
        pass
    os.killpg(0, signal.SIGKILL)


def _done(message: dict[str, Any], watch: Watch) -> dict[str, Any]:
    """`watch` is told how far what goes into the store, or comes out of it, has come."""
    hiding = message["order"].get("secrets", {}).values()
    if "gpus" in message:
        os.environ[VISIBLE] = message["gpus"]
    with printing_to(Path(message["log"]), hiding):
        answer = _answer(message, watch)
    if "trouble" in answer:
        answer["trouble"] = [secrets.hidden(text, hiding) for text in answer["trouble"]]
    if hiding and "outcome" in answer:
        answer["outcome"]["notes"] = [secrets.hidden(note, hiding) for note in answer["outcome"]["notes"]]
    return answer


def _answer(message: dict[str, Any], watch: Watch) -> dict[str, Any]:
    try:
        _bound(message["order"].get("needs", {}).get("memory"))
        return _do(message, watch)
    except Damaged as damaged:
        return {"damaged": damaged.digest, "cause": damaged.cause}
    except Trouble as trouble:
        return {"trouble": [trouble.action, trouble.cause, trouble.help, trouble.detail]}
    except BaseException as error:
        return {"trouble": _wrong(error, message["order"])}
    finally:
        _bound(None)


def _wrong(error: BaseException, order: dict[str, Any]) -> list[str]:
    """A mistake of ours, or a user's sys.exit: the worker answers all the same. Memory may end at any place, also
    where a search lays out its trials."""
    names = order.get("names") or [order.get("name", "it")]
    action = f"make {', '.join(names)}"
    if isinstance(error, KeyboardInterrupt):
        return [action, "its code raised KeyboardInterrupt", "", ""]
    if out_of_memory(error):
        trouble = no_memory(action, (order.get("needs") or {}).get("memory"))
        return [trouble.action, trouble.cause, trouble.help, trouble.detail]
    return ["make it", f"{type(error).__name__}: {error}", "", _inner_frames(error)]


def _inner_frames(error: BaseException) -> str:
    import traceback

    return "" if isinstance(error, SystemExit | KeyboardInterrupt) else "".join(traceback.format_exception(error))


def _do(message: dict[str, Any], watch: Watch) -> dict[str, Any]:
    objects = objects_at(Path(message["store"]))
    objects.watch = watch
    if message["do"] in ("make", "part"):
        return {"outcome": job.make(Make.model_validate(message["order"]), objects).model_dump(mode="json")}
    if message["do"] == "judge":
        return {
            "answers": job.judge(Judge.model_validate(message["order"]), objects).values,
            "about": message["order"]["digest"],
        }
    if message["do"] == "divide":
        return {"division": job.divide(Divide.model_validate(message["order"]), objects).model_dump(mode="json")}
    if message["do"] == "join":
        return {"outcome": job.join(Join.model_validate(message["order"]), objects).model_dump(mode="json")}
    from .. import search  # only who searches pays for it

    if message["do"] == "trial":
        return {"score": search.trial(Trial.model_validate(message["order"]), objects)}
    return search.proposed(Propose.model_validate(message["order"])).model_dump(mode="json")


def _bound(memory: int | None) -> None:
    """Hold the process to `memory` bytes, where the system can."""
    if not hasattr(resource, "RLIMIT_DATA"):
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    soft = hard if memory is None else memory
    if memory is not None:
        _give_buffers()
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _give_buffers() -> None:
    """OpenBLAS asks for the memory of its threads again and again where there is none, and never comes back: so it gets
    that before there is a limit. numpy and scipy have one each."""
    numpy, linalg = sys.modules.get("numpy"), sys.modules.get("scipy.linalg")
    if numpy is not None:
        square = numpy.ones((SQUARE, SQUARE))
        numpy.dot(square, square)
        if linalg is not None:
            linalg.blas.dgemm(1.0, square, square)
