"""A plan -> the world made so, on this machine: makes, judges, accepts and serves, as much at once as there are workers.

For each block, once everything before it is settled, the planner's `decide` is asked for the next action until there
is nothing left to do. So a crash, a second apply or a step that came out as before need no logic of their own.
"""

from __future__ import annotations

import contextlib
import os
import queue
import time
from pathlib import Path
from typing import Any

from ...compiler import plan as planning
from ...compiler.actions import Accept, Judge, Make, Plan, Refuse, Reuse, Serve, Wait, Warned
from ...compiler.answers import Answers
from ...compiler.outlook import Absent, Known, Outlook
from ...compiler.program import Node, Program
from ...compiler.state import Made, Record
from .. import order as orders
from ..events import Event, Failed, Moving, Settled, Started, Summary, Waiting, Watch
from ..store.ledger import this_process
from . import parting as partings
from .dividing import Dividing
from .doing import Doing
from .gpus import gpus
from .live import Live
from .locking import locked_sources, pin
from .ordering import Ordering, local
from .pool import Moved, Pool, Result, Task
from .preload import preload
from .queueing import Queue
from .releasing import Releasing, Served
from .rollout import stop_service
from .sharing import Share
from .world import World
from .wrong import what_went_wrong

ALONE = ("make", "part", "trial")  # what is done with the GPUs that a block needs, by a worker of its own
POLL = 0.2  # seconds between looks at the clock and at what other processes make


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
            live = Live(program, world, locked_sources(program, world) if locked else None)
            engine = _Engine(program, world, live, watch, run, workers or os.cpu_count() or 2, only, share)
            try:
                engine.run(retire=retire)
            finally:
                engine.pool.close()
            if not engine.damaged:
                break
        if not locked:
            pin(program, world, live.state.sources)
        summary = Summary(engine.counts, time.monotonic() - began, tuple(engine.failures), tuple(engine.refusals))
        counts = summary.counts
        status = "failed" if summary.failures else "refused" if summary.refusals else "done"
        return summary
    finally:
        world.ledger.end_run(run, status, counts)


