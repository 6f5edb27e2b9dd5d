from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ...compiler.actions import Plan
from ...runtimes.trouble import Trouble
from .. import frame, planned


def arguments(parser: argparse.ArgumentParser) -> None:
    frame.spec_argument(parser)
    frame.json_argument(parser)
    frame.locked_argument(parser)
    frame.set_argument(parser)
    parser.add_argument("--save", metavar="FILE", help="keep the plan, for mlspec apply FILE")


def run(given: argparse.Namespace) -> int:
    if given.save and given.set:
        help_ = "write the values in an environment, set …, and plan --on it"
        raise Trouble(f"save the plan as {given.save}", "mlspec apply would not know what --set gave", help_)
    session = frame.open_session(given)
    program = frame.program_of(session, as_json=given.json)
    plan = session.plan(program, locked=given.locked)
    if given.save:
        _save(plan, Path(given.save))
    if given.json:
        frame.say_json(json.loads(plan.model_dump_json()))
    else:
        frame.say(planned.text(plan, frame.painter(sys.stdout)))
        if given.save:
            frame.say(f"Saved: mlspec apply {given.save}")
    return frame.DONE


def _save(plan: Plan, path: Path) -> None:
    try:
        path.write_text(plan.model_dump_json(indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise Trouble(f"save the plan as {path}", error.strerror or str(error)) from None
