"""Rows sent to a candidate the way a client would: how long its answers take, and how many fail."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from itertools import cycle, islice
from typing import Any
from urllib.parse import urlsplit

from ..trouble import Trouble
from .release import PROBE_HEADER, Release, quantile

WARM_UP = 10
FEWEST, MOST = 100, 300  # requests that are timed
TIMEOUT = 30.0
LONGEST, LEAST = 20.0, 5  # seconds, after which this many requests must do


@dataclass(frozen=True, slots=True)
class Sent:
    code: int
    seconds: float
    text: str


def measure(release: Release, address: str, token: str, requests: list[Any]) -> dict[str, float]:
    """Raises Trouble when none of the requests is answered."""
    bodies = [json.dumps(_sendable(request)).encode() for request in requests]
    place = urlsplit(address)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=TIMEOUT)
    headers = {"content-type": "application/json", PROBE_HEADER: token}
    with contextlib.closing(connection):
        first = list(_send(connection, release.route, headers, islice(cycle(bodies), WARM_UP)))
        if all(sent.code != 200 for sent in first) and len(bodies) <= WARM_UP:
            _refuse(release, first)
        count = min(max(FEWEST, len(bodies)), MOST)
        sent = _in_time(_send(connection, release.route, headers, islice(cycle(bodies), count)))
    if all(one.code != 200 for one in sent):
        _refuse(release, sent)
    times = sorted(one.seconds for one in sent)
    errors = sum(one.code != 200 for one in sent) / len(sent)
    return {"p50": quantile(times, 0.5), "p95": quantile(times, 0.95), "p99": quantile(times, 0.99), "errors": errors}


def _send(connection: HTTPConnection, route: str, headers: dict[str, str], bodies: Iterable[bytes]) -> Iterable[Sent]:
    for body in bodies:
        began = time.perf_counter()
        try:
            connection.request("POST", route, body, headers)
            response = connection.getresponse()
            code, text = response.status, response.read().decode(errors="replace")
        except (OSError, HTTPException) as error:
            connection.close()
            code, text = 0, f"{type(error).__name__}: {error}"
        yield Sent(code, time.perf_counter() - began, text)


def _in_time(sending: Iterable[Sent]) -> list[Sent]:
    """What answers slowly is timed with fewer requests."""
    end, sent = time.monotonic() + LONGEST, []
    for one in sending:
        sent.append(one)
        if time.monotonic() > end and len(sent) >= LEAST:
            break
    return sent


def _sendable(value: Any) -> Any:
    """A missing number of a table is NaN, in a request it is null."""
    if isinstance(value, dict):
        return {name: _sendable(one) for name, one in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _refuse(release: Release, sent: list[Sent]) -> None:
    said = sent[0].text
    with contextlib.suppress(ValueError, KeyError, TypeError, IndexError):
        answer = json.loads(said)
        first = answer.get("errors", [None])[0]
        said = f"{first['field']}: {first['problem']}" if first else answer["error"]
    cause = "it does not answer its example" if release.called else "it answers no row of its data"
    raise Trouble(f"try the new release of {release.name}", f"{cause}: {said}")
