"""What was written, as frozen data. One class for each form of the grammar; a tree knows no meaning."""

from __future__ import annotations

from dataclasses import dataclass

from .source import Span

# --- expressions ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """`0.8`, `8GiB`, `20%`: the number as written and its unit, "" for none."""

    value: int | float
    unit: str
    span: Span


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted text. `inner` is where its characters stand, without the quotes; `raw` is true inside triple quotes."""

    value: str
    inner: Span
    raw: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Truth:
    value: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Date:
    """`2015-01-01` or `2015-01-01T06:30`, as written."""

    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class Column:
    """`.name`: a column or metric of what the block is about."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Reference:
    """`name` or `name.a.b`. `last` is a reference too, by the name "last"."""

    name: str
    path: tuple[str, ...]
    span: Span

    def __str__(self) -> str:
        return ".".join((self.name, *self.path))


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Expression, ...]
    name_span: Span
    span: Span


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str  # "-" or "not"
    operand: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, comparison, `and`, `or`, `else`, `in` and `not in`."""

    operator: str
    left: Expression
    right: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Range:
    """`low..high`, both ends included; an end left out is None."""

    low: Expression | None
    high: Expression | None
    span: Span


@dataclass(frozen=True, slots=True)
class Choice:
    """`"a" | "b"`."""

    options: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Items:
    """`[a, b]`."""

    items: tuple[Expression, ...]
    span: Span


Expression = Number | Text | Truth | Date | Column | Reference | Call | Unary | Binary | Range | Choice | Items

# --- types ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TypeExpression:
    """`int`, `list[text]`, `"a" | "b"`, each with `?` for "may be missing"."""

    name: str  # "" for a closed set
    item: TypeExpression | None
    values: tuple[str, ...]
    optional: bool
    span: Span


# --- the lines of a body -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    name: str
    value: Expression
    name_span: Span
    span: Span


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """`name: type, unique in 0..9 from "name in the file"`."""

    name: str
    type: TypeExpression
    flags: tuple[tuple[str, Span], ...]
    within: Expression | None
    origin: Text | None
    name_span: Span
    span: Span


@dataclass(frozen=True, slots=True)
class Assign:
    name: str
    value: Expression
    name_span: Span
    span: Span


@dataclass(frozen=True, slots=True)
class Among:
    """`max_depth in 3..9`: an argument to search."""

    name: str
    choices: Expression
    name_span: Span
    span: Span


@dataclass(frozen=True, slots=True)
class Predict:
    """`predict .y == "Yes" from .a, .b`. `features` is None for all other columns; `but` are the columns left out."""

    targets: tuple[Column, ...]
    positive: Expression | None
    features: tuple[Column, ...] | None
    but: tuple[Column, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Search:
    options: tuple[Pair, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Metric:
    """`roc_auc`, `rmse as error`, `python "m.py:lift" as lift`."""

    name: str
    place: Text | None
    alias: str
    name_span: Span
    span: Span


@dataclass(frozen=True, slots=True)
class Measure:
    metrics: tuple[Metric, ...]
    on: Reference
    span: Span


@dataclass(frozen=True, slots=True)
class Expect:
    condition: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Needs:
    options: tuple[Pair, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Every:
    """`every 6h`, `every day at 02:00 in "Europe/Zurich"`, `every "0 2 * * *"`."""

    period: Number | Text | Reference
    at: str
    zone: Text | None
    span: Span


@dataclass(frozen=True, slots=True)
class Each:
    by: Column | Reference
    span: Span


@dataclass(frozen=True, slots=True)
class SetPath:
    path: Reference
    value: Expression
    span: Span


Line = ColumnLine | Assign | Among | Predict | Search | Measure | Expect | Needs | Every | Each | SetPath

# --- blocks --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Name:
    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Input:
    """`features`, `last churn`, `ch.demand as swiss`, or a source: `csv "x.csv"` (then `place` is there)."""

    reference: Reference
    place: Text | Reference | None
    last: bool
    alias: str
    span: Span


@dataclass(frozen=True, slots=True)
class Recipe:
    """`split`, `churn` (a model), `sql \"\"\"…\"\"\"`, `python "f.py:fit"`."""

    reference: Reference
    place: Text | Reference | None
    span: Span


@dataclass(frozen=True, slots=True)
class Block:
    """`head` is the header's span, `span` that of the whole block.

    `unread` holds the first words of the lines that could not be read: a word of the language, "" for a line that may
    have been anything, and "from" where the header may have gone on. What is not there may have been in them.
    """

    kind: str
    names: tuple[Name, ...]
    inputs: tuple[Input, ...]
    recipe: Recipe | None
    lines: tuple[Line, ...]
    doc: str
    head: Span
    span: Span
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
    number: Number
    span: Span


@dataclass(frozen=True, slots=True)
class Param:
    name: Name
    type: TypeExpression | None
    value: Expression | None
    doc: str
    span: Span


@dataclass(frozen=True, slots=True)
class Secret:
    names: tuple[Name, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Env:
    """`unread` as in a block: an option that is not there may have been in a line that could not be read."""

    name: Name
    runtime: Name
    lines: tuple[Line, ...]
    doc: str
    span: Span
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Use:
    place: Text
    alias: Name
    lines: tuple[Line, ...]
    span: Span


Statement = Version | Block | Param | Secret | Env | Use


@dataclass(frozen=True, slots=True)
class Document:
    """All statements of one file in their order; `doc` is the `##` text that belongs to no block."""

    path: str
    doc: str
    statements: tuple[Statement, ...]
