"""The program: what a spec means, with nothing left to look up. Frozen, and the same on every machine.

No path of a machine, no clock, no secret: places are relative to the spec's folder, params are values.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import cached_property
from math import prod
from typing import Annotated, Literal

from pydantic import Field

from .types import Columns, Frozen, Type

VERSION = 1
LOCAL = "local"  # the environment and the runtime that are there without being declared

Kind = Literal["data", "model", "service"]
Scalar = bool | int | float | str | None
Value = Scalar | tuple[Scalar, ...]


def handed(value: Value, *, is_moment: bool) -> object:
    """A plain value as queries and Python are handed it: dates and timestamps as such, and a list as one."""
    if isinstance(value, tuple):
        return [handed(one, is_moment=is_moment) for one in value]
    if not is_moment or not isinstance(value, str):
        return value
    return datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)


class Place(Frozen):
    """Where a thing was written: offsets in the text of `path`, and its line, counted from 1."""

    path: str
    start: int
    end: int
    line: int


# --- conditions ----------------------------------------------------------------------------------------------


class Literal_(Frozen):
    """A number (durations in seconds, sizes in bytes, shares as fractions), a text, a truth or an ISO date."""

    form: Literal["literal"] = "literal"
    value: Scalar
    text: str = ""  # as written, with its unit


class Fact(Frozen):
    """One number to be found out about an artifact.

    `of` is the artifact's name, or "last". `function` is one of kinds.DATA_FUNCTIONS (then `column` may be set), a
    metric's name, or one of kinds.SERVICE_FACTS.
    """

    form: Literal["fact"] = "fact"
    of: str
    function: str
    column: str = ""


class Rows(Frozen):
    """How many rows of a data artifact break a condition about its columns.

    `broken` is a SQL expression over the columns, true where the row breaks it. `others` are the artifacts that it
    looks into, as tables of their names; `columns` are those that it speaks of, in which such a row is shown.
    """

    form: Literal["rows"] = "rows"
    of: str
    broken: str
    others: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


class Operation(Frozen):
    """`operator` is one of `+ - * / < <= > >= == != and or not else neg`; operands from left to right."""

    form: Literal["operation"] = "operation"
    operator: str
    operands: tuple[Expression, ...]


class Within(Frozen):
    """`value in low..high`, both ends included."""

    form: Literal["within"] = "within"
    value: Expression
    low: Expression | None
    high: Expression | None


Expression = Annotated[Literal_ | Fact | Rows | Operation | Within, Field(discriminator="form")]


class Expect(Frozen):
    """A condition; `text` is how it was written. `judges` are the outputs of the block whose acceptance it decides."""

    condition: Expression
    text: str
    judges: tuple[str, ...]
    span: Place


# --- blocks --------------------------------------------------------------------------------------------------


class Code(Frozen):
    """What a user's function really uses.

    `digest` is of the syntax trees of the function and of all it uses in the project's own files, comments and layout
    aside; `parts` the same for each of them ("train.py:fit" -> digest), `files` where they are. `packages` are the
    import names of what it imports from outside the project.
    """

    entry: str  # "file.py:function" or "package.module:attribute"
    digest: str
    parts: dict[str, str] = {}
    files: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    annotations: dict[str, str] = {}  # of parameters, as written
    is_class: bool = False


class Recipe(Frozen):
    """`word` is the recipe or source of kinds.py ("csv", "sql", "split", "predict" for a model as recipe, …).

    `place` is its quoted place; for sql `text` is the query and `place` its file, "" when inline.
    `code` is there for python. `digest` is of the meaning of `text`; `moments` are the arguments that are dates or
    timestamps, whose values are held as texts.
    """

    word: str
    place: str = ""
    text: str = ""
    digest: str = ""
    code: Code | None = None
    moments: tuple[str, ...] = ()


class Input(Frozen):
    """An artifact that goes in: under `alias` the recipe sees it. `last` asks for the accepted one of before."""

    name: str
    alias: str
    kind: Kind
    last: bool = False


class Predict(Frozen):
    """Targets and features by name, in order. `positive` is the value of the one target that counts as true."""

    targets: tuple[str, ...]
    positive: Scalar = None
    features: tuple[str, ...]
    task: Literal["classification", "regression", "none"]


class Measure(Frozen):
    """A metric of a model on data. `metric` is of kinds.METRICS, or "python" with its `code`."""

    name: str
    metric: str
    on: str
    code: Code | None = None


class Among(Frozen):
    """An argument to search: one of `values`, or without them a number from `low` to `high`, both included.

    `whole`: whole numbers alone. `log`: tried evenly over its powers of ten.
    """

    name: str
    values: tuple[Value, ...] = ()
    low: int | float = 0
    high: int | float = 0
    whole: bool = False
    log: bool = False

    @property
    def count(self) -> int | None:
        """How many there are to try; None where there is no end of them."""
        if self.values:
            return len(self.values)
        return int(self.high) - int(self.low) + 1 if self.whole else None


class Search(Frozen):
    """Which arguments are tried, and which trial is the best: by cross-validation, if there are `folds`.

    Without `trials` it is all combinations. Rows with the same value of the column `group` stay in the same fold.
    `measure` says how `metric` is measured; None where the function returns it.
    """

    space: tuple[Among, ...]
    trials: int | None = None
    folds: int = 0
    group: str = ""
    best: Literal["max", "min"]
    metric: str
    measure: Measure | None = None

    @property
    def combinations(self) -> int | None:
        counts = [among.count for among in self.space]
        return None if None in counts else prod(count for count in counts if count is not None)

    @property
    def is_grid(self) -> bool:
        """Whether all combinations are tried."""
        return self.trials is None or (self.combinations is not None and self.trials >= self.combinations)

    @property
    def size(self) -> int:
        """How many trials there are."""
        return (self.combinations or 0) if self.is_grid else (self.trials or 0)

    @property
    def on(self) -> str:
        """The data that trials are measured on, "" for folds and what a function returns."""
        return self.measure.on if self.measure and not self.folds else ""


class RequestField(Frozen):
    """A field of a request or an answer. Without a `type` it may be any JSON; `needed` ones may not be left out."""

    name: str
    type: Type | None = None
    needed: bool = True


class Shape(Frozen):
    """What the JSON is that goes to a function of the user's, or comes from it: with `fields`, an object of just these."""

    form: Literal["any", "object", "list", "fields"] = "any"
    fields: tuple[RequestField, ...] = ()


