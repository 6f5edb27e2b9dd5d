"""A process that holds one model and predicts, or a function and calls it.

Run as `python -m mlspec.runtimes.serving.worker SOCKET LIFE`: both are inherited file descriptors. Over SOCKET it is
first told the release, and says whether it could be loaded; then it takes batches of calls and gives for each call a
status code and the body of its answer. LIFE is a pipe whose other end only the front holds: when it closes, the process
ends, in the middle of whatever it does.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import pickle
import signal
import socket
import struct
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from ..trouble import Trouble
from .release import Release

Batch = list[tuple[bool, list[tuple[Any, ...]]]]  # whether one row was asked for as such, and the rows
Answer = tuple[int, bytes]


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection = socket.socket(fileno=int(sys.argv[1]))
    threading.Thread(target=_end_with, args=(int(sys.argv[2]),), daemon=True).start()
    release = receive(connection)
    if release is None:
        return
    try:
        answerer = _loaded(Release.model_validate_json(release))
    except Trouble as trouble:
        send(connection, ("failed", [trouble.action, trouble.cause, trouble.help, trouble.detail]))
        return
    except Exception as error:
        traceback.print_exc()
        send(connection, ("failed", ["load the release", _told(error), "", traceback.format_exc()]))
        return
    send(connection, ("ready", answerer.signature))
    while (batch := receive(connection)) is not None:
        send(connection, answerer.answer(batch))
    answerer.close()


def _loaded(release: Release) -> Any:
    if release.called is None:
        return Predictor(Path(release.model_folder))
    from .function import Answerer  # only who serves a function pays for it

    return Answerer(release.called)


def _end_with(life: int) -> None:
    while os.read(life, 1):
        pass
    os.killpg(0, signal.SIGKILL)  # with all that the model may have started


class Predictor:
    """The model, and the Arrow schema of what it is asked about."""

    def __init__(self, folder: Path) -> None:
        import pyarrow as pa

        from .. import models
        from ..tables import to_arrow

        self.model = models.load(folder)
        features = self.model.signature.features
        self.schema = pa.schema([(column.name, to_arrow(column.type)) for column in features])
        self.signature = self.model.signature.model_dump(mode="json")
        self._warm_up()

    def close(self) -> None:
        """It holds nothing that is to be given back."""

    def answer(self, batch: Batch) -> list[Answer]:
        """All calls in one prediction; if that fails each by itself, so that one bad row does not spoil the others."""
        try:
            return self._together(batch)
        except Exception as error:
            if len(batch) > 1:
                return [self.answer([call])[0] for call in batch]
            print(_account(error), flush=True)  # noqa: T201 what a worker prints is in the service's log
            return [(500, _told(error).encode(errors="replace"))]

    def _together(self, batch: Batch) -> list[Answer]:
        rows = self._predict([row for _, rows in batch for row in rows])
        answers, start = [], 0
        for single, asked in batch:
            part = rows[start : start + len(asked)]
            answers.append((200, _json(part[0] if single else part)))
            start += len(asked)
        return answers

    def _predict(self, rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
        import pyarrow as pa

        columns = zip(*rows, strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, self.schema, strict=True)]
        predicted: list[dict[str, Any]] = self.model.predict(pa.table(arrays, schema=self.schema)).to_pylist()
        if len(predicted) != len(rows):
            raise ValueError(f"the model gave {len(predicted)} predictions for {len(rows)} rows")
        return predicted

    def _warm_up(self) -> None:
        """The first prediction imports and allocates; no request should wait for that."""
        from ...compiler.openapi import example
        from ...compiler.requests import Schema

        features = self.model.signature.features
        with contextlib.suppress(Exception):  # the example need not be a row that the model knows what to do with
            self._predict(Schema(features).accept(example(features)))


def _account(error: Exception) -> str:
    """A model's failure as the log keeps it: the user's own frames, where they are known."""
    known = f"{error}\n{error.help}\n{error.detail}".strip() if isinstance(error, Trouble) else ""
    return known or "".join(traceback.format_exception(error))


def _told(error: Exception) -> str:
    if isinstance(error, Trouble):
        return error.cause
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _json(value: Any) -> bytes:
    try:
        return json.dumps(value, allow_nan=False, default=_iso).encode()
    except ValueError:
        return json.dumps(_finite(value), default=_iso).encode()


def _iso(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _finite(value: Any) -> Any:
    """JSON knows no NaN: a prediction that is none becomes null."""
    match value:
        case dict():
            return {name: _finite(one) for name, one in value.items()}
        case list():
            return [_finite(one) for one in value]
        case float() if not math.isfinite(value):
            return None
    return value


# --- messages: four bytes of length, then a pickle; both ends are this program ---------------------------------


def frame(message: Any) -> bytes:
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return struct.pack("!I", len(body)) + body


def send(connection: socket.socket, message: Any) -> None:
    connection.sendall(frame(message))


def receive(connection: socket.socket) -> Any:
    """The next message, None when the front closed the connection."""
    head = _exactly(connection, 4)
    if head is None:
        return None
    body = _exactly(connection, struct.unpack("!I", head)[0])
    return None if body is None else pickle.loads(body)


def _exactly(connection: socket.socket, count: int) -> bytes | None:
    content = bytearray()
    while len(content) < count:
        try:
            chunk = connection.recv(count - len(content))
        except OSError:
            return None
        if not chunk:
            return None
        content += chunk
    return bytes(content)


if __name__ == "__main__":
    main()
