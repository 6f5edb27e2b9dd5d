"""A plan -> the world made so, on this machine: makes, judges, accepts and serves, as much at once as there are workers.

For each block, once everything before it is settled, the planner's `decide` is asked for the next action until there
is nothing left to do. So a crash, a second apply or a step that came out as before need no logic of their own.
"""

from __future__ import annotations

import contextlib
import os
import queue
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...compiler import plan as planning
from ...compiler.actions import Accept, Judge, Make, Plan, Refuse, Reuse, Serve, Wait, Warned
from ...compiler.plan import Absent, Answers, Outlook
from ...compiler.program import Input, Node, Program, Search
from ...compiler.state import Record, SourceFiles, State
from .. import order as orders
from ..serving import afar
from ..store.ledger import this_process
from ..trouble import Trouble
from . import parting as partings
from . import searching
from .events import Event, Failed, Moving, Settled, Started, Waiting, Watch
from .gpus import gpus
from .locking import locked_sources, pin
from .parting import Parting
from .pool import Moved, Pool, Result, Task
from .rollout import Handed, roll_out, stop_service
from .searching import Searching
from .sharing import Share, Sharing
from .world import World, accepted, state_of

ALONE = ("make", "part", "trial")  # what is done with the GPUs that a block needs, by a worker of its own
POLL = 0.2  # seconds between looks at the clock and at what other processes make


@dataclass(frozen=True, slots=True)
class Summary:
    """How many blocks came out how, by the words of events.Settled; `failed` also counts what depends on a failure."""

    counts: dict[str, int]
    seconds: float
    failures: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        return 4 if self.failures else 3 if self.refusals else 0


def apply(
    program: Program, plan: Plan, world: World, watch: Watch, workers: int | None = None, *, retire: bool = True,
    locked: bool = False, only: str = "", share: Share = "",
) -> Summary:  # fmt: skip
    """Do it; `locked` takes of the sources what mlspec.lock says, and `only` is the one artifact to make, by what is
    accepted of the others; `share` its trials or parts with other jobs. Raises KeyboardInterrupt through, after all
    workers have ended; what was finished stays."""
    began = time.monotonic()
    run = world.ledger.begin_run(this_process())
    status = "interrupted"
    counts: dict[str, int] = {}
    try:
        for _ in range(3):  # again when an object was found damaged: it is then missing, and made anew
            state = state_of(program, world, locked_sources(program, world) if locked else None)
            engine = _Engine(program, world, state, watch, run, workers or os.cpu_count() or 2, only, share)
            try:
                engine.run(retire=retire)
            finally:
                engine.pool.close()
            if not engine.damaged:
                break
        if not locked:
            pin(program, world, state.sources)
        summary = Summary(engine.counts, time.monotonic() - began, tuple(engine.failures), tuple(engine.refusals))
        counts = summary.counts
        status = "failed" if summary.failures else "refused" if summary.refusals else "done"
        return summary
    finally:
        world.ledger.end_run(run, status, counts)


@dataclass(slots=True)
class _Doing:
    """A block at work: what is done for it now, and what it took so far."""

    node: Node
    seconds: float = 0.0
    made: bool = False
    key: str = ""
    token: int | None = None
    parts: dict[str, str] = field(default_factory=dict)
    left: int = 0  # judge orders under way
    asked: bool = False  # whether a fact about it was found out just now
    tries: int = 0
    notes: tuple[str, ...] = ()
    search: Searching | None = None  # while its arguments are searched, and when they are found
    parting: Parting | None = None  # while it is made part by part, and when its parts are put together


