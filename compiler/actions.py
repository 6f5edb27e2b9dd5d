"""What a plan holds: one action for each block. Plan, apply and every backend's compile are readers of this list."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .program import Doubt, Measure, Rows
from .types import Frozen

VERSION = 1


class Question(Frozen):
    """One fact to find out about the artifact `digest`: for a metric, on the data `on`."""

    key: str
    name: str
    digest: str
    function: str = ""
    column: str = ""
    rows: Rows | None = None
    measure: Measure | None = None
    on: str = ""
    doubt: Doubt | None = None
    others: dict[str, str] = {}


class Judged(Frozen):
    """A condition and how it came out."""

    text: str
    holds: bool
    shown: str
    line: int


class Warned(Frozen):
    """What the data has told that may ruin a model: the code, in words, with the way out and the block's place."""

    code: str
    title: str
    help: str
    path: str
    line: int


class _Action(Frozen):
    """`names` are the artifacts; `reason` says why, one line a part; `seconds` is what making took last time."""

    names: tuple[str, ...]
    kind: str
    reason: tuple[str, ...] = ()
    seconds: float | None = None


class Reuse(_Action):
    """It is as the spec says, and stays."""

    action: Literal["reuse"] = "reuse"
    note: str = ""


class Make(_Action):
    """`key` is empty while an input has yet to be made; `parts` likewise."""

    action: Literal["make"] = "make"
    key: str = ""
    parts: dict[str, str] = {}
    after: tuple[str, ...] = ()


class Judge(_Action):
    """It is made; facts that its conditions and measures ask for are not known yet. `stays`: its names stay as they
    are, whatever comes out."""

    action: Literal["judge"] = "judge"
    key: str = ""
    stays: bool = False
    questions: tuple[Question, ...] = ()
    after: tuple[str, ...] = ()


class Accept(_Action):
    """It is made and judged well: its names move to it."""

    action: Literal["accept"] = "accept"
    key: str
    digests: tuple[str, ...]
    judged: tuple[Judged, ...] = ()


class Refuse(_Action):
    """It is made, and a condition does not hold. `keeps`: the name pointed at it before the condition changed."""

    action: Literal["refuse"] = "refuse"
    key: str
    judged: tuple[Judged, ...]
    keeps: bool = False


class Serve(_Action):
    """A service gets a new release, or is started again. `digest` is its model's."""

    action: Literal["serve"] = "serve"
    release: str = ""
    digest: str = ""
    parts: dict[str, str] = {}
    after: tuple[str, ...] = ()


class Wait(_Action):
    """Something that it is made from was never accepted, or cannot be read."""

    action: Literal["wait"] = "wait"
    trouble: bool = False
    help: str = ""


class Retire(_Action):
    """Its block is gone: the name goes, the artifact stays in the store."""

    action: Literal["retire"] = "retire"


Action = Annotated[Reuse | Make | Judge | Accept | Refuse | Serve | Wait | Retire, Field(discriminator="action")]


class Plan(Frozen):
    """`actions` in the order of the program, then what is retired. `basis` tells whether the world has moved since."""

    version: int = VERSION
    spec: str
    runtime: str = "local"
    environment: str = "local"
    actions: tuple[Action, ...]
    basis: str = ""

    def changes(self) -> list[Action]:
        return [action for action in self.actions if not isinstance(action, Reuse)]

    def refused(self) -> dict[str, Refuse]:
        """By name, of each output of a block."""
        return {name: action for action in self.actions if isinstance(action, Refuse) for name in action.names}
