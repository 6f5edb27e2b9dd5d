"""A block made part by part as the engine does it: which orders are to be handed out next, and what to make of the answers.

A part that was made has a record of its own: a block that was interrupted, or whose input has grown, finds its parts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...compiler import identity
from ...compiler import parts as planned
from ...compiler.parts import MOST, Part
from ...compiler.program import Node
from ...compiler.state import Made, Record, State
from .. import events
from .. import order as orders
from .. import parts as ordered
from ..trouble import Trouble

PART, DIVIDE, JOIN = "part", "divide", "join"
AT_ONCE = 64  # parts that wait for a worker

Failure = tuple[str, str, str]  # message, help, detail
Order = tuple[str, orders.Make | orders.Divide | orders.Join]  # its verb, and what to do


@dataclass(slots=True)
class Parting:
    """A block under way. `make` is the order of the whole, `of_key` the parts of its key, `digests` its inputs' by name.

    `before` are the parts of the key of what its name points at: what is made of that need not be kept again.
    """

    node: Node
    make: orders.Make
    of_key: Mapping[str, str]
    digests: Mapping[str, str]
    before: Mapping[str, str]
    state: State
    parts: tuple[Part, ...] = ()
    of_each: list[tuple[orders.Make, dict[str, str]]] = field(default_factory=list)  # its order, the parts of its key
    left: list[int] = field(default_factory=list)  # to be made
    made: dict[int, tuple[Made, ...]] = field(default_factory=dict)
    failed: dict[int, Failure] = field(default_factory=dict)
    tries: dict[int, int] = field(default_factory=dict)
    handed_out: int = 0
    to_make: int = 0
    asked: int = 0
    asking: bool = False
    began: float = field(default_factory=time.monotonic)

    # --- what is next ---------------------------------------------------------------------------------------------

    def next(self) -> Iterator[Order]:
        """The orders to hand out now: what the parts are, then each that is not made yet, then all of them as one."""
        if self.asking or (not self.of_each and not self._look()):
            if not self.asking:
                self.asking = True
                yield DIVIDE, ordered.divide_order(self.node, self.make, self._known_to_be_made())
            return
        under_way = self.handed_out - (len(self.failed) + len(self.made) - (len(self.parts) - self.to_make))
        for number in self.left[self.handed_out : self.handed_out + AT_ONCE - under_way]:
            self.handed_out += 1
            yield self.again(number)
        if len(self.made) == len(self.parts):
            yield JOIN, ordered.join_order(self.node, self.make, ((p, self.made[i]) for i, p in enumerate(self.parts)))

    def again(self, number: int) -> Order:
        return f"{PART} {number}", self.of_each[number][0]

    def _look(self) -> bool:
        """Whether it is known which parts there are, and what those are made from that are to be made lies in the store."""
        found = planned.found(self.node, self.digests, self.make.expected, self.state.fact)
        if found is None:
            return False
        if len(found) > MOST:
            raise Trouble(f"make {self.node.title}", f"there are {len(found):,} files, and {MOST:,} parts are the most",
                          "put several into one file, or take the each line away")  # fmt: skip
        of_each = list(ordered.orders(self.node, self.make, found, self.of_key, self.state.versions))
        made = {number: one for number, (make, _) in enumerate(of_each) if (one := self._made(make.key)) is not None}
        left = [number for number in range(len(found)) if number not in made]
        if self.node.inputs and not all(self.state.present(own) for number in left for own in found[number].own):
            return False
        self.parts, self.of_each, self.made, self.left, self.to_make = found, of_each, made, left, len(left)
        return True

    def _made(self, key: str) -> tuple[Made, ...] | None:
        record = self.state.record(key)
        there = record is not None and all(self.state.present(made.digest) for made in record.outputs)
        return record.outputs if record is not None and there else None

    def _known_to_be_made(self) -> set[str]:
        """The rows of parts that are made already, by what is known of this table and of the one before it."""
        roles = identity.each_roles(self.node)
        before = {role: self.before.get(f"input {role}", "") for role in roles}
        names = {item.alias: item.name for item in self.node.inputs}
        assert self.node.each is not None
        as_before = {names[alias]: before[role] for alias, role in zip(self.node.each.of, roles, strict=True)}
        made: set[str] = set()
        wanted: set[str] = set()
        for digests in ({**self.digests, **as_before}, self.digests):
            found = planned.found(self.node, digests, {}, self.state.fact) or ()
            for part, (make, _) in zip(
                found, ordered.orders(self.node, self.make, found, self.of_key, self.state.versions), strict=True
            ):
                (wanted if self._made(make.key) is None else made).update(part.own)
        return made - wanted

    # --- what was heard -------------------------------------------------------------------------------------------

    def heard_division(self, division: orders.Division) -> dict[str, Any]:
        """The fact that it is."""
        self.asking = False
        self.asked += 1
        assert self.node.each is not None
        key = identity.division_key(self.node.each, planned.divided(self.node, self.digests))
        return {key: [[part.of, list(part.own), part.rows] for part in division.parts]}

    def heard_outcome(self, number: int, outcome: orders.Outcome, seconds: float) -> Record:
        make, of_key = self.of_each[number]
        record = ordered.record(make, of_key, outcome, seconds, time.time())
        self.made[number] = record.outputs
        return record

    def heard_failure(self, number: int, failure: Failure) -> bool:
        """Whether it is given up: `needs retries` are of each part."""
        self.tries[number] = self.tries.get(number, 0) + 1
        if self.tries[number] <= self.node.needs.retries:
            return False
        self.failed[number] = self._told(number, failure)
        return True

    def _told(self, number: int, failure: Failure) -> Failure:
        head, colon, cause = failure[0].partition(": ")
        title = planned.title(self.node, self.parts[number])
        head = head if title in head else f"{head} for {title}"
        return f"{head}{colon}{cause}", failure[1], failure[2]

    def event(self, number: int) -> events.Parted:
        failure = self.failed[number][0] if number in self.failed else ""
        done = len(self.made) + len(self.failed)
        return events.Parted(
            self.node.title, done, len(self.parts), planned.title(self.node, self.parts[number]), failure
        )

    # --- what came of it ------------------------------------------------------------------------------------------

    def failure(self) -> Failure | None:
        """Once all parts are done: the first that failed, and how many did."""
        if not self.failed or len(self.failed) + len(self.made) < len(self.parts):
            return None
        message, help_, detail = self.failed[min(self.failed)]
        more = len(self.failed) - 1
        also = f"; so did {more:,} more part{'s' * (more > 1)}" if more else ""
        return f"{message}{also}", help_, detail

    def note(self) -> str:
        """3 of 365 parts made, or which one."""
        if self.to_make in (0, len(self.parts)):
            return f"{len(self.parts):,} part{'s' * (len(self.parts) != 1)}"
        which = f": {planned.title(self.node, self.parts[self.left[0]])}" if self.to_make == 1 else ""
        return f"{self.to_make:,} of {len(self.parts):,} parts made{which}"

    def seconds(self) -> float:
        return time.monotonic() - self.began


@dataclass(frozen=True, slots=True)
class Heard:
    """What follows from an answer: facts and a record to keep, events to tell, an order to hand out again; the whole, once it
    is put together; or that it all failed."""

    facts: dict[str, Any] = field(default_factory=dict)
    record: Record | None = None
    events: tuple[events.Parted, ...] = ()
    again: Order | None = None
    whole: orders.Outcome | None = None
    failure: Failure | None = None


def heard(parting: Parting, verb: str, answer: Mapping[str, Any], seconds: float, failure: Failure) -> Heard:
    """`failure` is what went wrong, if the answer holds nothing else."""
    word, _, number = verb.partition(" ")
    if word == DIVIDE:
        if "division" not in answer:
            return Heard(failure=failure)
        return Heard(facts=parting.heard_division(orders.Division.model_validate(answer["division"])))
    if word == JOIN:
        return (
            Heard(whole=orders.Outcome.model_validate(answer["outcome"]))
            if "outcome" in answer
            else Heard(failure=failure)
        )
    return _of_part(parting, int(number), answer, seconds, failure)


def from_others(parting: Parting, number: int, record: Record) -> Heard:
    """A part that another job has made meanwhile."""
    parting.made[number] = record.outputs
    return Heard(events=(parting.event(number),), failure=parting.failure())


def _of_part(parting: Parting, number: int, answer: Mapping[str, Any], seconds: float, failure: Failure) -> Heard:
    record = None
    if "outcome" in answer:
        try:
            record = parting.heard_outcome(number, orders.Outcome.model_validate(answer["outcome"]), seconds)
        except Trouble as trouble:
            failure = (str(trouble), trouble.help, trouble.detail)
    if record is None and not parting.heard_failure(number, failure):
        return Heard(again=parting.again(number))
    return Heard(record=record, events=(parting.event(number),), failure=parting.failure())
