"""What a source's files hold before anyone asks whether it fits: cells by column, and the rows that have no shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from ...compiler.load import apart_by
from ...compiler.types import Type
from ...grammar.diagnostic import listing, nearest
from ..trouble import Trouble


class Unfit(Trouble):
    """What is wrong with one of the arguments."""

    argument = ""


def unfit(argument: str, action: str, cause: str, help_: str = "") -> Unfit:
    found = Unfit(action, cause, help_)
    found.argument = argument
    return found


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a row stands: the line, counted from 1, of `file`, and the row as it is written there."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that does not fit, with the first thing that is wrong about it."""

    spot: Spot
    reason: str
    column: str | None = None
    value: str | None = None


class Cells(Protocol):
    """One column as it was found."""

    def inferred(self) -> Any:
        """The cells in the type that all their values have, as an Arrow array."""

    def fitted(self, type_: Type) -> tuple[Any, Any]:
        """The cells as `type_`, and an Arrow mask of those that are not, or None. What is wrong is null."""

    def shown(self, row: int) -> str | None:
        """A cell as the file's reader sees it, None for an empty one."""

    def with_more(self, others: Sequence[Self]) -> Self:
        """These cells and then those of further files."""


@dataclass(frozen=True, slots=True)
class Raw:
    """`columns` may lack those that were not asked for. `misfits` are rows that are not among the `rows`.

    `spots` finds the lines of some rows, in the order of the rows. It may read the file once more, so it is asked
    only when something is wrong.
    """

    file: str
    names: tuple[str, ...]
    columns: Mapping[str, Cells]
    rows: int
    spots: Callable[[Sequence[int]], list[Spot]]
    misfits: tuple[Refused, ...] = field(default=())


def joined(raws: Sequence[Raw], place: str) -> Raw:
    """Many files as one table: the same columns in any order, the rows one file after the other."""
    first, *more = raws
    if not more:
        return first
    for raw in more:
        same_columns(first.file, first.names, raw.file, raw.names, place)
    columns = {name: cells.with_more([raw.columns[name] for raw in more]) for name, cells in first.columns.items()}
    misfits = tuple(misfit for raw in raws for misfit in raw.misfits)
    return Raw(
        first.file, first.names, columns, sum(raw.rows for raw in raws), lambda rows: _spots(raws, rows), misfits
    )


def _spots(raws: Sequence[Raw], rows: Sequence[int]) -> list[Spot]:
    found, start = [], 0
    for raw in raws:
        inside = [row - start for row in rows if start <= row < start + raw.rows]
        found += raw.spots(inside) if inside else []
        start += raw.rows
    return found


def same_columns(first: str, names: Sequence[str], file: str, found: Sequence[str], place: str) -> None:
    lacking = [name for name in names if name not in found]
    extra = [name for name in found if name not in names]
    if lacking or extra:
        parts = [f"lacks {listing(lacking)}"] * bool(lacking) + [f"also has {listing(extra)}"] * bool(extra)
        cause = f"{file} {' and '.join(parts)}, unlike {first}"
        raise Trouble(f"read {place}", cause, "files of one table have the same columns")


def unlike(name: str, known: Sequence[str]) -> str:
    """The help for a column that is not there."""
    if len(known) < 2:
        delimiter = apart_by(known)
        return f"its values may stand apart by another mark: {delimiter}" if delimiter else ""
    close = nearest(name, known)
    return f"did you mean {close}?" if close else f"there are {listing(known)}"


def named(found: Sequence[str], place: str) -> tuple[str, ...]:
    """The names of a header. A column without a name is called by its place, c1, c2, …; no two are named alike."""
    names = tuple(name or f"c{index}" for index, name in enumerate(found, 1))
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Trouble(
            f"read {place}", f"two of its columns are named {twice}",
            "give each column a name of its own; if the first row holds no names, write header = false",
        )  # fmt: skip
    return names


def numbered(count: int, declared: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The names of a file without a header, from the declared columns' (name, origin).

    Declared columns name the columns in order. Where one of them says `from "c3"`, all are c1, c2, … and declared
    columns pick by that.
    """
    in_order = [] if any(origin for _, origin in declared) else [name for name, _ in declared]
    return tuple(in_order[:count] + [f"c{index}" for index in range(1, count + 1)][len(in_order) :])