class _Engine:
    def __init__(
        self,
        program: Program,
        world: World,
        live: Live,
        watch: Watch,
        run: int,
        workers: int,
        only: str,
        share: Share,
    ) -> None:
        self.only = program.node_of()[only].name if only else ""
        self.program, self.world, self.watch, self.run_id = program, world, watch, run
        self.results: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.pool = Pool(workers, preload(program), self.results)
        self.live, self.state = live, live.state
        self.process = this_process()
        self.assists = share == "assist"
        self.outlooks: dict[str, Outlook] = {}
        self.order = Ordering(program, world, self.state, self.outlooks)
        self.dividing = Dividing(self, shares=bool(share))
        self.releasing = Releasing(self)
        self.doing: dict[str, Doing] = {}
        self.waiting: dict[str, Doing] = {}  # for another process
        self.queue = Queue(workers, gpus())
        self.counts: dict[str, int] = {}
        self.failures: list[str] = []
        self.refusals: list[str] = []
        self.damaged = False

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
            settled = self._advance(Doing(node))
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
            self.dividing.look_elsewhere()
            return
        if isinstance(result, Served):
            self.releasing.heard(result)
        elif isinstance(result, Moved):
            self._moved(result)
        else:
            self._result(result)
            self.dividing.done(result.tag)
        self.pool.end_overdue()
        self.dividing.look_elsewhere()

    def _moved(self, moved: Moved) -> None:
        if moved.tag[0] in self.doing:
            self.tell(Moving(self.doing[moved.tag[0]].node.title, moved.way, moved.done, moved.of))

    def finish(self, doing: Doing) -> None:
        self.doing.pop(doing.node.name, None)
        self._settle_all(self._released(doing.node))

    # --- one block --------------------------------------------------------------------------------------------

    def _advance(self, doing: Doing) -> bool:
        """Do what comes next for a block. True once it is settled."""
        node = doing.node
        while True:
            if self.only not in ("", node.name):
                self.outlooks |= planning.as_it_is(node, self.state)
                return True
            action = planning.decide(node, self.program, self.outlooks, self.state)
            if self.assists and not (isinstance(action, Make) and (node.search or node.each)):
                return self.left_to_others(doing)
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
                    self.releasing.begin(doing, action)
                    return False
                case _:
                    return self._stays(doing, action)

    def left_to_others(self, doing: Doing) -> bool:
        """What there was to assist with is done; the job that makes the whole goes on."""
        node = doing.node
        self.outlooks |= planning.as_it_is(node, self.state)
        self._settled(doing, "reused", Reuse(names=node.names, kind=node.kind))
        self.doing.pop(node.name, None)
        return True

    def _stays(self, doing: Doing, action: Any) -> bool:
        node = doing.node
        self.outlooks |= planning.after(action, node, self.state)
        match action:
            case Refuse():
                self.refusals.append(node.title)
                self._settled(doing, "refused", action)
            case Wait(trouble=True):
                self.failed(doing, action.reason[0], action.help, "", settle=False)
            case Wait():
                self._settled(doing, "waits", action)
            case _:
                self._came_out_the_same(doing)
                self._settled(doing, "made" if doing.made else "reused", action)
        return True

    def _came_out_the_same(self, doing: Doing) -> None:
        """Made from other parts, and the bytes are as before: then no name moves."""
        names = self.state.names
        record = self.state.record(doing.key) if doing.made else None
        same = record is not None and all(
            name in names and names[name].digest == made.digest
            for name, made in zip(doing.node.names, record.outputs, strict=True)
        )
        if same:
            self.live.rekey(doing.node, doing.key)

    def _settled(self, doing: Doing, how: str, action: Any) -> None:
        self.counts[how] = self.counts.get(how, 0) + 1
        key = getattr(action, "key", "") or doing.key
        record = self.state.record(key) if key else None
        rows = tuple(made.rows for made in record.outputs) if record else ()
        notes = (*doing.notes, *((action.note,) if isinstance(action, Reuse) and action.note else ()))
        self.tell(Settled(
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

    def _warned(self, doing: Doing, record: Record | None) -> tuple[Warned, ...]:
        if record is None or not doing.node.doubts:
            return ()
        with contextlib.suppress(AssertionError, KeyError):
            return self._answers(doing.node, record).warned()
        return ()

    def _answers(self, node: Node, record: Record) -> Answers:
        made = dict(zip(node.names, record.outputs, strict=True))
        return Answers(node, self.program, made, record, self.outlooks, self.state)

    # --- make -------------------------------------------------------------------------------------------------

    def _make(self, doing: Doing, action: Make) -> bool:
        node = doing.node
        doing.key, doing.parts = action.key, action.parts
        if any(other.key == action.key and other.token is not None for other in self.doing.values()):
            self.waiting[node.name] = doing  # another block is made from the very same: what comes out is ours too
            return False
        doing.token = None if self.assists else self.world.ledger.lease(action.key, self.process)
        if doing.token is None and not self.assists:
            self.waiting[node.name] = doing
            self.tell(Waiting(node.title))
            return False
        self.doing[node.name] = doing
        order = self.order.make(node, action)
        settled = self.dividing.begin(doing, order, action.parts)
        if settled is None:
            self.enqueue(doing, "make", order.model_dump(mode="json"))
        return bool(settled)

    def enqueue(self, doing: Doing, verb: str, order: dict[str, Any]) -> None:
        """`verb` begins with what is to be done; a trial has its number behind it."""
        node, what = doing.node, verb.partition(" ")[0]
        log = self.log(node, verb)
        message = {"do": what, "order": order, "log": str(log), "store": str(self.world.objects.root)}
        limit = None if what in (partings.DIVIDE, partings.JOIN) else node.needs.time
        task = Task((node.name, verb), message, limit, alone=what in ALONE and bool(node.needs.gpu))
        self.queue.put(task, node.needs.cpu or 1.0)

    def log(self, node: Node, verb: str) -> Path:
        behind = {"make": "", "judge": ".judged"}.get(verb, f".{verb.replace(' ', '-')}")
        return self.world.log(self.run_id, node.name + behind)

    def _submit(self) -> None:
        """Hand out what is queued, as far as workers, cores and GPUs are free."""
        for task in self.queue.ready(self.pool.free, self.dividing.is_ours):
            name, verb = task.tag
            if verb == "make":
                self.note_log(name, task.message["log"])
                self.tell(Started(self.doing[name].node.title, verb))
            self.pool.submit(task)

    def note_log(self, name: str, path: str) -> None:
        with contextlib.suppress(ValueError):
            self.world.ledger.put_log(name, os.path.relpath(path, self.world.root))

    def _result(self, result: Result) -> None:
        name, _ = result.tag
        self.queue.done(result.tag)
        if name not in self.doing:
            return  # given up, while this was under way
        doing = self.doing[name]
        doing.seconds += result.seconds
        answer = result.answer or {}
        if "damaged" not in answer and self.dividing.heard(doing, result, answer):
            return
        if "outcome" in answer:
            self.made(doing, orders.Outcome.model_validate(answer["outcome"]), result.seconds)
        elif "answers" in answer:
            self._answered(doing, answer["answers"], answer.get("about", doing.key))
        elif "damaged" in answer:
            self.world.forget(answer["damaged"])
            self.damaged = True
            self._give_up(doing)
        elif self._again(doing, result, answer):
            pass
        else:
            self.failed(doing, *what_went_wrong(doing.node, result, answer))
            self.finish(doing)

    def made(self, doing: Doing, outcome: orders.Outcome, seconds: float) -> None:
        at_work = doing.search or doing.parting
        if at_work is not None:
            doing.seconds = seconds = at_work.seconds()
            doing.notes = (*doing.notes, at_work.note())
        record = Record(key=doing.key, parts=doing.parts, outputs=self._outputs(doing, outcome), metrics=outcome.metrics,
                        notes=outcome.notes, seconds=round(seconds, 3), at=time.time())  # fmt: skip
        if not self.live.keep(record, doing.token):
            doing.token = None  # taken over while this machine slept: what the other one makes is ours too
            self.waiting[doing.node.name] = self.doing.pop(doing.node.name)
            return
        self._unlease(doing)
        doing.made, doing.notes = True, (*doing.notes, *outcome.notes)
        if self._advance(doing):
            self.finish(doing)

    def _outputs(self, doing: Doing, outcome: orders.Outcome) -> tuple[Made, ...]:
        """With what only the engine knows about the first: the lines of a source, the inputs of before, the trials."""
        node = doing.node
        first, *others = (outcome.outputs[local(name)] for name in node.names)
        known: dict[str, Any] = {}
        if node.name in self.state.sources:
            known["lines"] = dict(self.state.sources[node.name].lines)
        last = {item.name: self.order.last(item.name) for item in node.inputs if item.last}
        if last:
            known["last"] = last
        first = first.model_copy(update={"about": first.about | known})
        return (doing.search.about(first) if doing.search else first, *others)

    def _again(self, doing: Doing, result: Result, answer: dict[str, Any]) -> bool:
        """Whether a step that went wrong is tried again: `needs retries`."""
        if doing.tries >= doing.node.needs.retries or result.tag[1] != "make":
            return False
        doing.tries += 1
        doing.notes = (f"tried again: {what_went_wrong(doing.node, result, answer)[0]}",)
        action = planning.decide(doing.node, self.program, self.outlooks, self.state)
        order = self.order.make(doing.node, action)
        if doing.search is not None:
            order = doing.search.winning(order)
        self.enqueue(doing, "make", order.model_dump(mode="json"))
        return True

    def _unlease(self, doing: Doing) -> None:
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
            self.live.forget(doing.key)
            if self._advance(doing):
                self.finish(doing)

    # --- judge and accept -------------------------------------------------------------------------------------

    def _judge(self, doing: Doing, action: Judge) -> None:
        node, doing.asked, doing.key = doing.node, True, action.key
        self.doing[node.name] = doing
        groups: dict[tuple[str, str], list[Any]] = {}
        for question in action.questions:
            groups.setdefault((question.name, question.digest), []).append(question)
        doing.left = len(groups)
        self.tell(Started(node.title, "judge"))
        for (name, digest), questions in groups.items():
            self.enqueue(doing, "judge", self.order.judge(node, name, digest, questions).model_dump(mode="json"))

    def _answered(self, doing: Doing, answers: dict[str, Any], about: str) -> None:
        self.world.ledger.put_facts(answers, about)
        doing.left -= 1
        if doing.left == 0 and self._advance(doing):
            self.finish(doing)

    def _accept(self, doing: Doing, action: Accept) -> None:
        self.live.accept(doing.node, action.key, action.digests)
        self.outlooks |= planning.after(action, doing.node, self.state)

    def _retire(self) -> None:
        made = {name for node in self.program.nodes for name in node.names}
        for name, one in list(self.state.names.items()):
            if name not in made:
                if one.kind == "service":
                    stop_service(self.world, name)
                self.world.ledger.retire(name)
                self.counts["retired"] = self.counts.get("retired", 0) + 1
                self.tell(Settled(name, one.kind, "retired"))

    # --- what goes wrong --------------------------------------------------------------------------------------

    def failed(self, doing: Doing, message: str, help_: str, detail: str, *, settle: bool = True) -> None:
        node = doing.node
        self._unlease(doing)
        self.failures.append(node.title)
        self.counts["failed"] = self.counts.get("failed", 0) + 1
        log = self.world.ledger.log(node.name) or ""
        self.tell(Failed(node.title, message, help_, detail, log if settle and node.kind != "service" else ""))
        for name in node.names:
            known = self.state.names.get(name)
            self.outlooks[name] = Known(known.digest) if known else Absent(f"{name} failed")

    def _give_up(self, doing: Doing) -> None:
        """An object was damaged: leave the block, the next round makes what is missing."""
        self._unlease(doing)
        for name in doing.node.names:
            self.outlooks[name] = Absent("what it is made from was damaged")
        self.finish(doing)

    def tell(self, event: Event) -> None:
        if not self.damaged:
            self.watch(event)


def _needs(node: Node) -> set[str]:
    return {item.name for item in node.inputs if not item.last} | set(node.reads)
