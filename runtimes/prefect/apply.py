"""`mlspec apply` on Prefect: the project goes into the store, a deployment to the server, and its run is followed here."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...compiler.actions import Accept, Judge, Make, Plan, Refuse, Retire, Serve
from ...compiler.program import Program
from .. import elsewhere
from ..events import Said, Summary, Watch
from ..trouble import Trouble
from . import compile_program
from .follow import Following
from .server import Server, server
from .wiring import Flow, wired

if TYPE_CHECKING:
    from ..local.session import Session

POLL = 0.5  # seconds
STILL = 45.0  # seconds without a change, until it is asked whether the run's worker is there
PATIENCE, BUSY = 8.0, 40.0  # seconds that a run waits, until it is said that there is no worker, or none is free


def apply(session: Session, program: Program, plan: Plan, watch: Watch) -> Summary:
    """Runs the flow, and returns when it has ended. Raises Trouble where it could not be started; on Ctrl-C the run goes
    on, unless the person who pressed it says otherwise."""
    began = time.monotonic()
    makes = any(isinstance(action, Make | Judge | Serve) for action in plan.actions)
    elsewhere_still = _served_elsewhere(session, plan)
    if not makes and not elsewhere_still:
        return session.apply_here(program, plan, watch)  # names move, and nothing is made: no server is asked

    def say(text: str) -> None:
        watch(Said("", text))

    following = Following(session, program, watch)
    with _deployed(session, program, say) as deployed:
        if makes or any(isinstance(action, Accept | Refuse) for action in plan.actions):
            session.world.ledger.put_sent(deployed.digest)  # before any schedule may ask for it
            _run_flow(deployed, following, say)
        else:
            following.unchanged(plan)
        wrong = _stop(deployed, elsewhere_still, say) if elsewhere_still else ""
    _retire(session, plan, following, elsewhere_still if wrong else [], wrong)
    return following.summary(time.monotonic() - began)


def stop(session: Session, program: Program, name: str, say: Callable[[str], None]) -> None:
    """Stop a service that a worker's machine runs. Raises Trouble where it could not be."""
    with _deployed(session, program, say) as deployed:
        wrong = _stop(deployed, [name], say)
    if wrong:
        raise Trouble(f"stop {name}", wrong)


# --- a deployment ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Deployed:
    """The project lies in the store; `pool` is None on an embedded server."""

    prefect: Server
    flow: Flow
    pool: Any
    digest: str

    def step(self, **more: str) -> dict[str, Any]:
        """Takes the project out of the store, on the worker's machine."""
        return {"mlspec.runtimes.prefect.pull.pull_project": {"store": self.flow.store, "digest": self.digest, **more}}

    def follow(self, run: Any) -> _Run:
        """Pools that push, and managed ones, have no workers: by them nothing can be told of a run."""
        watched = self.pool and not (self.pool.is_push_pool or self.pool.is_managed_pool)
        return _Run(self.prefect, run.id, run.name, self.flow.pool if watched else "")


@contextmanager
def _deployed(session: Session, program: Program, say: Callable[[str], None]) -> Iterator[_Deployed]:
    project, shipment = session.project(program)
    flow = wired(program, project)
    with server(say) as prefect:
        pool = None if prefect.embedded else prefect.pool(flow.pool)
        digest = elsewhere.send(compile_program(program, project), shipment.sources, session.world.objects)
        yield _Deployed(prefect, flow, pool, digest)


def _run_flow(deployed: _Deployed, following: Following, say: Callable[[str], None]) -> None:
    prefect, flow = deployed.prefect, deployed.flow
    cluster = {"cluster": flow.cluster} if flow.cluster else {}
    run = prefect.start(flow, deployed.step(**cluster), deployed.pool)
    following.run = run.name
    say(f"run {run.name} of {flow.name}/{flow.environment} on {prefect.where}")
    with _left_to_go_on(prefect, run, say):
        _follow(deployed.follow(run), following, say)


@contextmanager
def _left_to_go_on(prefect: Server, run: Any, say: Callable[[str], None]) -> Iterator[None]:
    """Whoever goes away from a run is told that it may go on without them."""
    try:
        yield
    except KeyboardInterrupt:
        _leave(prefect, run, say)
        raise
    except Trouble:  # the store or the server is out of our reach, not of the worker's
        if not prefect.embedded:
            say(f"the run {run.name} may be going on at {prefect.where}")
        raise


# --- what is gone from the spec -------------------------------------------------------------------------------------


def _served_elsewhere(session: Session, plan: Plan) -> list[str]:
    """Also those that do not answer here: a worker's machine may be out of reach."""
    gone = [one.names for one in plan.actions if isinstance(one, Retire) and one.kind == "service"]
    return [name for names in gone for name in names if session.world.released(name)]


def _stop(deployed: _Deployed, names: list[str], say: Callable[[str], None]) -> str:
    """Why they could not all be stopped; "" where they were."""
    run = deployed.prefect.stop_services(deployed.flow, deployed.step(), deployed.pool, names)
    with _left_to_go_on(deployed.prefect, run, say):
        return _wait_for(deployed.follow(run), say)