class _Engine:
    def __init__(
        self,
        program: Program,
        world: World,
        state: State,
        watch: Watch,
        run: int,
        workers: int,
        only: str,
        share: Share,
    ) -> None:
        self.only = program.node_of()[only].name if only else ""
        self.program, self.world, self.watch, self.run_id = program, world, watch, run
        self.results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.pool = Pool(workers, _preload(program), self.results)
        self.state = state
        self.at_start = dict(state.names)
        self.process = this_process()
        self.sharing = Sharing(world.ledger, self.process) if share else None
        self.assists = share == "assist"
        self.outlooks: dict[str, Outlook] = {}
        self.doing: dict[str, _Doing] = {}
        self.waiting: dict[str, _Doing] = {}  # for another process
        self.queue: list[tuple[Task, float]] = []
        self.counts: dict[str, int] = {}
        self.failures: list[str] = []
        self.refusals: list[str] = []
        self.damaged = False
        self.cpu_free = float(workers)
        self.workers = workers
        self.held: dict[str, float] = {}
        self.gpus_free = gpus()
        self.gpus_held: dict[str, tuple[str, ...]] = {}

    # --- the loop ---------------------------------------------------------------------------------------------

    def run(self, *, retire: bool) -> None:
        node_of = self.program.node_of()
        before = {n.name: {node_of[x].name for x in _needs(n) if x in node_of} for n in self.program.nodes}
        after: dict[str, list[Node]] = {}
        for node in self.program.nodes:
            for name in before[node.name]:
                after.setdefault(name, []).append(node)
        self.before, self.after = before, after
        ready = [node for node in self.program.nodes if not before[node.name]]
        self._settle_all(ready)
        while self.doing or self.waiting:
            self._submit()
            self._hear()
        if retire and not self.damaged:
            self._retire()

    def _settle_all(self, ready: list[Node]) -> None:
        """Go on with each block that is ready, and with what becomes ready by that, without recursion."""
        stack = list(reversed(ready))
        while stack:
            node = stack.pop()
            settled = self._advance(_Doing(node))
            if settled:
                stack.extend(reversed(self._released(node)))

    def _released(self, node: Node) -> list[Node]:
        found = []
        for later in self.after.get(node.name, ()):
            self.before[later.name].discard(node.name)
            if not self.before[later.name]:
                found.append(later)
        return found

    def _hear(self) -> None:
        """Wait for a result, and keep an eye on the clock."""
        try:
            result = self.results.get(timeout=POLL)
        except queue.Empty:
            self.pool.end_overdue()
            self._look_after_waiting()
            self._look_elsewhere()
            return
        if isinstance(result, _Served):
            self._served(result)
        elif isinstance(result, Moved):
            self._moved(result)
        else:
            self._result(result)
            if self.sharing is not None:
                self.sharing.give_back(result.tag)
        self.pool.end_overdue()
        self._look_elsewhere()

    def _moved(self, moved: Moved) -> None:
        if moved.tag[0] in self.doing:
            self._tell(Moving(self.doing[moved.tag[0]].node.title, moved.way, moved.done, moved.of))

    def _finish(self, doing: _Doing) -> None:
        self.doing.pop(doing.node.name, None)
        self._settle_all(self._released(doing.node))

    # --- one block --------------------------------------------------------------------------------------------

    def _advance(self, doing: _Doing) -> bool:
        """Do what comes next for a block. True once it is settled."""
        node = doing.node
        while True:
            if self.only not in ("", node.name):
                self.outlooks |= planning.as_it_is(node, self.state)
                return True
            action = planning.decide(node, self.program, self.outlooks, self.state)
            if self.assists and not (isinstance(action, Make) and (node.search or node.each)):
                return self._left_to_others(doing)
            match action:
                case Make():
                    if doing.made:
                        raise AssertionError(f"{node.name} was made and is not there")
                    return self._make(doing, action)
                case Judge():
                    self._judge(doing, action)
                    return False
                case Accept():
                    self._accept(doing, action)
                    self._settled(doing, "made" if doing.made else "accepted", action)
                    return True
                case Serve():
                    self._serve(doing, action)
                    return False
                case _:
                    return self._stays(doing, action)

    def _left_to_others(self, doing: _Doing) -> bool:
        """What there was to assist with is done; the job that makes the whole goes on."""
        node = doing.node
        self.outlooks |= planning.as_it_is(node, self.state)
        self._settled(doing, "reused", Reuse(names=node.names, kind=node.kind))
        self.doing.pop(node.name, None)
        return True

    def _stays(self, doing: _Doing, action: Any) -> bool:
        node = doing.node
        self.outlooks |= planning.after(action, node, self.state)
        match action:
            case Refuse():
                self.refusals.append(node.title)
                self._settled(doing, "refused", action)
            case Wait(trouble=True):
                self._failed(doing, action.reason[0], action.help, "", settle=False)
            case Wait():
                self._settled(doing, "waits", action)
            case _:
                self._came_out_the_same(doing)
                self._settled(doing, "made" if doing.made else "reused", action)
        return True

    def _came_out_the_same(self, doing: _Doing) -> None:
        """Made from other parts, and the bytes are as before: from now on it is known by the key of what made it."""
        names = self.state.names
        record = self.state.record(doing.key) if doing.made else None
        same = record is not None and all(
            name in names and names[name].digest == made.digest
            for name, made in zip(doing.node.names, record.outputs, strict=True)
        )
        if same:
            self.world.ledger.rekey(doing.node.names, doing.key)
            moved = {name: names[name].model_copy(update={"key": doing.key}) for name in doing.node.names}
            names.update(moved)  # type: ignore[attr-defined]

    def _settled(self, doing: _Doing, how: str, action: Any) -> None:
        self.counts[how] = self.counts.get(how, 0) + 1
        key = getattr(action, "key", "") or doing.key
        record = self.state.record(key) if key else None
        rows = tuple(made.rows for made in record.outputs) if record else ()
        notes = (*doing.notes, *((action.note,) if isinstance(action, Reuse) and action.note else ()))
        self._tell(Settled(
            doing.node.title, doing.node.kind, how, doing.seconds, rows, self._metrics(doing.node, record),
            getattr(action, "judged", ()), "; ".join(action.reason), notes,
            warned=self._warned(doing, record) if how != "reused" or doing.asked else (),
        ))  # fmt: skip

    def _metrics(self, node: Node, record: Record | None) -> dict[str, Any] | None:
        if record is None or node.kind != "model":
            return None
        with contextlib.suppress(AssertionError, KeyError):
            return self._answers(node, record).measured()
        return None

    def _warned(self, doing: _Doing, record: Record | None) -> tuple[Warned, ...]:
        if record is None or not doing.node.doubts:
            return ()
        with contextlib.suppress(AssertionError, KeyError):
            return self._answers(doing.node, record).warned()
        return ()

    def _answers(self, node: Node, record: Record) -> Answers:
        made = dict(zip(node.names, record.outputs, strict=True))
        return Answers(node, self.program, made, record, self.outlooks, self.state)

    # --- make -------------------------------------------------------------------------------------------------

    def _make(self, doing: _Doing, action: Make) -> bool:
        node = doing.node
        doing.key, doing.parts = action.key, action.parts
        if any(other.key == action.key and other.token is not None for other in self.doing.values()):
            self.waiting[node.name] = doing  # another block is made from the very same: what comes out is ours too
            return False
        doing.token = None if self.assists else self.world.ledger.lease(action.key, self.process)
        if doing.token is None and not self.assists:
            self.waiting[node.name] = doing
            self._tell(Waiting(node.title))
            return False
        self.doing[node.name] = doing
        order = self._order(node, action)
        if node.search is not None:
            doing.search = self._searching(node, node.search, order, action.parts)
            return self._search(doing)
        if node.each is not None:
            doing.parting = self._parting(node, order, action.parts)
            return self._part(doing)
        self._enqueue(doing, "make", order.model_dump(mode="json"))
        return False

    def _order(self, node: Node, action: Make) -> orders.Make:
        source = self.state.sources.get(node.name)
        return orders.Make(
            key=action.key, names=tuple(local(name) for name in node.names), kind=node.kind, recipe=node.recipe,
            arguments=_by_local_name(node.arguments, node), secrets=node.secrets,
            inputs=tuple(given for item in node.inputs if (given := self._given(item)) is not None),
            declared=node.declared, columns=_by_local_name(node.columns, node), predict=node.predict,
            needs=node.needs, expected=dict(source.files) if source else {}, root=str(self.world.root),
        )  # fmt: skip

    def _given(self, item: Input) -> orders.Given | None:
        """None for a `last` that was never accepted."""
        digest = self._last(item.name) if item.last else self._digest(item.name)
        if digest is None:
            return None
        columns = self.program.node_of()[item.name].columns.get(item.name)
        return orders.Given(alias=item.alias, name=item.name, kind=item.kind, digest=digest, columns=columns)

    def _last(self, name: str) -> str | None:
        """What was accepted when this apply began, whatever it has accepted since."""
        found = self.at_start.get(name)
        return found.digest if found and self.world.present(found.digest) else None

    def _digest(self, name: str) -> str:
        outlook = self.outlooks[name]
        assert isinstance(outlook, planning.Known)
        return outlook.digest

    def _enqueue(self, doing: _Doing, verb: str, order: dict[str, Any]) -> None:
        """`verb` begins with what is to be done; a trial has its number behind it."""
        node, what = doing.node, verb.partition(" ")[0]
        log = self._log(node, verb)
        message = {"do": what, "order": order, "log": str(log), "store": str(self.world.objects.root)}
        limit = None if what in (partings.DIVIDE, partings.JOIN) else node.needs.time
        task = Task((node.name, verb), message, limit, alone=what in ALONE and bool(node.needs.gpu))
        self.queue.append((task, min(node.needs.cpu or 1.0, float(self.workers))))

    def _log(self, node: Node, verb: str) -> Path:
        behind = {"make": "", "judge": ".judged"}.get(verb, f".{verb.replace(' ', '-')}")
        return self.world.log(self.run_id, node.name + behind)

    def _submit(self) -> None:
        """Hand out what is queued while there are free workers and cores."""
        left = []
        for task, cpu in self.queue:
            enough = cpu <= self.cpu_free or self.cpu_free == self.workers
            if self.pool.free() > 0 and enough and not self._is_ours(task, cpu):
                continue
            if self.pool.free() > 0 and enough and self._with_gpus(task):
                self.cpu_free -= cpu
                self.held[f"{task.tag}"] = cpu
                name, verb = task.tag
                if verb == "make":
                    self._note_log(name, task.message["log"])
                    self._tell(Started(self.doing[name].node.title, verb))
                self.pool.submit(task)
            else:
                left.append((task, cpu))
        self.queue = left

    def _is_ours(self, task: Task, cpu: float) -> bool:
        """False, and remembered, where another job makes the same trial or part."""
        key = self._key_of_share(task.tag)
        if self.sharing is None or not key or task.tag in self.sharing.ours:
            return True
        if self.sharing.take(task, key) and not self._is_made(self.doing[task.tag[0]], key):
            return True
        self.sharing.leave(task, cpu, key)
        return False

    def _is_made(self, doing: _Doing, key: str) -> bool:
        return self.state.record(key) is not None or self._found_out(doing, key)[0]

    def _found_out(self, doing: _Doing, key: str) -> tuple[bool, Any]:
        """A fact that another job may have found out just now."""
        self.world.ledger.look_for((), (doing.key,))
        return self.world.ledger.fact(key)

    def _key_of_share(self, tag: tuple[str, str]) -> str:
        doing, (what, _, number) = self.doing[tag[0]], tag[1].partition(" ")
        if what == searching.TRIAL and doing.search is not None:
            return doing.search.key(int(number))
        if what == partings.PART and doing.parting is not None:
            return doing.parting.of_each[int(number)][0].key
        return ""

    def _look_elsewhere(self) -> None:
        """What other jobs were making may be there now, or they are gone."""
        for task, cpu, key in self.sharing.to_look_at() if self.sharing is not None else ():
            assert self.sharing is not None
            doing, number = self.doing.get(task.tag[0]), int(task.tag[1].partition(" ")[2])
            if doing is None or self._take_from_others(doing, number, key):
                self.sharing.elsewhere.pop(task.tag, None)
            elif self.sharing.is_left(key):
                self.sharing.elsewhere.pop(task.tag, None)
                self.queue.append((task, cpu))

    def _take_from_others(self, doing: _Doing, number: int, key: str) -> bool:
        if doing.search is not None:
            known, score = self._found_out(doing, key)
            if known:
                self._tell(doing.search.heard_score(number, score))
                if self._search(doing):
                    self._finish(doing)
            return known
        record = self.state.record(key)
        if record is not None and doing.parting is not None:
            told = partings.from_others(doing.parting, number, record)
            for event in told.events:
                self._tell(event)
            self._after_part(doing, told, 0.0)
        return record is not None

    def _with_gpus(self, task: Task) -> bool:
        """Whether as many GPUs as the task needs were free; they are its own until it is done."""
        wanted = int(task.message["order"]["needs"].get("gpu") or 0) if task.alone else 0
        if wanted > len(self.gpus_free):
            return False
        self.gpus_held[f"{task.tag}"], self.gpus_free = self.gpus_free[:wanted], self.gpus_free[wanted:]
        if wanted:
            task.message["gpus"] = ",".join(self.gpus_held[f"{task.tag}"])
        return True

    def _note_log(self, name: str, path: str) -> None:
        with contextlib.suppress(ValueError):
            self.world.ledger.put_log(name, os.path.relpath(path, self.world.root))

    def _result(self, result: Result) -> None:
        name, _ = result.tag
        self.cpu_free += self.held.pop(f"{result.tag}", 1.0)
        self.gpus_free += self.gpus_held.pop(f"{result.tag}", ())
        if name not in self.doing:
            return  # given up, while this was under way
        doing = self.doing[name]
        doing.seconds += result.seconds
        answer = result.answer or {}
        if doing.search is not None and result.tag[1] not in ("make", "judge") and "damaged" not in answer:
            self._searched(doing, doing.search, result, answer)
        elif doing.parting is not None and result.tag[1] != "judge" and "damaged" not in answer:
            self._parted(doing, doing.parting, result, answer)
        elif "outcome" in answer:
            self._made(doing, orders.Outcome.model_validate(answer["outcome"]), result.seconds)
        elif "answers" in answer:
            self._answered(doing, answer["answers"], answer.get("about", doing.key))
        elif "damaged" in answer:
            self.world.forget(answer["damaged"])
            self.damaged = True
            self._give_up(doing)
        elif self._again(doing, result, answer):
            pass
        else:
            self._failed(doing, *_what_went_wrong(doing.node, result, answer))
            self._finish(doing)

    def _made(self, doing: _Doing, outcome: orders.Outcome, seconds: float) -> None:
        node = doing.node
        outputs = tuple(outcome.outputs[local(name)] for name in node.names)
        source = self.state.sources.get(node.name)
        if source is not None:
            about = {**outputs[0].about, "lines": dict(source.lines)}
            outputs = (outputs[0].model_copy(update={"about": about}), *outputs[1:])
        last = {item.name: self._last(item.name) for item in node.inputs if item.last}
        if last:
            outputs = (outputs[0].model_copy(update={"about": {**outputs[0].about, "last": last}}), *outputs[1:])
        if doing.search is not None:
            outputs = (doing.search.about(outputs[0]), *outputs[1:])
            doing.seconds = seconds = doing.search.seconds()
            doing.notes = (*doing.notes, doing.search.note())
        if doing.parting is not None:
            doing.seconds = seconds = doing.parting.seconds()
            doing.notes = (*doing.notes, doing.parting.note())
        record = Record(key=doing.key, parts=doing.parts, outputs=outputs, metrics=outcome.metrics, notes=outcome.notes,
                        seconds=round(seconds, 3), at=time.time())  # fmt: skip
        self.state.record.forget(doing.key)  # type: ignore[attr-defined]
        if not self.world.ledger.put_record(record, doing.token):
            doing.token = None  # taken over while this machine slept: what the other one makes is ours too
            self.waiting[node.name] = self.doing.pop(node.name)
            return
        self._unlease(doing)
        doing.made, doing.notes = True, (*doing.notes, *outcome.notes)
        if self._advance(doing):
            self._finish(doing)

    def _again(self, doing: _Doing, result: Result, answer: dict[str, Any]) -> bool:
        """Whether a step that went wrong is tried again: `needs retries`."""
        if doing.tries >= doing.node.needs.retries or result.tag[1] != "make":
            return False
        doing.tries += 1
        doing.notes = (f"tried again: {_what_went_wrong(doing.node, result, answer)[0]}",)
        action = planning.decide(doing.node, self.program, self.outlooks, self.state)
        order = self._order(doing.node, action)
        if doing.search is not None:
            order = doing.search.winning(order)
        self._enqueue(doing, "make", order.model_dump(mode="json"))
        return True

    def _unlease(self, doing: _Doing) -> None:
        if doing.token is not None:
            self.world.ledger.release(doing.key, doing.token)
            doing.token = None
            self._look_after_waiting()

    def _look_after_waiting(self) -> None:
        """What another process was making may be there now, or that process gone."""
        for name, doing in list(self.waiting.items()):
            if self.world.ledger.is_leased(doing.key):
                continue
            del self.waiting[name]
            self.state.record.forget(doing.key)  # type: ignore[attr-defined]
            if self._advance(doing):
                self._finish(doing)

    # --- search -----------------------------------------------------------------------------------------------

    def _searching(self, node: Node, search: Search, order: orders.Make, parts: dict[str, str]) -> Searching:
        self._tell(Started(node.title, "search"))
        on = self._digest(search.on) if search.on else ""
        return Searching(node, search, parts, order, self.world.ledger.fact, on)

    def _search(self, doing: _Doing) -> bool:
        """Hand out what is to be tried, or at the end made. True where that is left to others, and so is settled."""
        assert doing.search is not None
        for verb, order in doing.search.next():
            if self.assists and verb == searching.MAKE:
                return self._left_to_others(doing)
            self._enqueue(doing, verb, order.model_dump(mode="json"))
        return False

    def _searched(self, doing: _Doing, search: Searching, result: Result, answer: dict[str, Any]) -> None:
        told = searching.heard(search, result.tag[1], answer, _what_went_wrong(doing.node, result, answer))
        self.world.ledger.put_facts(told.facts, doing.key)
        log = self._log(doing.node, result.tag[1])
        for event in told.events:
            self._tell(event)
            if event.failure:
                self._note_log(doing.node.name, str(log))
        searching.sweep(log)
        if told.failure is not None:
            self._failed(doing, *told.failure)
            self._finish(doing)
        elif told.again is not None:
            self._enqueue(doing, told.again[0], told.again[1].model_dump(mode="json"))
        elif self._search(doing):
            self._finish(doing)

    # --- part by part -----------------------------------------------------------------------------------------

    def _parting(self, node: Node, order: orders.Make, parts: Mapping[str, str]) -> Parting:
        self._tell(Started(node.title, "parts"))
        digests = {given.name: given.digest for given in order.inputs}
        accepted = self.state.names.get(node.name)
        before = self.state.record(accepted.key) if accepted else None
        return Parting(node, order, parts, digests, before.parts if before else {}, self.state)

    def _part(self, doing: _Doing) -> bool:
        """Hand out what is to be made, or at the end put together. True where it has failed, and so is settled."""
        assert doing.parting is not None
        try:
            for verb, order in doing.parting.next():
                if self.assists and verb == partings.JOIN:
                    return self._left_to_others(doing)
                self._enqueue(doing, verb, order.model_dump(mode="json"))
        except Trouble as trouble:
            self._failed(doing, str(trouble), trouble.help, trouble.detail)
            self.doing.pop(doing.node.name, None)
            return True
        return False

    def _parted(self, doing: _Doing, parting: Parting, result: Result, answer: dict[str, Any]) -> None:
        failure = _what_went_wrong(doing.node, result, answer)
        told = partings.heard(parting, result.tag[1], answer, result.seconds, failure)
        if told.facts:
            self.world.ledger.put_facts(told.facts, next(iter(parting.digests.values()), doing.key))
        if told.record is not None:
            self.world.ledger.put_record(told.record)
            self.state.record.forget(told.record.key)  # type: ignore[attr-defined]
        log = self._log(doing.node, result.tag[1])
        searching.sweep(log)
        if any(event.failure for event in told.events) or (log.exists() and not parting.failed):
            self._note_log(doing.node.name, str(log))
        for event in told.events:
            self._tell(event)
        self._after_part(doing, told, result.seconds)

    def _after_part(self, doing: _Doing, told: partings.Heard, seconds: float) -> None:
        if told.failure is not None:
            self._failed(doing, *told.failure)
            self._finish(doing)
        elif told.whole is not None:
            self._made(doing, told.whole, seconds)
        elif told.again is not None:
            self._enqueue(doing, told.again[0], told.again[1].model_dump(mode="json"))
        elif self._part(doing):
            self._finish(doing)

    # --- judge and accept -------------------------------------------------------------------------------------

    def _judge(self, doing: _Doing, action: Judge) -> None:
        node, doing.asked, doing.key = doing.node, True, action.key
        self.doing[node.name] = doing
        groups: dict[tuple[str, str], list[Any]] = {}
        for question in action.questions:
            groups.setdefault((question.name, question.digest), []).append(question)
        doing.left = len(groups)
        self._tell(Started(node.title, "judge"))
        for (name, digest), questions in groups.items():
            self._enqueue(doing, "judge", self._judge_order(node, name, digest, questions).model_dump(mode="json"))

    def _judge_order(self, node: Node, name: str, digest: str, questions: Iterable[Any]) -> orders.Judge:
        about = self.program.node_of()[name]
        asked = tuple(orders.Question.model_validate(q.model_dump(exclude={"name", "digest"})) for q in questions)
        return orders.Judge(name=node.title, digest=digest, kind=about.kind, predict=about.predict, questions=asked,
                            needs=node.needs, root=str(self.world.root))  # fmt: skip

    def _answered(self, doing: _Doing, answers: dict[str, Any], about: str) -> None:
        self.world.ledger.put_facts(answers, about)
        doing.left -= 1
        if doing.left == 0 and self._advance(doing):
            self._finish(doing)

    def _accept(self, doing: _Doing, action: Accept) -> None:
        node, now = doing.node, time.time()
        moved = [
            accepted(name, node.kind, digest, action.key, now, self.state.names.get(name))
            for name, digest in zip(node.names, action.digests, strict=True)
        ]
        self.world.ledger.accept(moved)
        self.state.names.update({one.name: one for one in moved})  # type: ignore[attr-defined]
        self.outlooks |= planning.after(action, node, self.state)

    def _retire(self) -> None:
        made = {name for node in self.program.nodes for name in node.names}
        for name, one in list(self.state.names.items()):
            if name not in made:
                if one.kind == "service":
                    stop_service(self.world, name)
                self.world.ledger.retire(name)
                self.counts["retired"] = self.counts.get("retired", 0) + 1
                self._tell(Settled(name, one.kind, "retired"))

    # --- serve ------------------------------------------------------------------------------------------------

    def _serve(self, doing: _Doing, action: Serve) -> None:
        node = doing.node
        self.doing[node.name] = doing
        self._tell(Started(node.title, "serve"))
        world, handed = self.world, self._handed(node, action)

        def work() -> None:
            began = time.monotonic()
            try:
                outcome: Any = roll_out(node, action, world.root, world.objects, world.service(node.name), handed)
            except Trouble as trouble:
                outcome = trouble
            except Exception as error:  # told as any failure; a thread must answer
                outcome = Trouble(f"start {node.name}", f"{type(error).__name__}: {error}")
            self.results.put(_Served(node.name, action, outcome, time.monotonic() - began))

        threading.Thread(target=work, daemon=True).start()

    def _handed(self, node: Node, action: Serve) -> Handed:
        given = tuple(one for item in node.inputs if (one := self._given(item)) is not None)
        models = [self.program.node_of()[item.name] for item in node.inputs if item.kind == "model"]
        data = [item.name for model in models[:1] for item in model.inputs if item.kind == "data"]
        outlook = self.outlooks.get(data[0]) if data else None
        before = self.state.record(action.release)
        kept = before.outputs[0] if before and before.outputs else None
        return Handed(given, outlook.digest if isinstance(outlook, planning.Known) else "", kept)

    def _served(self, served: _Served) -> None:
        doing = self.doing[served.name]
        node, action = doing.node, served.action
        doing.seconds += served.seconds
        if isinstance(served.outcome, Trouble):
            trouble = served.outcome
            self._failed(doing, str(trouble), trouble.help, trouble.detail)
            self._finish(doing)
            return
        self.world.ledger.put_facts(served.outcome.facts, action.release)
        verdict = served.outcome.judged
        if served.outcome.address:
            about = served.outcome.kept.about | afar.whereabouts(served.outcome.address)
            kept = served.outcome.kept.model_copy(update={"about": about})
            record = Record(
                key=action.release, parts=action.parts, outputs=(kept,), at=time.time(), seconds=served.seconds
            )
            self.world.ledger.put_record(record)
            one = accepted(
                node.name, node.kind, action.release, action.release, time.time(), self.state.names.get(node.name)
            )
            self.world.ledger.accept([one])
            self.state.names[node.name] = one  # type: ignore[index]
            self._look_at_log_of(node.name)
            how = "served"
        else:
            self.refusals.append(node.title)
            how = "refused"
        now = self.state.names.get(node.name)  # where the new release was refused, the one of before answers on
        self.outlooks[node.name] = planning.Known(now.digest) if now else Absent(f"{node.name} was not accepted")
        self.counts[how] = self.counts.get(how, 0) + 1
        self._tell(
            Settled(
                node.title,
                node.kind,
                how,
                doing.seconds,
                judged=verdict,
                reason="; ".join(action.reason),
                address=served.outcome.address,
            )
        )
        self._finish(doing)

    def _look_at_log_of(self, service: str) -> None:
        """Of a service that answers for the first time nothing was known when this apply began."""
        from .saw import seen_files

        waiting = [node for node in self.program.nodes if node.recipe.word == "seen" and node.inputs[0].name == service]
        new = {node.name for node in waiting if self.state.sources.get(node.name) == SourceFiles()}
        if new:
            found = seen_files(self.program, self.world.disk)
            self.state.sources.update({name: found[name] for name in new})  # type: ignore[attr-defined]

    # --- what goes wrong --------------------------------------------------------------------------------------

    def _failed(self, doing: _Doing, message: str, help_: str, detail: str, *, settle: bool = True) -> None:
        node = doing.node
        self._unlease(doing)
        self.failures.append(node.title)
        self.counts["failed"] = self.counts.get("failed", 0) + 1
        log = self.world.ledger.log(node.name) or ""
        self._tell(Failed(node.title, message, help_, detail, log if settle and node.kind != "service" else ""))
        for name in node.names:
            known = self.state.names.get(name)
            self.outlooks[name] = Absent(f"{name} failed") if known is None or settle else planning.Known(known.digest)
            if known is not None:
                self.outlooks[name] = planning.Known(known.digest)

    def _give_up(self, doing: _Doing) -> None:
        """An object was damaged: leave the block, the next round makes what is missing."""
        self._unlease(doing)
        for name in doing.node.names:
            self.outlooks[name] = Absent("what it is made from was damaged")
        self._finish(doing)

    def _tell(self, event: Event) -> None:
        if not self.damaged:
            self.watch(event)


