"""The order of one job and what came of it: all that crosses to the process that does the work."""

from __future__ import annotations

from typing import Any

from ..compiler.parts import Part
from ..compiler.program import Doubt, Measure, Needs, Predict, Recipe, Rows, Scalar, Search, Value
from ..compiler.state import Made
from ..compiler.types import Columns, Frozen

VERSION = 1

__all__ = [
    "Answers",
    "Divide",
    "Division",
    "Given",
    "Join",
    "Judge",
    "Made",
    "Make",
    "Outcome",
    "Part",
    "Piece",
    "Proposals",
    "Propose",
    "Question",
    "Scoring",
    "Trial",
    "Tried",
]


class Given(Frozen):
    """An input as the job gets it: the artifact's digest in the store, and the name under which the recipe sees it."""

    alias: str
    name: str
    kind: str
    digest: str
    columns: Columns | None = None  # what is declared or known of a table


class Make(Frozen):
    """Make all outputs of one block.

    `declared` are the columns that the first output must have; `columns` what the compiler expects of each output.
    `expected` are the digests of the source's files that the key speaks of: the job refuses what it finds changed.
    `secrets` are arguments whose values are read where the job runs, by the secret's name.
    `root` is the folder of the spec on the machine that runs the job; it is in no key.
    """

    version: int = VERSION
    key: str
    names: tuple[str, ...]
    kind: str
    recipe: Recipe
    arguments: dict[str, Value] = {}
    secrets: dict[str, str] = {}
    inputs: tuple[Given, ...] = ()
    declared: Columns = ()
    columns: dict[str, Columns | None] = {}
    predict: Predict | None = None
    needs: Needs = Needs()
    expected: dict[str, str] = {}
    root: str


class Scoring(Frozen):
    """How a trial is scored: on folds of the first table, on the data `on`, or by what the function returns."""

    metric: str
    measure: Measure | None = None
    folds: int = 0
    group: str = ""
    seed: int = 0
    on: str = ""


class Trial(Make):
    """Make the block with the arguments of one trial, keep nothing of it, and say how well it does."""

    scoring: Scoring


class Tried(Frozen):
    """What came of a trial. Without a `score` it failed."""

    arguments: dict[str, Value]
    score: float | None = None


class Propose(Frozen):
    """Say what to try next, by all that was tried so far."""

    search: Search
    tried: tuple[Tried, ...] = ()
    seed: int = 0
    needs: Needs = Needs()
    root: str


class Proposals(Frozen):
    """The arguments of the trials to do next."""

    proposals: tuple[dict[str, Value], ...]


class Divide(Frozen):
    """Find out which parts there are of some tables: one for each value of `column` in the first of them, or without it
    those that the first was made in. The rows of each part become tables, but those that `made` names are not kept.
    """

    version: int = VERSION
    name: str
    column: str = ""
    inputs: tuple[Given, ...]
    made: tuple[str, ...] = ()
    needs: Needs = Needs()
    root: str


class Division(Frozen):
    """The parts in their order; their rows lie in the store, where they were wanted."""

    parts: tuple[Part, ...]


class Piece(Frozen):
    """One part that was made: what it is of, and for each output its digest, rows, bytes and which columns it has: one
    of Join's `shapes`."""

    of: Scalar
    outputs: tuple[tuple[str, int, int, int], ...]


class Join(Frozen):
    """Put the parts of a block together: each output becomes one table of all its parts, in their order.

    `declared` are the columns that the first output has: what is unique there, is so in all parts together.
    """

    version: int = VERSION
    names: tuple[str, ...]
    column: str = ""
    pieces: tuple[Piece, ...]
    shapes: tuple[Columns, ...]
    declared: Columns = ()
    needs: Needs = Needs()
    root: str


class Outcome(Frozen):
    """`outputs` by name; `metrics` that the function returned itself; `notes` are lines for the person who applies."""

    outputs: dict[str, Made]
    metrics: dict[str, float] = {}
    notes: tuple[str, ...] = ()


class Question(Frozen):
    """One fact asked for: its key in the store, and what it is. `on` is the digest of the data a model is measured on."""

    key: str
    function: str = ""
    column: str = ""
    rows: Rows | None = None
    measure: Measure | None = None
    on: str = ""
    doubt: Doubt | None = None
    others: dict[str, str] = {}  # name -> digest of the other tables that `rows` or `doubt` looks into


class Judge(Frozen):
    """Find out facts about one artifact. `predict` is there for a model."""

    version: int = VERSION
    name: str
    digest: str
    kind: str
    predict: Predict | None = None
    questions: tuple[Question, ...]
    needs: Needs = Needs()
    root: str


class Answers(Frozen):
    """By the question's key: a number, or for a metric that is a table its rows as lists."""

    values: dict[str, Any]
