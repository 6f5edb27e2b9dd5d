"""Who makes what now, in a bucket: a document for each key, taken by who puts it there first and kept alive by a thread.

Nobody's clock is believed. A lease that was seen without a sign of life for so long, by the clock of who looks, is
taken over; its number rises by that, and what its former holder still brings is refused.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from ..trouble import Trouble
from .bucket import Bucket, Version
from .ledger import alive

BEAT, PATIENCE = 5.0, 30.0  # seconds between signs of life, and without one until somebody else may take it
OFTEN = 1.0  # seconds between two looks at the same lease


def now() -> float:
    """Goes on while the machine sleeps, so that who wakes up knows how long it was away."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(slots=True)
class _Held:
    token: int
    owner: str
    version: Version
    beats: int
    confirmed: float  # when the last sign of life that came through was sent
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True)
class _Seen:
    """Of somebody else's: what it was, and since when it is so."""

    version: Version
    since: float
    looked: float
    gone: bool = False


class Leases:
    def __init__(self, bucket: Bucket, beat: float = BEAT, patience: float = PATIENCE) -> None:
        self.bucket, self.beat, self.patience = bucket, beat, patience
        self.held: dict[str, _Held] = {}
        self.seen: dict[str, _Seen] = {}
        self.lock = threading.Lock()
        self.beating = False

    def take(self, key: str, owner: str) -> int | None:
        """A token when it is ours, None while somebody else's lives."""
        began = now()
        version = self.bucket.put_if_absent(_path(key), _body(owner, 1, 0))
        if version is not None:
            return self._hold(key, _Held(1, owner, version, 0, began))
        found = self.bucket.get(_path(key))
        if found is None:
            return None  # let go just now: ask again
        before = _said(found.body)
        if before["owner"] == owner and key not in self.held:  # our own first try, of which no answer came
            return self._hold(key, _Held(before["token"], owner, found.version, before["beats"], began))
        if not self._is_dead(key, before["owner"], found.version):
            return None
        token = before["token"] + 1
        version = self.bucket.put_if_unchanged(_path(key), _body(owner, token, 0), found.version)
        return None if version is None else self._hold(key, _Held(token, owner, version, 0, began))

    def holds(self, key: str, token: int) -> bool:
        """Whether a lease is ours still, beyond doubt: nobody can have waited out our silence since it was confirmed."""
        held = self.held.get(key)
        if held is None or held.token != token:
            return False
        return now() - held.confirmed < self.patience or self._renew(key)

    def release(self, key: str, token: int) -> None:
        held = self.held.pop(key, None) if self.holds(key, token) else None
        if held is not None:
            with held.lock:  # a sign of life that is under way would bring it back
                self.bucket.delete([_path(key)])

    def is_taken(self, key: str) -> bool:
        """Whether somebody makes it now, we ourselves included."""
        if key in self.held:
            return True
        seen = self.seen.get(key)
        if seen is not None and now() - seen.looked < OFTEN:
            return not seen.gone
        found = self.bucket.get(_path(key))
        if found is None:
            self.seen[key] = _Seen({}, now(), now(), gone=True)
            return False
        return not self._is_dead(key, _said(found.body)["owner"], found.version)

    def _is_dead(self, key: str, owner: str, version: Version) -> bool:
        seen = self.seen.get(key)
        if seen is None or seen.version != version:
            seen = self.seen[key] = _Seen(version, now(), now())
        seen.looked, seen.gone = now(), not alive(owner) or now() - seen.since >= self.patience
        return seen.gone

    def _hold(self, key: str, held: _Held) -> int:
        self.seen.pop(key, None)
        with self.lock:
            self.held[key] = held
            if not self.beating:
                self.beating = True
                threading.Thread(target=self._live, daemon=True).start()
        return held.token

    def _live(self) -> None:
        while True:
            time.sleep(self.beat)
            with self.lock:
                if not self.held:
                    self.beating = False
                    return
            for key in list(self.held):
                with contextlib.suppress(Trouble):  # the store is away: who holds it doubts it, once the time is over
                    self._renew(key)

    def _renew(self, key: str) -> bool:
        held = self.held.get(key)
        if held is None:
            return False
        with held.lock:
            began, body = now(), _body(held.owner, held.token, held.beats + 1)
            version = self.bucket.put_if_unchanged(_path(key), body, held.version) or self._own(key, body)
            if version is None:
                self.held.pop(key, None)
                return False
            held.version, held.beats, held.confirmed = version, held.beats + 1, began
            return True

    def _own(self, key: str, body: bytes) -> Version | None:
        """Of a sign of life that did come through, though no answer came back."""
        found = self.bucket.get(_path(key))
        return found.version if found is not None and found.body == body else None


def _path(key: str) -> str:
    return f"leases/{key}.json"


def _said(body: bytes) -> dict[str, Any]:
    """Of one that is damaged nothing is known: it passes on as that of a machine that died."""
    try:
        said = json.loads(body)
        return {"owner": str(said["owner"]), "token": int(said["token"]), "beats": int(said["beats"])}
    except (ValueError, KeyError, TypeError):
        return {"owner": "unknown:0:0", "token": 0, "beats": 0}


def _body(owner: str, token: int, beats: int) -> bytes:
    return json.dumps({"owner": owner, "token": token, "beats": beats}).encode()
