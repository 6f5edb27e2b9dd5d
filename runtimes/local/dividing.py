"""Blocks that are many tasks: the trials of a search, and parts. Each is leased where several jobs make them together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...compiler import parts as planned
from ...compiler.program import Node, Search
from .. import order as orders
from ..events import Started
from ..store.ledger import this_process
from ..trouble import Trouble
from . import parting as partings
from . import searching
from .doing import Doing, Engine
from .parting import Parting
from .pool import Result, Task
from .searching import Searching
from .sharing import Sharing
from .wrong import what_went_wrong

WHOLE = ("make", "judge")  # what is done for a searched block besides its trials


class Dividing:
    """`shares`: other jobs make trials and parts of the same block."""

    def __init__(self, engine: Engine, *, shares: bool) -> None:
        self.engine = engine
        self.sharing = Sharing(engine.world.ledger, this_process()) if shares else None

    def begin(self, doing: Doing, order: orders.Make, of_key: dict[str, str]) -> bool | None:
        """None for a block that is one task. True where nothing is left to do, and so it is settled."""
        node = doing.node
        if node.search is not None:
            doing.search = self._searching(node, node.search, order, of_key)
            return self._search(doing)
        if node.each is not None:
            doing.parting = self._parting(node, order, of_key)
            return self._part(doing)
        return None

    def heard(self, doing: Doing, result: Result, answer: dict[str, Any]) -> bool:
        """Whether the answer was one of a trial or a part."""
        verb = result.tag[1]
        if doing.search is not None and verb not in WHOLE:
            self._searched(doing, doing.search, result, answer)
        elif doing.parting is not None and verb != "judge":
            self._parted(doing, doing.parting, result, answer)
        else:
            return False
        return True

    # --- search -----------------------------------------------------------------------------------------------

    def _searching(self, node: Node, search: Search, order: orders.Make, parts: dict[str, str]) -> Searching:
        self.engine.tell(Started(node.title, "search"))
        on = self.engine.order.digest(search.on) if search.on else ""
        return Searching(node, search, parts, order, self.engine.world.ledger.fact, on)

    def _search(self, doing: Doing) -> bool:
        """Hand out what is to be tried, or at the end made. True where that is left to others, and so is settled."""
        assert doing.search is not None
        for verb, order in doing.search.next():
            if self.engine.assists and verb == searching.MAKE:
                return self.engine.left_to_others(doing)
            self.engine.enqueue(doing, verb, order.model_dump(mode="json"))
        return False

    def _searched(self, doing: Doing, search: Searching, result: Result, answer: dict[str, Any]) -> None:
        told = searching.heard(search, result.tag[1], answer, what_went_wrong(doing.node, result, answer))
        self.engine.world.ledger.put_facts(told.facts, doing.key)
        log = self.engine.log(doing.node, result.tag[1])
        for event in told.events:
            self.engine.tell(event)
            if event.failure:
                self.engine.note_log(doing.node.name, str(log))
        searching.sweep(log)
        if told.failure is not None:
            self.engine.failed(doing, *told.failure)
            self.engine.finish(doing)
        elif told.again is not None:
            self.engine.enqueue(doing, told.again[0], told.again[1].model_dump(mode="json"))
        elif self._search(doing):
            self.engine.finish(doing)

    # --- part by part -----------------------------------------------------------------------------------------

    def _parting(self, node: Node, order: orders.Make, parts: Mapping[str, str]) -> Parting:
        self.engine.tell(Started(node.title, "parts"))
        digests = {given.name: given.digest for given in order.inputs}
        accepted = self.engine.state.names.get(node.name)
        before = self.engine.state.record(accepted.key) if accepted else None
        return Parting(node, order, parts, digests, before.parts if before else {}, self.engine.state)

    def _part(self, doing: Doing) -> bool:
        """Hand out what is to be made, or at the end put together. True where it has failed, and so is settled."""
        assert doing.parting is not None
        try:
            for verb, order in doing.parting.next():
                if self.engine.assists and verb == partings.JOIN:
                    return self.engine.left_to_others(doing)
                self.engine.enqueue(doing, verb, order.model_dump(mode="json"))
        except Trouble as trouble:
            self.engine.failed(doing, str(trouble), trouble.help, trouble.detail)
            self.engine.doing.pop(doing.node.name, None)
            return True
        return False

    def _parted(self, doing: Doing, parting: Parting, result: Result, answer: dict[str, Any]) -> None:
        failure = what_went_wrong(doing.node, result, answer)
        told = partings.heard(parting, result.tag[1], answer, result.seconds, failure)
        if told.facts:
            tables = planned.divided(doing.node, parting.digests)
            self.engine.world.ledger.put_facts(told.facts, next(iter(tables), doing.key))
        if told.record is not None:
            self.engine.live.keep(told.record)
        log = self.engine.log(doing.node, result.tag[1])
        searching.sweep(log)
        if any(event.failure for event in told.events) or (log.exists() and not parting.failed):
            self.engine.note_log(doing.node.name, str(log))
        for event in told.events:
            self.engine.tell(event)
        self._after_part(doing, told, result.seconds)

    def _after_part(self, doing: Doing, told: partings.Heard, seconds: float) -> None:
        if told.failure is not None:
            self.engine.failed(doing, *told.failure)
            self.engine.finish(doing)
        elif told.whole is not None:
            self.engine.made(doing, told.whole, seconds)
        elif told.again is not None:
            self.engine.enqueue(doing, told.again[0], told.again[1].model_dump(mode="json"))
        elif self._part(doing):
            self.engine.finish(doing)

    # --- with other jobs --------------------------------------------------------------------------------------

    def done(self, tag: tuple[str, str]) -> None:
        """What came of a task is kept, or it has failed."""
        if self.sharing is not None:
            self.sharing.give_back(tag)

    def is_ours(self, task: Task, cpu: float) -> bool:
        """False, and remembered, where another job makes the same trial or part."""
        key = self._key_of_share(task.tag)
        if self.sharing is None or not key or task.tag in self.sharing.ours:
            return True
        if self.sharing.take(task, key) and not self._is_made(self.engine.doing[task.tag[0]], key):
            return True
        self.sharing.leave(task, cpu, key)
        return False

    def _is_made(self, doing: Doing, key: str) -> bool:
        return self.engine.state.record(key) is not None or self._found_out(doing, key)[0]

    def _found_out(self, doing: Doing, key: str) -> tuple[bool, Any]:
        """A fact that another job may have found out just now."""
        self.engine.world.ledger.look_for((), (doing.key,))
        return self.engine.world.ledger.fact(key)

    def _key_of_share(self, tag: tuple[str, str]) -> str:
        doing, (what, _, number) = self.engine.doing[tag[0]], tag[1].partition(" ")
        if what == searching.TRIAL and doing.search is not None:
            return doing.search.key(int(number))
        if what == partings.PART and doing.parting is not None:
            return doing.parting.of_each[int(number)][0].key
        return ""

    def look_elsewhere(self) -> None:
        """What other jobs were making may be there now, or they are gone."""
        for task, cpu, key in self.sharing.to_look_at() if self.sharing is not None else ():
            assert self.sharing is not None
            doing, number = self.engine.doing.get(task.tag[0]), int(task.tag[1].partition(" ")[2])
            if doing is None or self._take_from_others(doing, number, key):
                self.sharing.elsewhere.pop(task.tag, None)
            elif self.sharing.is_left(key):
                self.sharing.elsewhere.pop(task.tag, None)
                self.engine.queue.put(task, cpu)

    def _take_from_others(self, doing: Doing, number: int, key: str) -> bool:
        if doing.search is not None:
            known, score = self._found_out(doing, key)
            if known:
                self.engine.tell(doing.search.heard_score(number, score))
                if self._search(doing):
                    self.engine.finish(doing)
            return known
        record = self.engine.state.record(key)
        if record is not None and doing.parting is not None:
            told = partings.from_others(doing.parting, number, record)
            for event in told.events:
                self.engine.tell(event)
            self._after_part(doing, told, 0.0)
        return record is not None
