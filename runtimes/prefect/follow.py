"""What a run of the flow comes to, told as an apply on this machine tells it: from the tasks' states and the store."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ...compiler import plan as planning
from ...compiler.actions import Plan, Refuse, Retire, Reuse
from ...compiler.answers import Answers
from ...compiler.outlook import Outlook
from ...compiler.program import Node, Program
from ...compiler.state import State
from ..events import Failed, Said, Settled, Started, Summary, Waiting, Watch
from .wiring import PULL, WAITS

if TYPE_CHECKING:
    from ..local.session import Session

WORDS = ("made", "accepted", "reused", "served", "refused", "waits", "retired")
INFO, ERROR = 20, 40
LINE = 500  # characters of a line that a step printed; on the server it is whole
TAKEN = re.compile(r"Worker '(.+?)' submitting flow run")  # the one place where Prefect says who has a run
ENDED = {"CRASHED": "crashed", "CANCELLED": "been cancelled"}


class Following:
    """Hears of tasks in any order and tells of each once."""

    def __init__(self, session: Session, program: Program, watch: Watch) -> None:
        self.run, self.complaint, self.worker = "", "", ""
        self.known = False  # whether the complaint is the cause itself
        self.session, self.program, self.watch = session, program, watch
        self.node_of = {node.title: node for node in program.nodes}
        self.started: set[str] = set()
        self.settled: dict[str, str] = {}
        self.titles: dict[Any, str] = {}
        self.outlooks: dict[str, Outlook] = {}
        self.tries: dict[str, int] = {}
        self.failures: list[str] = []
        self.refusals: list[str] = []
        self.sources = dict(session.state(program).sources)

    def saw(self, task: Any) -> None:
        title, state = task.name.rpartition("-")[0], task.state  # Prefect numbers the runs of a task
        node = self.node_of.get(title)
        self.titles[task.id] = title
        if node is None or state is None or title in self.settled:
            return
        if state.is_running() and title not in self.started:
            self.started.add(title)
            self.watch(Started(title, "make"))
        if state.name == "AwaitingRetry" and task.run_count > self.tries.get(title, 0):
            self.tries[title] = task.run_count
            self.watch(Said(title, "went wrong, and is tried again"))
        if state.is_final():
            self._settle(node, state, task.total_run_time.total_seconds())

    def heard(self, log: Any) -> None:
        title = self.titles.get(log.task_run_id, "")
        taken = TAKEN.match(log.message)
        self.worker = taken[1] if taken else self.worker
        if log.level >= ERROR and not title and not self.known:
            self.known = log.name == PULL  # what Prefect says of it after that tells less
            self.complaint = complaint(log.message)
        if (
            INFO <= log.level < ERROR
            and title in self.node_of
            and not log.message.startswith(("Finished in state", "Task run "))
        ):
            self.watch(Waiting(title) if log.message == WAITS else Said(title, shortened(log.message)))

    def is_at_work(self) -> bool:
        """Whether somebody makes something in the store: a job may go on where its worker does not. That of another
        apply may be taken for ours, and then what is left is told of later."""
        ledger = self.session.world.ledger
        return any(ledger.is_leased(key) for key in ledger.leased())

    def ended(self, state: Any, tasks: Iterable[Any]) -> None:
        for task in tasks:
            self.saw(task)
        left = [node for node in self.program.nodes if node.title not in self.settled]
        if left and not state.is_completed():
            why = self.complaint or _first_line(state.message)
            self.stood_still(f"it has {ENDED.get(state.type.name, 'failed')}: {why}".rstrip(": "))

    def stood_still(self, why: str) -> None:
        """The run comes to nothing more: that is told once, at the first block that is left."""
        left = [node for node in self.program.nodes if node.title not in self.settled]
        for node in left[:1]:
            self._failed(node, f"the run {self.run} came to no end: {why}", "apply again: what was finished stays")
        for node in left[1:]:
            self.settled[node.title] = "waits"

    def unchanged(self, plan: Plan) -> None:
        """There is no run: that is all that can be said of what stays."""
        self.settled |= {", ".join(one.names): "reused" for one in plan.actions if isinstance(one, Reuse)}

    def retired(self, action: Retire) -> None:
        title = ", ".join(action.names)
        self.settled[title] = "retired"
        self.watch(Settled(title, action.kind, "retired"))

    def not_retired(self, action: Retire, why: str) -> None:
        title = ", ".join(action.names)
        self.settled[title] = "failed"
        self.failures.append(title)
        self.watch(Failed(title, f"could not stop {title}", "apply again when it can be", why, ""))

    def summary(self, seconds: float) -> Summary:
        counts: dict[str, int] = {}
        for how in self.settled.values():
            counts[how] = counts.get(how, 0) + 1
        return Summary(counts, seconds, tuple(self.failures), tuple(self.refusals))

    # --- one block ------------------------------------------------------------------------------------------------

    def _settle(self, node: Node, state: Any, seconds: float) -> None:
        how = state.name.lower()
        if how not in WORDS:
            message, _, rest = (state.message or f"its task is {how}").partition("\n")
            *before, last = ("\n" + rest).rsplit("\nhelp: ", 1)
            self._failed(node, message, last if before else "", "".join(before or [last]).strip("\n"))
            return
        self.settled[node.title] = how
        if how == "refused":
            self.refusals.append(node.title)
        self.watch(self._event(node, how, seconds, state.message or ""))

    def _failed(self, node: Node, message: str, help_: str, detail: str = "") -> None:
        self.settled[node.title] = "failed"
        self.failures.append(node.title)
        self.watch(Failed(node.title, message, help_, detail, ""))

    def _event(self, node: Node, how: str, seconds: float, message: str) -> Settled:
        """With what the store now says of it."""
        message, *notes = message.split("\n")
        from ..local.live import state_of

        state = state_of(self.program, self.session.world, self.sources)
        with contextlib.suppress(KeyError, AssertionError):
            action = planning.decide(node, self.program, self._outlooks(node, state), state)
            key = getattr(action, "key", "") or (state.names[node.name].key if node.name in state.names else "")
            record = state.record(key) if key else None
            rows = tuple(made.rows for made in record.outputs) if record else ()
            judged = action.judged if isinstance(action, Refuse) else ()
            address = message if node.kind == "service" else ""
            metrics = None
            if record is not None and node.kind == "model":
                made = dict(zip(node.names, record.outputs, strict=True))
                metrics = Answers(node, self.program, made, record, self._outlooks(node, state), state).measured()
            return Settled(node.title, node.kind, how, seconds, rows, metrics, judged,
                           message if how == "waits" else "", tuple(notes), address=address)  # fmt: skip
        return Settled(node.title, node.kind, how, seconds, reason=message)

    def _outlooks(self, node: Node, state: State) -> dict[str, Outlook]:
        found: dict[str, Outlook] = {}
        for before in self.program.upstream(node.name):
            if before.name != node.name:
                found |= planning.as_it_is(before, state)
        return found


def shortened(text: str) -> str:
    return "\n".join(line if len(line) <= LINE else f"{line[: LINE - 1]}…" for line in text.split("\n"))


def complaint(message: str) -> str:
    """Where it ends in a traceback, what was raised."""
    _, frames, last = message.rpartition('\n  File "')
    raised = [line for line in last.split("\n")[1:] if line and not line.startswith(" ")] if frames else []
    return raised[0] if raised else _first_line(message)


def _first_line(text: str | None) -> str:
    return (text or "").split("\n", 1)[0]
