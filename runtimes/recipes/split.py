"""A table -> two or more tables that share its rows out, each row to exactly one.

Dealt by a hash of the row or of a key, so that equal rows stay together and nothing but a row itself decides its side;
cut in order; or, with a seed, as scikit-learn's train_test_split deals them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ...compiler.program import Value
from ...grammar.kinds import RECIPES
from .. import tables
from ..declared import conform
from ..order import Given, Make, Outcome
from ..store.objects import Objects
from ..trouble import Trouble
from .sql import table_files

Numbers = np.ndarray[Any, np.dtype[Any]]  # one for each row, or for each group of equal rows
Cut = int | float | str  # a number of rows, a share of them, or a first date


@dataclass(frozen=True, slots=True)
class Deal:
    """What is asked for: `cuts` has an entry for each output that says how much goes there."""

    names: tuple[str, ...]
    cuts: Mapping[str, Cut]
    by: str = ""
    stratify: str = ""
    order: str = ""
    shuffle: bool = True
    seed: int | None = None

    def trouble(self, cause: str, help_: str = "") -> Trouble:
        return Trouble(f"split {', '.join(self.names)}", cause, help_)


def make(order: Make, objects: Objects) -> Outcome:
    """Deal the rows of the one input out. Raises Trouble where a side would be empty, or a key would stand on two."""
    deal = _deal(order.names, order.arguments)
    table = _read(order.inputs[0], objects, f"split {', '.join(deal.names)}")
    if order.declared:
        table = conform(table, order.declared, order.inputs[0].name)
    parts = dealt(table, deal)
    outputs = {name: tables.write(table.take(rows), objects) for name, rows in zip(deal.names, parts, strict=True)}
    return Outcome(outputs=outputs)


def _read(given: Given, objects: Objects, action: str) -> pa.Table:
    table_files(given, objects, action)  # refuses what is no table
    return tables.read(objects, given.digest)


def _deal(names: tuple[str, ...], arguments: Mapping[str, Value]) -> Deal:
    cuts = {name: value for name, value in arguments.items() if name in names}
    others = {name: value for name, value in arguments.items() if name not in names and value is not None}
    known = [argument.name for argument in RECIPES["split"].arguments]
    for name in set(others).difference(known):
        help_ = f"it takes {', '.join((*names, *known))}"
        raise Trouble(f"split {', '.join(names)}", f"there is no output or argument {name}", help_)
    return Deal(names=names, cuts=cuts, **others)  # type: ignore[arg-type]


def dealt(table: pa.Table, deal: Deal) -> list[Numbers]:
    """For each output the numbers of its rows, in the order in which they come out."""
    _check(table, deal)
    way = _way(deal)
    parts = way(table, deal)
    _check_none_is_empty(table, deal, parts)
    if way is _cut_in_order:  # by hash nothing can leak: the side follows from the hash, and equal keys hash alike
        _check_leaks(table, deal, parts)
    return parts  # as scikit-learn deals them, equal rows may part: that is asked for, and told as W202


def _way(deal: Deal) -> Callable[[pa.Table, Deal], list[Numbers]]:
    if deal.order or not deal.shuffle:
        return _cut_in_order
    return _by_scikit_learn if deal.seed is not None and not deal.by else _by_hash


# --- what is asked -------------------------------------------------------------------------------------------


def _check(table: pa.Table, deal: Deal) -> None:
    if not table.num_rows:
        raise deal.trouble("there are no rows to deal")
    for name in filter(None, (deal.by, deal.stratify, deal.order)):
        if name not in table.column_names:
            raise deal.trouble(f"there is no column {name}", f"there are {', '.join(table.column_names)}")
    unsaid = [name for name in deal.names if name not in deal.cuts]
    if len(unsaid) > 1:
        raise deal.trouble(f"how much goes to {' and '.join(unsaid)}?", f"say all but one, as in {unsaid[-1]} = 20%")
    if deal.stratify and (deal.order or not deal.shuffle):
        raise deal.trouble("a cut in order cannot be stratified", "leave stratify out, or order and shuffle")
    for name, cut in deal.cuts.items():
        if isinstance(cut, str) and not deal.order:
            raise deal.trouble(
                f"{name} takes a first date, and nothing says of which column", "write order = .date too"
            )
        if not isinstance(cut, str) and (cut <= 0 or (isinstance(cut, float) and cut >= 1)):
            raise deal.trouble(f"{name} asks for {cut}", "a share lies between 0 and 1, a number of rows above 0")


def _sizes(rows: int, deal: Deal) -> dict[str, int]:
    """The rows of each output that is said by a share or a number, rounded as scikit-learn rounds train and test.

    When all are said they must come out even; then the first one takes what the others leave.
    """
    first = deal.names[0]
    sizes = {
        name: cut if isinstance(cut, int) else math.floor(cut * rows) if name == first else math.ceil(cut * rows)
        for name, cut in deal.cuts.items()
        if not isinstance(cut, str)
    }
    if len(sizes) == len(deal.names):
        total = sum(
            cut * rows if isinstance(cut, float) else cut for cut in deal.cuts.values() if not isinstance(cut, str)
        )
        if abs(total - rows) > 1e-6 * rows:
            raise deal.trouble(
                f"the outputs ask for {total:,.10g} of {rows:,} rows", f"leave one of them out, as {first}"
            )
        del sizes[first]
    if sum(sizes.values()) > rows:
        raise deal.trouble(f"the outputs ask for {sum(sizes.values()):,} rows, and there are {rows:,}", "ask for fewer")
    return sizes


def _all_sizes(rows: int, deal: Deal) -> list[int]:
    sizes = _sizes(rows, deal)
    return [sizes.get(name, rows - sum(sizes.values())) for name in deal.names]


def _check_none_is_empty(table: pa.Table, deal: Deal, parts: Sequence[Numbers]) -> None:
    for name, part in zip(deal.names, parts, strict=True):
        if not len(part):
            cause = f"{name} would be empty, of {table.num_rows:,} row{'s' * (table.num_rows != 1)}"
            raise deal.trouble(cause, "say more for it, or less for the others")


# --- cut in order --------------------------------------------------------------------------------------------


def _cut_in_order(table: pa.Table, deal: Deal) -> list[Numbers]:
    rows = np.arange(table.num_rows)
    column = table.column(deal.order) if deal.order else None
    if column is not None:
        missing = pc.sum(pc.is_null(column, nan_is_null=True)).as_py() or 0
        if missing:
            cause = f"{missing:,} row{'s have' if missing > 1 else ' has'} no {deal.order}"
            raise deal.trouble(cause, f"leave them out first: select … where {deal.order} is not null")
        rows = pc.sort_indices(column).to_numpy()  # stable: rows of one date stay as they stood
    starts = _starts(table.num_rows, column, deal)
    return np.split(rows, starts[1:])


def _starts(rows: int, column: pa.ChunkedArray | None, deal: Deal) -> list[int]:
    """Where each output begins: from its first date, from the one before it or from the one after it."""
    sizes = _sizes(rows, deal)
    starts: list[int | None] = [0, *[None] * (len(deal.names) - 1), rows]
    for place, name in enumerate(deal.names):
        cut = deal.cuts.get(name)
        if isinstance(cut, str):
            starts[place] = _rows_before(cut, column, deal)
    for place, name in enumerate(deal.names):
        start = starts[place]
        if start is not None and starts[place + 1] is None and name in sizes:
            starts[place + 1] = start + sizes[name]
    for place, name in reversed(list(enumerate(deal.names))):
        end = starts[place + 1]
        if end is not None and starts[place] is None and name in sizes:
            starts[place] = end - sizes[name]
    return _checked_starts(starts, sizes, deal)


def _checked_starts(starts: Sequence[int | None], sizes: Mapping[str, int], deal: Deal) -> list[int]:
    if starts[0]:
        cause = f"{starts[0]:,} rows come before the first date of {deal.names[0]}, and would go nowhere"
        raise deal.trouble(cause, f"leave {deal.names[0]} unsaid: it takes the rest")
    known = [start for start in starts if start is not None]
    if len(known) < len(starts):
        raise deal.trouble("the cuts do not say where each output begins", "say all but the first of them")
    for place, name in enumerate(deal.names):
        length = known[place + 1] - known[place]
        if length < 0 or sizes.get(name, length) != length:
            raise deal.trouble(f"what {name} asks for does not fit between the others", "leave one of them unsaid")
    return known[:-1]


def _rows_before(first: str, column: pa.ChunkedArray | None, deal: Deal) -> int:
    assert column is not None, "checked: a date needs order"
    if not (pa.types.is_date(column.type) or pa.types.is_timestamp(column.type)):
        raise deal.trouble(f"{deal.order} holds no dates to compare with {first}", "say a share or a number of rows")
    try:
        moment = datetime.fromisoformat(first)
    except ValueError:
        raise deal.trouble(f"{first} is no date", "write it as 2015-01-01") from None
    return pc.sum(pc.less(pc.cast(column, pa.timestamp("us")), pa.scalar(moment, pa.timestamp("us")))).as_py() or 0


# --- as scikit-learn does ------------------------------------------------------------------------------------


def _by_scikit_learn(table: pa.Table, deal: Deal) -> list[Numbers]:
    """The first output is the training part. Of three or more the last is dealt first, then from the rest the one before.

    Only the numbers of the rows are dealt: which go where depends on how many there are and on their classes.
    """
    from sklearn.model_selection import train_test_split

    classes = _classes(table.column(deal.stratify)) if deal.stratify else None
    rest, parts = np.arange(table.num_rows), []
    for size in reversed(_all_sizes(table.num_rows, deal)[1:]):
        strata = None if classes is None else classes[rest]
        try:
            rest, part = train_test_split(rest, test_size=size, random_state=deal.seed, stratify=strata)
        except ValueError as error:
            raise deal.trouble(f"scikit-learn says: {error}") from None
        parts.append(part)
    return [rest, *reversed(parts)]


def _classes(column: pa.ChunkedArray) -> Numbers:
    """The rank of each value, a missing one last: scikit-learn takes the classes in their order."""
    values = pc.unique(column)
    ordered = values.take(pc.sort_indices(values))
    ranks: Numbers = pc.index_in(column, value_set=ordered).to_numpy()
    return ranks


# --- by hash -------------------------------------------------------------------------------------------------


def _by_hash(table: pa.Table, deal: Deal) -> list[Numbers]:
    """The last output has the lowest hashes and the first the highest, so a larger share only ever takes rows in.

    By shares alone a key's hash decides, whatever other keys there are. A number of rows or a stratum's share can only
    be met by rank, whole groups of equal keys at a time: then the keys at a border may change sides as data grows.
    """
    hashes = hashes_of(table, deal.by, deal.seed)
    if deal.stratify or any(isinstance(cut, int) for cut in deal.cuts.values()):
        sides = _sides_by_rank(table, deal, hashes)
    else:
        sides = np.searchsorted(_borders(deal), hashes >> np.uint64(11), side="right")
    return [np.flatnonzero(sides == len(deal.names) - 1 - place) for place in range(len(deal.names))]


def _borders(deal: Deal) -> Numbers:
    """The first hash of each side but the lowest, in 53 bits."""
    shares = {name: Fraction(repr(cut)) for name, cut in deal.cuts.items()}
    rest = 1 - sum(shares.values())
    if rest < 0 or (rest and len(shares) == len(deal.names)):
        raise deal.trouble(f"the outputs ask for {float(1 - rest):.2%} of all rows", "leave one of them unsaid")
    upper = accumulate(shares.get(name, rest) for name in reversed(deal.names[1:]))
    return np.array([int(share * 2**53) for share in upper], np.uint64)


def _sides_by_rank(table: pa.Table, deal: Deal, hashes: Numbers) -> Numbers:
    sizes = list(reversed(_all_sizes(table.num_rows, deal)))
    keys, group, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    strata = _strata(table.column(deal.stratify), group) if deal.stratify else np.zeros(len(keys), np.int64)
    rows_of_stratum = np.bincount(strata, counts).astype(np.int64)
    sides = np.empty(len(keys), np.int64)
    # The groups of each stratum, in the order of their hashes, as unique has given them.
    members_of = np.split(np.argsort(strata, kind="stable"), np.cumsum(np.bincount(strata))[:-1])
    for members, quota in zip(members_of, _quotas(sizes, rows_of_stratum), strict=True):
        # A group goes where its middle lies, so that a large one that crosses a border does the least harm.
        middles = np.cumsum(counts[members]) - counts[members] / 2
        sides[members] = np.searchsorted(np.cumsum(quota)[:-1], middles, side="left")
    return np.take(sides, group)


def _strata(column: pa.ChunkedArray, group: Numbers) -> Numbers:
    """The class of each group, the most frequent one of its rows. Classes are numbered by their values alone."""
    values, classes = np.unique(_values(column), return_inverse=True)
    pairs, counts = np.unique(group * len(values) + classes, return_counts=True)
    groups, classes = np.divmod(pairs, len(values))
    best = np.lexsort((classes, -counts, groups))
    chosen = classes[best][np.unique(groups[best], return_index=True)[1]]
    return np.unique(chosen, return_inverse=True)[1]


def _quotas(sizes: Sequence[int], rows_of_stratum: Numbers) -> Numbers:
    """How many rows of each stratum go to each side: in proportion, and the sides as large as they should be."""
    left = rows_of_stratum.copy()
    quotas = np.zeros((len(left), len(sizes)), np.int64)
    for side, size in enumerate(sizes[:-1]):
        exact = left * (size / max(left.sum(), 1))
        quotas[:, side] = np.floor(exact)
        short = int(size - quotas[:, side].sum())
        largest = np.argsort(quotas[:, side] - exact, kind="stable")[:short]  # the largest remainders
        quotas[largest, side] += 1
        left = left - quotas[:, side]
    quotas[:, -1] = left
    return quotas


# --- hashes --------------------------------------------------------------------------------------------------


def hashes_of(table: pa.Table, by: str | None = None, seed: int | None = None) -> Numbers:
    """64 bits for each row, by the values of one column or of all with their names; the same everywhere, for ever.

    Independent of where a row stands, of the order of columns, and of whether a whole number is an int or a float.
    """
    if by:
        hashes = _values(table.column(by))
    else:
        hashes = np.zeros(table.num_rows, np.uint64)
        for name, column in zip(table.column_names, table.columns, strict=True):
            hashes += _mixed(_values(column) ^ _of_text(name))
    return _mixed(hashes if seed is None else hashes ^ _of_text(f"seed {seed}"))


def _mixed(numbers: Numbers) -> Numbers:
    """Each bit of the result depends on each bit of the number: a step of SplitMix64."""
    numbers = numbers + np.uint64(0x9E3779B97F4A7C15)  # without it 0 would stay 0
    numbers = (numbers ^ numbers >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ numbers >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    mixed: Numbers = numbers ^ numbers >> np.uint64(31)
    return mixed


def _values(column: pa.ChunkedArray) -> Numbers:
    type_ = column.type
    if pa.types.is_string(type_) or pa.types.is_list(type_):
        return _texts(column)
    if pa.types.is_floating(type_):
        numbers = _floats(pc.fill_null(column, math.nan).to_numpy())
    else:
        column = pc.cast(column, pa.int32()) if pa.types.is_date(type_) else column
        whole = pc.cast(column, pa.int64())
        numbers = pc.fill_null(whole, 0).to_numpy().astype(np.int64).view(np.uint64)
    missing = pc.is_null(column, nan_is_null=True).to_numpy()
    return np.where(missing, _of_text("missing"), _mixed(numbers))


def _floats(numbers: Numbers) -> Numbers:
    """A whole number has the bits that it has as an int, so that a column may become float without moving a row."""
    whole = (np.floor(numbers) == numbers) & (np.abs(numbers) < 2**63)
    as_int = np.where(whole, numbers, 0).astype(np.int64).view(np.uint64)
    return np.where(whole, as_int, numbers.view(np.uint64))


def _texts(column: pa.ChunkedArray) -> Numbers:
    if pa.types.is_list(column.type):
        written = (None if value is None else json.dumps(value, default=str) for value in column.to_pylist())
        column = pa.array(written, pa.string())
    distinct = pc.unique(column)
    hashes = np.array([_of_text("missing" if v is None else "=" + v) for v in distinct.to_pylist()], np.uint64)
    found: Numbers = hashes[pc.index_in(column, value_set=distinct).to_numpy()]
    return found


def _of_text(text: str) -> Any:
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))


# --- leaks ---------------------------------------------------------------------------------------------------


def _check_leaks(table: pa.Table, deal: Deal, parts: Sequence[Numbers]) -> None:
    """No key of `by`, and no row, may stand on two sides: what a model has seen would be what it is measured on."""
    sides = np.empty(table.num_rows, np.int64)
    for side, part in enumerate(parts):
        sides[part] = side
    for by in dict.fromkeys((deal.by, "")):
        _, firsts, group = np.unique(hashes_of(table, by), return_index=True, return_inverse=True)
        leaking = np.unique(group[sides != sides[firsts][group]])
        if len(leaking):
            raise _leak(table, deal, by, len(leaking), int(firsts[leaking].min()))


def _leak(table: pa.Table, deal: Deal, by: str, count: int, row: int) -> Trouble:
    one = table.slice(row, 1).to_pylist()[0]
    example = str(one[by]) if by else ", ".join(f"{name} {value}" for name, value in list(one.items())[:4])
    what = f"keys of {by}" if by else "rows"
    cause = f"{count:,} of the {what} stand{'s' * (count == 1)} on two sides, as {example}"
    way = "" if by else ", or take doubles out first: select distinct …"
    return deal.trouble(cause, f"leave out {'order' if deal.order else 'shuffle'}: then they stay together{way}")
