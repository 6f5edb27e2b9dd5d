"""What happens during an apply, as it happens. Told to whoever watches: the terminal, a notebook, a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...compiler.actions import Judged, Plan, Warned


@dataclass(frozen=True, slots=True)
class Planned:
    plan: Plan


@dataclass(frozen=True, slots=True)
class Started:
    """`verb` is "search", "make", "judge" or "serve"."""

    name: str
    verb: str


@dataclass(frozen=True, slots=True)
class Tried:
    """A trial of a search: the `number`-th that is done, `of` so many. Without a `score` it failed, by `failure`."""

    name: str
    number: int
    of: int
    metric: str
    arguments: dict[str, Any]
    score: float | None
    best: float | None
    is_best: bool = False
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Another apply makes the same thing; its result will be ours."""

    name: str


@dataclass(frozen=True, slots=True)
class Settled:
    """A block is done. `how` is reused, made, accepted, served, refused, failed, waits or retired."""

    name: str
    kind: str
    how: str
    seconds: float = 0.0
    rows: tuple[int | None, ...] = ()
    metrics: dict[str, Any] | None = None
    judged: tuple[Judged, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()
    address: str = ""
    warned: tuple[Warned, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """A step that did not work out: one clear line, the way out, the detail, and where its log is."""

    name: str
    message: str
    help: str
    detail: str
    log: str


Event = Planned | Started | Tried | Waiting | Settled | Failed
Watch = Callable[[Event], None]
