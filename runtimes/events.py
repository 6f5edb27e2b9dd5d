"""What happens during an apply, as it happens. Told to whoever watches: the terminal, a notebook, a test."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..compiler.actions import Judged, Plan, Warned


@dataclass(frozen=True, slots=True)
class Planned:
    plan: Plan


@dataclass(frozen=True, slots=True)
class Started:
    """`verb` is "search", "parts", "make", "judge" or "serve"."""

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
class Parted:
    """A part of a block is done: the `number`-th, `of` so many. `part` is what it is of, as in "day 2024-01-03". It
    failed, if there is a `failure`; the others go on."""

    name: str
    number: int
    of: int
    part: str
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Moving:
    """What a step has made goes "up" into the store, or what it needs comes "down": bytes so far, `of` so many, 0 where
    that is unknown."""

    name: str
    way: str
    done: int
    of: int


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


@dataclass(frozen=True, slots=True)
class Said:
    """A line that somebody else says: a step on another machine by its `name`, or "" who runs it there."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """What `mlspec show` says of an artifact that was just made, for a place that shows it beside the run."""

    name: str
    text: str


def as_data(event: Any) -> dict[str, Any]:
    """What happened, for machines; `from_data` reads it."""
    data: dict[str, Any] = {"event": type(event).__name__.lower()}
    for name in event.__slots__:
        value = getattr(event, name)
        told = name in ("judged", "warned")
        data[name] = [json.loads(one.model_dump_json()) for one in value] if told else value
    return data


FORMS = {form.__name__.lower(): form for form in (Started, Tried, Parted, Moving, Waiting, Settled, Failed, Said, Page)}


def from_data(data: Mapping[str, Any]) -> Any:
    """The event of `as_data`; None for one of another version."""
    form: Any = FORMS.get(data.get("event", ""))
    if form is None:
        return None
    given = {name: data[name] for name in form.__slots__ if name in data}
    for name, kind in (("judged", Judged), ("warned", Warned)):
        if name in given:
            given[name] = tuple(kind.model_validate(one) for one in given[name])
    return form(**{name: tuple(v) if isinstance(v, list) else v for name, v in given.items()})


@dataclass(frozen=True, slots=True)
class Summary:
    """How many blocks came out how, by the words of Settled; `failed` also counts what depends on a failure."""

    counts: dict[str, int]
    seconds: float
    failures: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        return 4 if self.failures else 3 if self.refusals else 0


Event = Planned | Started | Tried | Parted | Moving | Waiting | Settled | Failed | Said | Page
Watch = Callable[[Event], None]
