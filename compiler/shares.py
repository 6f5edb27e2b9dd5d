"""The arguments of a split, held against its outputs and the columns that it deals by."""

from __future__ import annotations

from ..grammar import tree
from . import values
from .arguments import Given
from .meant import dotted
from .program import Node
from .scope import Scope, column_missing
from .types import by_name, is_ordered


def check(block: tree.Block, base: Node, given: Given, scope: Scope) -> None:
    _columns(base, given, scope)
    told = len(scope.told)
    said = [name for name in base.names if name in given]
    unsaid = [name for name in base.names if name not in given]
    wrong = any(isinstance(line, tree.Assign) and scope.told_within(line.span) for line in block.lines)
    if len(unsaid) > 1 and not wrong:
        help_ = f"say how much goes to all but one of them, as in {unsaid[-1]} = 20%"
        scope.tell("E212", block.head, {"outputs": " and ".join(unsaid)}, help=help_)
    for name in said:
        _each(name, given, block, scope)
    if said and not wrong and len(scope.told) == told:
        _together(said, unsaid, given, scope)


def _columns(base: Node, given: Given, scope: Scope) -> None:
    for name in ("by", "stratify", "order"):
        if name not in given or not base.inputs:
            continue
        line = given[name][1]
        assert isinstance(line.value, tree.Column)
        known = scope.columns_with(base.inputs[0].name, line.value.name)
        if known is None:
            continue
        column = by_name(known).get(line.value.name)
        if column is None:
            column_missing(scope, line.value, known, base.inputs[0].name)
        elif name == "order" and not is_ordered(column.type):
            facts = {"problem": f"order takes a number or a date, and {dotted(column.name)} is {column.type}"}
            scope.tell("E604", line.value.span, facts)


def _each(name: str, given: Given, block: tree.Block, scope: Scope) -> None:
    value, line = given[name]
    if isinstance(value, values.Moment):
        if not any(isinstance(one, tree.Assign) and one.name == "order" for one in block.lines):
            scope.tell("E213", line.value.span, {"name": name}, help="write order = .date too")
    elif isinstance(value, int | float) and (value <= 0 or (_is_share(name, given) and value >= 1)):
        _refused(name, "more than nothing and less than all", given, scope)


def _together(said: list[str], unsaid: list[str], given: Given, scope: Scope) -> None:
    """Shares leave something for the output that is not said; if all are said, they make all."""
    shares = [value for name in said if _is_share(name, given) and isinstance(value := given[name][0], int | float)]
    if unsaid and sum(shares) >= 1:
        _refused(said[-1], f"a share that leaves rows for {unsaid[0]}", given, scope)
    elif not unsaid and len(said) > 1 and len(shares) == len(said) and abs(sum(shares) - 1) > NOTHING:
        help_ = f"leave {said[0]} away: it takes what the others leave"
        _refused(said[-1], "a share that makes 100% with the others", given, scope, help_)


NOTHING = 1e-6


def _is_share(name: str, given: Given) -> bool:
    value, line = given[name]
    return values.dimension(line.value) == "share" or isinstance(value, float)


def _refused(name: str, wanted: str, given: Given, scope: Scope, help_: str = "") -> None:
    span = given[name][1].value.span
    scope.tell("E206", span, {"name": name, "wanted": wanted, "found": scope.written(span)}, help=help_)
