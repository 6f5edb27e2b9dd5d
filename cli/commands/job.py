from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from typing import Any

from ...compiler.program import Needs, Program
from ...runtimes.local.events import Planned, as_data
from .. import frame
from ..progress import Plain


def arguments(parser: argparse.ArgumentParser) -> None:
    frame.name_and_spec(parser)
    parser.add_argument("--alone", action="store_true", help="make nothing else, not even what it needs")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="give a param another value")
    parser.add_argument("--once", action="store_true", help="leave trying again (needs retries) to the caller")
    parser.add_argument("--events", action="store_true", help="tell what happens as data, a line for each event")
    parser.add_argument("--tied", action="store_true", help="end when standard input is closed")


def run(given: argparse.Namespace) -> int:
    """Apply one block alone, and what it needs that is not there yet."""
    if given.tied:
        threading.Thread(target=_end_with_input, daemon=True).start()
    session = frame.open_session(given)
    program = frame.program_of(session)
    frame.artifact(program, given.name)
    part = program.model_copy(update={"nodes": tuple(program.upstream(given.name))})
    if given.once:
        part = _without_retries(part)
    watch: Any = _Events() if given.events else Plain(sys.stdout)
    plan = session.plan(part)
    watch(Planned(plan))
    only = given.name if given.alone else ""
    return session.apply_here(part, plan, watch, retire=False, only=only).exit_code


def _without_retries(program: Program) -> Program:
    def once(needs: Needs) -> Needs:
        return needs.model_copy(update={"retries": 0})

    nodes = tuple(node.model_copy(update={"needs": once(node.needs)}) for node in program.nodes)
    return program.model_copy(update={"nodes": nodes})


def _end_with_input() -> None:
    """Whoever started us holds the other end; it closes when they end, in whatever way."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGINT)


class _Events:
    """A line of JSON for each event."""

    def __call__(self, event: Any) -> None:
        if not isinstance(event, Planned):
            sys.stdout.write(frame.as_json(as_data(event)) + "\n")
            sys.stdout.flush()
