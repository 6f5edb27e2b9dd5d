"""A block at work, and what those who work on it may ask of the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol

from ...compiler.outlook import Outlook
from ...compiler.program import Node, Program
from ...compiler.state import State
from .. import order as orders
from ..events import Event
from .live import Live
from .ordering import Ordering
from .parting import Parting
from .queueing import Queue
from .searching import Searching
from .world import World


@dataclass(slots=True)
class Doing:
    """A block at work: what is done for it now, and what it took so far."""

    node: Node
    seconds: float = 0.0
    made: bool = False
    key: str = ""
    token: int | None = None
    parts: dict[str, str] = field(default_factory=dict)
    left: int = 0  # judge orders under way
    asked: bool = False  # whether a fact about it was found out just now
    tries: int = 0
    notes: tuple[str, ...] = ()
    search: Searching | None = None  # while its arguments are searched, and when they are found
    parting: Parting | None = None  # while it is made part by part, and when its parts are put together


class Engine(Protocol):
    """`doing` are the blocks at work by their names; `assists` says that what is put together is left to another job."""

    program: Program
    world: World
    live: Live
    state: State
    outlooks: dict[str, Outlook]
    doing: dict[str, Doing]
    queue: Queue
    order: Ordering
    results: SimpleQueue[Any]
    counts: dict[str, int]
    refusals: list[str]
    assists: bool

    def tell(self, event: Event) -> None: ...

    def enqueue(self, doing: Doing, verb: str, order: dict[str, Any]) -> None: ...

    def log(self, node: Node, verb: str) -> Path: ...

    def note_log(self, name: str, path: str) -> None: ...

    def made(self, doing: Doing, outcome: orders.Outcome, seconds: float) -> None: ...

    def left_to_others(self, doing: Doing) -> bool: ...

    def failed(self, doing: Doing, message: str, help_: str, detail: str, *, settle: bool = True) -> None: ...

    def finish(self, doing: Doing) -> None: ...
