"""What is so now: the store, the names, the facts, the sources. Handed to the planner as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .types import Columns, Frozen

WITHOUT_VALUES = "without values"  # where `about` names the columns in which each value is missing


class Made(Frozen):
    """An artifact in the store. `about` is shown and measured, and part of no key: encoders, classes, returned metrics."""

    digest: str
    kind: str  # "table", "folder" or "model"
    bytes: int
    rows: int | None = None
    columns: Columns | None = None
    about: dict[str, Any] = {}


class Record(Frozen):
    """What a key has made: `outputs` in the order of the block's names. `at` is seconds since the epoch, UTC."""

    key: str
    parts: dict[str, str]
    outputs: tuple[Made, ...]
    metrics: dict[str, float] = {}
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    at: float = 0.0


class Accepted(Frozen):
    """What a name points at. `withdrawn` are digests that a rollback moved away from: they are not accepted again."""

    name: str
    kind: str
    digest: str
    key: str
    at: float
    withdrawn: tuple[str, ...] = ()


class Running(Frozen):
    """A service as it is: the release that answers, "" when none does."""

    release: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class SourceFiles:
    """The files that a source's place names now, file -> digest; or why they cannot be read. `lines` only informs.

    `unknown` says why nothing but reading tells whether it holds the same: then each look gives another digest.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    trouble: str = ""
    help: str = ""
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """`record`, `present` and `fact` look things up in the store; None and False where there is nothing.

    `fact` is asked by its key and what it is about, and answers (known, value): a value may be None. `now` is in seconds since
    the epoch, for what is due; `gpus` are those that the runtime can hand out.
    """

    record: Callable[[str], Record | None]
    present: Callable[[str], bool]
    fact: Callable[[str, str], tuple[bool, Any]]
    names: Mapping[str, Accepted]
    sources: Mapping[str, SourceFiles]
    versions: Mapping[str, str]
    services: Mapping[str, Running]
    now: float = 0.0
    gpus: int = 0