def _retire(session: Session, plan: Plan, following: Following, still: list[str], why: str) -> None:
    """The flow knows nothing of blocks that are gone. The name of a service that still answers stays, to be tried again."""
    for action in plan.actions:
        if isinstance(action, Retire) and set(action.names) & set(still):
            following.not_retired(action, why)
        elif isinstance(action, Retire):
            for name in action.names:
                session.world.ledger.retire(name)
            following.retired(action)


# --- follow the run -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Run:
    """`pool` is "" where no workers are to be looked for."""

    prefect: Server
    id: Any
    name: str
    pool: str
    began: float = field(default_factory=time.monotonic)
    told: set[str] = field(default_factory=set)  # of what it waits for
    alone: bool = False
    seen: Any = None
    at: float = field(default_factory=time.monotonic)

    def moved(self, seen: Any) -> None:
        if seen != self.seen:
            self.seen, self.at = seen, time.monotonic()

    def quiet(self) -> float:
        """Seconds since anything changed."""
        return time.monotonic() - self.at


def _follow(run: _Run, following: Following, say: Callable[[str], None]) -> None:
    while True:
        state, tasks = run.prefect.look(run.id)
        lines = run.prefect.logs(run.id)
        for line in lines:
            following.heard(line)
        for task in tasks:
            following.saw(task)
        run.moved((state.name, len(lines), [task.state and task.state.timestamp for task in tasks]))
        if state.is_final():
            following.ended(state, run.prefect.look(run.id)[1])
            return
        run.prefect.still_there()
        _tell_of_no_worker(run, state, say)
        _tell_of_no_task(run, state, tasks, say)
        if _is_left(run, state, following.worker) and not _goes_on(run, following, say):
            why = f"the worker of {run.pool} that had it is gone, and nothing of it goes on"
            run.prefect.crashed(run.id, why)
            following.stood_still(why)
            return
        time.sleep(POLL)


def _wait_for(run: _Run, say: Callable[[str], None]) -> str:
    """Of a run that makes nothing: why it came to no good end, "" where it did."""
    while True:
        state, _ = run.prefect.look(run.id)
        if state.is_final():
            return "" if state.is_completed() else (state.message or f"the run has {state.name.lower()}")
        run.moved(state.name)
        run.prefect.still_there()
        _tell_of_no_worker(run, state, say)
        if _is_left(run, state, ""):
            why = f"the worker of {run.pool} that had it is gone"
            run.prefect.crashed(run.id, why)
            return why
        time.sleep(POLL)


def _is_left(run: _Run, state: Any, worker: str) -> bool:
    """Whether it was taken and the worker is there no more: of one that was killed the server only hears nothing. What
    nobody has taken yet waits, for as long as it may take."""
    if not run.pool or state.is_scheduled() or run.quiet() < STILL:
        return False
    there = run.prefect.workers(run.pool)
    return worker not in there if worker else not there


def _goes_on(run: _Run, following: Following, say: Callable[[str], None]) -> bool:
    """A worker's end is not that of the flows that it started."""
    if not following.is_at_work():
        return False
    if not run.alone:
        run.alone = True
        say(f"the worker of {run.pool} that had the run is gone; what it has begun goes on")
    run.at = time.monotonic()
    return True


def _tell_of_no_worker(run: _Run, state: Any, say: Callable[[str], None]) -> None:
    """One that was killed counts as there for a minute and more: so "busy" may be told first, and is not the last word."""
    waits = time.monotonic() - run.began if run.pool and state.is_scheduled() and "none" not in run.told else 0.0
    if waits > PATIENCE and not run.prefect.workers(run.pool):
        run.told.add("none")
        say(f"no worker of {run.pool} is there; start one: prefect worker start --pool {run.pool}")
        say(f"the run {run.name} waits for it; Ctrl-C leaves it waiting")
    elif waits > BUSY and not run.told:
        run.told.add("busy")
        say(f"the workers of {run.pool} are busy; the run waits for one")


def _tell_of_no_task(run: _Run, state: Any, tasks: list[Any], say: Callable[[str], None]) -> None:
    """Of a cluster that takes tasks and does none, Ray asks without end."""
    if state.is_running() and not tasks and "no task" not in run.told and run.quiet() > BUSY:
        run.told.add("no task")
        say("the run has begun, and none of its tasks has; the worker's log tells what it waits for")


def _leave(prefect: Server, run: Any, say: Callable[[str], None]) -> None:
    if not prefect.embedded and sys.stdin.isatty() and sys.stdout.isatty():
        try:
            asked = input(f"\ncancel the run {run.name} too? [y/N] ")
        except (KeyboardInterrupt, EOFError):
            asked = ""
        if asked.strip().lower() in ("y", "yes"):
            prefect.cancel(run.id)
            say("the run is being cancelled")
            return
    if not prefect.embedded:
        say(f"the run {run.name} goes on at {prefect.where}")