class Exchange(Frozen):
    """What a service by a function is asked and answers. `example` is one request as JSON, "" where none is given."""

    request: Shape = Shape()
    answer: Shape = Shape()
    example: str = ""


class Needs(Frozen):
    """cpu: cores. memory: bytes. time: seconds. gpu: devices. retries: times. None where unsaid."""

    cpu: float | None = None
    memory: int | None = None
    gpu: int | None = None
    time: float | None = None
    retries: int = 0


class Schedule(Frozen):
    """When it is made again: by `cron` in the time zone `zone`, or `seconds` after it was last made."""

    text: str  # as written
    cron: str = ""
    seconds: float = 0.0
    zone: str = "UTC"


class Each(Frozen):
    """Made part by part: one for each value of `column`, or without it for each file.

    `of` are the inputs, by their aliases, of which a part gets its own rows; the first of them says which parts there
    are. A source has none: its parts are its files.
    """

    column: str = ""
    of: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f".{self.column}" if self.column else "file"


class Environment(Frozen):
    """Where a program runs: the environment's name, its runtime, and the runtime's options."""

    name: str = LOCAL
    runtime: str = LOCAL
    options: dict[str, Value] = {}


class Doubt(Frozen):
    """What a block's data is asked once it is there, because it may ruin models: `code` is of the warning.

    `of` are the tables that are looked at. What `columns`, `but` and `target` are to a code says `compiler/doubts.py`;
    `measure` is the metric that the answer is held against.
    """

    code: str
    of: tuple[str, ...]
    columns: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    target: str = ""
    positive: Scalar = None
    measure: str = ""


class Node(Frozen):
    """One block. `names` are its outputs; `columns` what is known of each output's table (None: not known).

    Of an output that is not known `at_least` are the columns that it certainly has: code makes what is declared, and
    what is not declared passes through.

    `declared` are the columns written in the block, which its first output must have. `reads` are the artifacts that
    only its judgement looks at. `secrets` are the arguments that are secrets, by the secret's name: never a value.
    `known` are the codes of the warnings that the block says it knows of.
    """

    names: tuple[str, ...]
    kind: Kind
    inputs: tuple[Input, ...]
    recipe: Recipe
    arguments: dict[str, Value] = {}
    secrets: dict[str, str] = {}
    columns: dict[str, Columns | None] = {}
    at_least: dict[str, Columns] = {}
    declared: Columns = ()
    predict: Predict | None = None
    search: Search | None = None
    exchange: Exchange | None = None
    measures: tuple[Measure, ...] = ()
    expects: tuple[Expect, ...] = ()
    reads: tuple[str, ...] = ()
    needs: Needs = Needs()
    every: Schedule | None = None
    each: Each | None = None
    doubts: tuple[Doubt, ...] = ()
    known: tuple[str, ...] = ()
    doc: str = ""
    span: Place

    @property
    def name(self) -> str:
        return self.names[0]

    def columns_with(self, name: str, wanted: Iterable[str]) -> Columns | None:
        """The columns of an output; where it may have more than is known, only if all those wanted are known."""
        known, least = self.columns.get(name), self.at_least.get(name, ())
        if known is not None or not least:
            return known
        return least if {column.name for column in least}.issuperset(wanted) else None

    @property
    def title(self) -> str:
        return ", ".join(self.names)

    @property
    def awaits(self) -> tuple[str, ...]:
        """The artifacts that must be there for it to be made: what goes in now, and what a search is measured on."""
        searched = (self.search.on,) if self.search and self.search.on else ()
        return tuple(dict.fromkeys((*(item.name for item in self.inputs if not item.last), *searched)))


class Program(Frozen):
    """`nodes` in topological order, otherwise as written. `params` are the values in force; those of `moments` are the
    texts of dates and timestamps."""

    version: int = VERSION
    spec: str  # the spec's file name
    doc: str = ""
    environment: Environment = Environment()
    params: dict[str, Value] = {}
    moments: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    nodes: tuple[Node, ...] = ()

    def node_of(self) -> dict[str, Node]:
        """Which node makes an artifact, by the artifact's name."""
        return self._node_of

    @cached_property
    def _node_of(self) -> dict[str, Node]:
        return {name: node for node in self.nodes for name in node.names}

    def upstream(self, name: str) -> list[Node]:
        """The node that makes `name` and all that it needs, in order."""
        node_of = self.node_of()
        wanted, stack = set(), [name]
        while stack:
            node = node_of[stack.pop()]
            if node.name not in wanted:
                wanted.add(node.name)
                stack += [item.name for item in node.inputs] + list(node.reads)
        return [node for node in self.nodes if node.name in wanted]


Operation.model_rebuild()
Within.model_rebuild()
Node.model_rebuild()
