"""Trials and parts that several jobs make together: each is leased by the job that makes it, and the others take what comes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Literal

from ..store.ledger import Ledger
from .pool import Task

LOOK = 1.0  # seconds between looks at what others make

Share = Literal["", "make", "assist"]  # alone; with others; with others, and leaving the whole to them
Tag = tuple[str, str]


class Sharing:
    """Which trials and parts are ours, and which are made elsewhere."""

    def __init__(self, ledger: Ledger, process: str) -> None:
        self.ledger, self.process = ledger, process
        self.ours: dict[Tag, tuple[str, int]] = {}
        self.elsewhere: dict[Tag, tuple[Task, float, str]] = {}
        self.looked = 0.0

    def take(self, task: Task, key: str) -> bool:
        """Whether it is ours to make now."""
        token = self.ledger.lease(key, self.process)
        if token is None:
            return False
        self.ours[task.tag] = (key, token)
        return True

    def leave(self, task: Task, cpu: float, key: str) -> None:
        """It is made elsewhere, now or already: what comes of it is looked for there."""
        self.give_back(task.tag)
        self.elsewhere[task.tag] = (task, cpu, key)

    def give_back(self, tag: Tag) -> None:
        """Once what came of it is kept, or it has failed."""
        if tag in self.ours:
            self.ledger.release(*self.ours.pop(tag))

    def to_look_at(self) -> Iterator[tuple[Task, float, str]]:
        """What was left to others; now and then."""
        if time.monotonic() - self.looked > LOOK:
            self.looked = time.monotonic()
            yield from list(self.elsewhere.values())

    def is_left(self, key: str) -> bool:
        """Whether nobody makes it any more."""
        return not self.ledger.is_leased(key)
