from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from ...compiler.actions import Plan
from ...compiler.due import next_due
from ...compiler.program import LOCAL, Program
from ...runtimes.events import Planned, Summary, as_data
from ...runtimes.local.session import Session
from ...runtimes.trouble import Trouble
from .. import frame, planned, words
from ..progress import watcher


def arguments(parser: argparse.ArgumentParser) -> None:
    help_ = "the .mlspec file, or a plan that mlspec plan --save kept; may be left out where there is only one spec"
    parser.add_argument("spec", nargs="?", default="", help=help_)
    frame.on_argument(parser)
    frame.json_argument(parser)
    frame.locked_argument(parser)
    parser.add_argument("--keep", action="store_true", help="stay, and apply again whenever a schedule (every) is due")
    frame.workers_argument(parser)


def run(given: argparse.Namespace) -> int:
    saved = _saved(given)
    code, next_ = _once(given, saved)
    while given.keep:
        _wait_for(next_, given)
        code, next_ = _once(given, None)
    return code


def _once(given: argparse.Namespace, saved: Plan | None) -> tuple[int, float | None]:
    """The exit code of one apply, and the moment when something is due next."""
    session = frame.open_session(given)
    program = frame.program_of(session, as_json=given.json)
    plan = session.plan(program, locked=given.locked)
    if saved is not None and saved.basis != plan.basis:
        raise Trouble(
            "apply the saved plan", "the world has moved since it was made", "make a new one: mlspec plan --save"
        )
    code = _apply(session, program, plan, given) if plan.changes() else _nothing(plan, given)
    return code, _next_due(session, program) if given.keep else None


def _next_due(session: Session, program: Program) -> float | None:
    """Of what was made: what never was made waits for something else than the clock."""
    state = session.state(program)
    made = [(node.every, state.names.get(node.name)) for node in program.nodes if node.every]
    records = [(every, state.record(accepted.key)) for every, accepted in made if every and accepted]
    return min((next_due(every, record.at) for every, record in records if record), default=None)


def _wait_for(moment: float | None, given: argparse.Namespace) -> None:
    if moment is None:
        raise Trouble(
            "keep on applying",
            "nothing of the spec that was accepted has a schedule",
            "write a line: every day at 02:00",
        )
    if not given.json:
        frame.say(f"Next at {words.moment(moment)}.")
        sys.stdout.flush()
    while (left := moment - time.time()) > 0:
        time.sleep(min(left, 30))


def _saved(given: argparse.Namespace) -> Plan | None:
    """A plan of `plan --save` in the place of the spec; then spec and environment are those that it was made of."""
    path = Path(given.spec)
    content = path.read_bytes() if given.spec and path.is_file() else b""
    if not content.lstrip().startswith(b"{"):  # which no spec does
        return None
    try:
        saved = Plan.model_validate_json(content)
    except ValueError:
        raise Trouble(f"read the plan {path}", "it is no saved plan", "mlspec plan --save FILE makes one") from None
    if given.on not in (LOCAL, saved.environment):
        raise Trouble(f"apply {path} on {given.on}", f"it is a plan for {saved.environment}", "leave --on out")
    given.spec, given.on = str(_spec_of(saved, path)), saved.environment
    return saved


def _spec_of(saved: Plan, path: Path) -> Path:
    """A plan names its spec without a folder, since it may go to another machine: it is here, or beside the plan."""
    here = Path(saved.spec)
    return here if here.is_file() else path.parent / saved.spec


def _nothing(plan: Plan, given: argparse.Namespace) -> int:
    if given.json:
        frame.say_json({"counts": {"reused": len(plan.actions)}, "exit_code": 0})
    else:
        frame.say(planned.text(plan, frame.painter(sys.stdout)))
    return frame.DONE


def _apply(session: Session, program: Program, plan: Plan, given: argparse.Namespace) -> int:
    watch: Any = _Gather() if given.json else watcher()
    try:
        watch(Planned(plan))
        summary = session.apply(program, plan, watch, given.workers, locked=given.locked)
    finally:
        watch.close()
    if given.json:
        frame.say_json({"counts": summary.counts, "events": watch.events, "exit_code": summary.exit_code})
    else:
        _end(summary)
    return summary.exit_code


def _end(summary: Summary) -> None:
    order = ("made", "accepted", "served", "refused", "failed", "waits", "retired", "reused")
    said = {"waits": "waiting", "reused": "unchanged"}
    counts = ", ".join(f"{summary.counts[how]} {said.get(how, how)}" for how in order if summary.counts.get(how))
    frame.say(f"\n{counts or 'nothing to do'} in {words.duration(summary.seconds)}.")


class _Gather:
    """For --json: keeps what happened as data."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def __call__(self, event: Any) -> None:
        if not isinstance(event, Planned):
            self.events.append(as_data(event))

    def close(self) -> None: ...
