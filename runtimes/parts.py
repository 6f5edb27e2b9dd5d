"""A block that is made part by part: the orders of its parts as data.

Who runs a block so asks in turn: `divide_order` says which parts there are (`division.py`), each of `orders` makes one,
and `join_order` makes one table of them (`joining.py`). `local/parting.py` is how this machine does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..compiler import identity
from ..compiler import parts as planned
from ..compiler.parts import Part
from ..compiler.program import Node
from ..compiler.state import Made, Record
from ..compiler.types import Columns
from .order import Divide, Given, Join, Make, Outcome, Piece
from .trouble import Trouble


def orders(
    node: Node, make: Make, parts: Iterable[Part], making: Mapping[str, str], versions: Mapping[str, str]
) -> Iterator[tuple[Make, dict[str, str]]]:
    """The order of each part, and the parts of its key: those of a block that is made from this part alone.

    `make` is the order of the whole block, `making` the parts of its key.
    """
    base, alone = planned.base(node, making, versions), planned.alone(node)
    for part in parts:
        of_key = identity.part(node, base, planned.own(part, node))
        update: dict[str, Any] = {"key": identity.key_of(of_key), "declared": alone.declared}
        if node.inputs:
            update["inputs"] = tuple(_restricted(node, make.inputs, part))
        else:
            update["recipe"] = make.recipe.model_copy(update={"place": str(part.of)})
            update["expected"] = {str(part.of): part.own[0]}
        yield make.model_copy(update=update), of_key


def _restricted(node: Node, inputs: Iterable[Given], part: Part) -> Iterator[Given]:
    own = dict(zip(node.each.of, part.own, strict=True)) if node.each else {}
    for given in inputs:
        yield given.model_copy(update={"digest": own[given.alias]}) if given.alias in own else given


def divide_order(node: Node, make: Make, made: Iterable[str]) -> Divide:
    """`made` are the tables that need not be kept: what is made from them is there."""
    assert node.each is not None
    by_alias = {given.alias: given for given in make.inputs}
    inputs = tuple(by_alias[alias] for alias in node.each.of)
    return Divide(name=node.title, column=node.each.column, inputs=inputs, made=tuple(sorted(made)), root=make.root)


def record(make: Make, of_key: Mapping[str, str], outcome: Outcome, seconds: float, at: float) -> Record:
    """Of one part that was made. Raises Trouble for what cannot be put together."""
    for name in make.names:
        if outcome.outputs[name].kind != "table":
            help_ = "return a table, or take the each line away"
            raise Trouble(f"make {name}", "it gave a folder of files, and parts are put together as tables", help_)
    outputs = tuple(outcome.outputs[name] for name in make.names)
    return Record(key=make.key, parts=dict(of_key), outputs=outputs, metrics=outcome.metrics, notes=outcome.notes,
                  seconds=round(seconds, 3), at=at)  # fmt: skip


def join_order(node: Node, make: Make, made: Iterable[tuple[Part, tuple[Made, ...]]]) -> Join:
    """Of all parts, in their order, with what was made of each."""
    shapes: dict[Columns, int] = {}
    pieces = []
    for part, outputs in made:
        told = []
        for one in outputs:
            shape = shapes.setdefault(one.columns or (), len(shapes))
            told.append((one.digest, one.rows or 0, one.bytes, shape))
        pieces.append(Piece(of=part.of, outputs=tuple(told)))
    column = node.each.column if node.each else ""
    return Join(names=make.names, column=column, pieces=tuple(pieces), shapes=tuple(shapes), declared=node.declared,
                root=make.root)  # fmt: skip
