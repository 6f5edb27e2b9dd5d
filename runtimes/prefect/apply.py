"""`mlspec apply` on Prefect: the project goes into the store, a deployment to the server, and its run is followed here."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...compiler.actions import Plan
from ...compiler.program import Program
from ..local.engine import Summary
from ..local.events import Said, Watch
from ..trouble import Trouble
from . import compile_program
from .follow import Following
from .server import Server, server
from .wiring import wired

if TYPE_CHECKING:
    from ..local.session import Session

POLL = 0.5  # seconds
PATIENCE = 10.0  # seconds without a worker, until that is said


def apply(session: Session, program: Program, plan: Plan, watch: Watch) -> Summary:
    """Runs the flow, and returns when it has ended. Raises Trouble where it could not be started; on Ctrl-C the run goes
    on, unless the person who pressed it says otherwise."""
    began = time.monotonic()

    def say(text: str) -> None:
        watch(Said("", text))

    project, shipment = session.project(program)
    flow = wired(program, project.versions)
    with server(say) as prefect:
        pool = None if prefect.embedded else prefect.pool(flow.pool)
        _push_sources(session, shipment.sources)
        digest = _push(session, compile_program(program, project))
        step = {"mlspec.runtimes.prefect.pull.pull_project": {"store": flow.store, "digest": digest}}
        run = prefect.start(flow, step, pool)
        say(f"run {run.name} of {flow.name}/{flow.environment} on {prefect.where}")
        following = Following(session, program, plan, watch)
        try:
            _follow(_Run(prefect, run.id, flow.pool if pool else ""), following, say)
        except KeyboardInterrupt:
            _leave(prefect, run, say)
            raise
    return following.summary(time.monotonic() - began)


# --- into the store -------------------------------------------------------------------------------------------------


def _push_sources(session: Session, files: Any) -> None:
    """The files of local sources, by the digests that their keys hold."""
    objects = session.world.objects
    for digest, path in files.items():
        if not objects.has(digest):
            copy = objects.scratch()
            copy.write_bytes(path.read_bytes())
            if objects.put_file(copy) != digest:
                raise Trouble(f"send {path.name} to the store", "it was changed meanwhile", "apply again")


def _push(session: Session, files: Any) -> str:
    """The compiled folder as an object. Returns its digest."""
    folder = session.world.objects.scratch()
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return session.world.objects.put_folder(folder)


# --- follow the run -------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Run:
    prefect: Server
    id: Any
    pool: str
    began: float = field(default_factory=time.monotonic)
    told: bool = False


def _follow(run: _Run, following: Following, say: Callable[[str], None]) -> None:
    while True:
        state, tasks = run.prefect.look(run.id)
        for line in run.prefect.logs(run.id):
            following.heard(line)
        for task in tasks:
            following.saw(task)
        if state.is_final():
            following.ended(state, run.prefect.look(run.id)[1])
            return
        run.prefect.still_there()
        _tell_of_no_worker(run, state, say)
        time.sleep(POLL)


def _tell_of_no_worker(run: _Run, state: Any, say: Callable[[str], None]) -> None:
    waits = run.pool and (state.is_scheduled() or state.is_pending())
    if waits and not run.told and time.monotonic() - run.began > PATIENCE:
        run.told = True
        if run.prefect.workers(run.pool):
            say(f"the workers of {run.pool} are busy; the run waits for one")
        else:
            say(f"no worker of {run.pool} is there; start one: prefect worker start --pool {run.pool}")


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