@dataclass(frozen=True, slots=True)
class _Served:
    name: str
    action: Serve
    outcome: Any
    seconds: float


def _needs(node: Node) -> set[str]:
    return {item.name for item in node.inputs if not item.last} | set(node.reads)


def local(name: str) -> str:
    """A name as its own file calls it: that is how its recipe knows it."""
    return name.rpartition(".")[2]


def _by_local_name(values: Mapping[str, Any], node: Node) -> dict[str, Any]:
    return {local(name) if name in node.names else name: value for name, value in values.items()}


def _what_went_wrong(node: Node, result: Result, answer: dict[str, Any]) -> tuple[str, str, str]:
    """(message, help, detail) for a step that gave no outcome."""
    if "trouble" in answer:
        action, cause, help_, detail = answer["trouble"]
        return f"could not {action}: {cause}", help_, detail
    if result.cause == "time":
        limit = _duration(node.needs.time or 0)
        return (
            f"could not make {node.title}: it took longer than its time = {limit}, and was ended",
            "raise needs time, or do less",
            "",
        )
    help_ = "if memory ran out, say needs memory = … so that it is told apart, or read less"
    return f"could not make {node.title}: its process was killed", help_, ""


def _duration(seconds: float) -> str:
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds * 1000:g}ms" if seconds < 1 else f"{seconds:g}s"


def _preload(program: Program) -> list[str]:
    """The modules that steps of this program import, to import them once."""
    words = {node.recipe.word for node in program.nodes}
    wanted = ["pyarrow.parquet", "pyarrow.compute"]
    if words & {"sql", "split"} or any(node.expects and node.kind == "data" for node in program.nodes):
        wanted.append("duckdb")
    if words & {"python", "predict"}:
        wanted.append("pandas")
    codes = [node.recipe.code for node in program.nodes if node.kind == "model"]
    wanted += ["sklearn.metrics"] if codes else []
    if any(code is not None and (code.is_class or not code.files) for code in codes):
        wanted.append("skrub")  # the encoder before a class with fit and predict
    return wanted
