"""A search as the engine does it: which orders are to be handed out next, and what to make of the answers.

A trial's score is a fact, under a key of its own: a search that was interrupted, or is made longer, finds what was tried.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...compiler import identity
from ...compiler.program import Node, Search
from ...compiler.state import Made
from .. import events
from .. import order as orders
from .. import search as searches
from ..order import Tried
from ..search import Arguments

TRIAL, PROPOSE, MAKE = "trial", "propose", "make"
AT_ONCE = 64  # trials of a grid that wait for a worker

Failure = tuple[str, str, str]  # message, help, detail
Order = tuple[str, orders.Make | orders.Propose]  # its verb, and what to do


@dataclass(slots=True)
class Searching:
    """A search under way. `make` is the order to make the block with the arguments that are given; `fact` looks a
    score up, and `on` is the digest of the data that trials are measured on."""

    node: Node
    search: Search
    parts: Mapping[str, str]
    make: orders.Make
    fact: Callable[[str], tuple[bool, Any]]
    on: str = ""
    proposed: list[Arguments] = field(default_factory=list)
    tried: dict[int, Tried] = field(default_factory=dict)
    handed_out: int = 0
    tries: dict[int, int] = field(default_factory=dict)
    asking: bool = False
    best_number: int | None = None
    failure: Failure | None = None
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if self.search.is_grid:
            self.proposed = list(searches.grid(self.search))

    @property
    def best(self) -> Tried | None:
        return None if self.best_number is None else self.tried[self.best_number]

    # --- what is next ---------------------------------------------------------------------------------------------

    def next(self) -> Iterator[Order]:
        """The orders to hand out now; the order to make the model once all is tried. None of them, if all failed."""
        while self.handed_out < len(self.proposed) and self.handed_out - len(self.tried) < AT_ONCE:
            number = self.handed_out
            self.handed_out += 1
            known, score = self.fact(self.key(number))
            if known:
                self._settle(number, score)
            else:
                yield self.again(number)
        if len(self.tried) < len(self.proposed) or self.asking:
            return
        if len(self.tried) < self.search.size:
            self.asking = True
            yield PROPOSE, self._propose()
        elif self.best is not None:
            yield MAKE, self.winning(self.make)

    def again(self, number: int) -> Order:
        return f"{TRIAL} {number}", self._trial(number)

    def key(self, number: int) -> str:
        return identity.trial_key(self.parts, self.proposed[number])

    @property
    def seed(self) -> int:
        said = next((self.node.arguments[name] for name in ("seed", "random_state") if name in self.node.arguments), 0)
        return said if isinstance(said, int) else 0

    def _trial(self, number: int) -> orders.Trial:
        search = self.search
        scoring = orders.Scoring(metric=search.metric, measure=search.measure, folds=search.folds, group=search.group,
                                 seed=self.seed, on=self.on)  # fmt: skip
        given = self._with(self.make, self.proposed[number])
        return orders.Trial(**{name: getattr(given, name) for name in orders.Make.model_fields}, scoring=scoring)

    def _propose(self) -> orders.Propose:
        return orders.Propose(search=self.search, tried=self._in_order(), seed=self.seed, root=self.make.root)

    def winning(self, make: orders.Make) -> orders.Make:
        """The order with the arguments that won."""
        return self._with(make, self.best.arguments if self.best else {})

    def _with(self, make: orders.Make, arguments: Arguments) -> orders.Make:
        return make.model_copy(update={"arguments": {**make.arguments, **arguments}})

    def _in_order(self) -> tuple[Tried, ...]:
        return tuple(self.tried[number] for number in sorted(self.tried))

    # --- what was heard -------------------------------------------------------------------------------------------

    def heard_proposals(self, answer: Mapping[str, Any]) -> None:
        self.asking = False
        self.proposed += orders.Proposals.model_validate(answer).proposals

    def heard_score(self, number: int, score: float) -> events.Tried:
        return self._told(number, self._settle(number, score))

    def heard_failure(self, number: int, failure: Failure) -> events.Tried | None:
        """None if it is to be tried again: `needs retries`."""
        self.tries[number] = self.tries.get(number, 0) + 1
        if self.tries[number] <= self.node.needs.retries:
            return None
        self.failure = self.failure or failure
        return self._told(number, self._settle(number, None), failure[0])

    def _settle(self, number: int, score: float | None) -> bool:
        """Whether it is better than all before it. Of equals the one that was proposed first is the best."""
        self.tried[number] = Tried(arguments=self.proposed[number], score=score)
        before = self.best.score if self.best else None
        rivals = [at for at in (self.best_number, number) if at is not None and self.tried[at].score is not None]
        best = searches.best_of(self.search, [self.tried[at] for at in sorted(rivals)])
        self.best_number = next((at for at in sorted(rivals) if self.tried[at] is best), None)
        return best is not None and best.score != before

    def _told(self, number: int, is_best: bool, failure: str = "") -> events.Tried:
        one = self.tried[number]
        return events.Tried(
            self.node.title, len(self.tried), self.search.size, self.search.metric, dict(one.arguments), one.score,
            self.best.score if self.best else None, is_best, failure,
        )  # fmt: skip

    def seconds(self) -> float:
        return time.monotonic() - self.began

    # --- what came of it ------------------------------------------------------------------------------------------

    def all_failed(self) -> bool:
        return len(self.tried) == self.search.size and self.best is None

    def about(self, made: Made) -> Made:
        """What was made, with what was tried for it."""
        assert self.best is not None
        told = {
            "metric": f"{self.search.best}({self.search.metric})",
            "best": dict(self.best.arguments),
            "score": self.best.score,
            "trials": [[dict(one.arguments), one.score] for one in self._in_order()],
        }
        return made.model_copy(update={"about": {**made.about, "search": told}})

    def note(self) -> str:
        """What won, as one would write it in the spec."""
        assert self.best is not None and self.best.score is not None
        won = ", ".join(f"{name} = {identity.written(value)}" for name, value in self.best.arguments.items())
        return f"the best of {self.search.size} trials, {self.search.metric} {self.best.score:.6g}: {won}"


@dataclass(frozen=True, slots=True)
class Heard:
    """What follows from an answer: facts to keep, events to tell, an order to hand out again; or that it all failed."""

    facts: dict[str, float] = field(default_factory=dict)
    events: tuple[events.Tried, ...] = ()
    again: Order | None = None
    failure: Failure | None = None


def sweep(log: Path) -> None:
    """A trial that printed nothing leaves no file."""
    if log.is_file() and not log.stat().st_size:
        log.unlink()


def heard(search: Searching, verb: str, answer: Mapping[str, Any], failure: Failure) -> Heard:
    """`failure` is what went wrong, if the answer holds nothing else."""
    if verb == PROPOSE:
        if "proposals" not in answer:
            return Heard(failure=failure)
        search.heard_proposals(answer)
        return Heard()
    number = int(verb.removeprefix(TRIAL))
    if "score" in answer:
        event = search.heard_score(number, answer["score"])
        return Heard(facts={search.key(number): answer["score"]}, events=(event,))
    told = search.heard_failure(number, failure)
    if told is None:
        return Heard(again=search.again(number))
    return Heard(events=(told,), failure=search.failure if search.all_failed() else None)
