from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import threading
from typing import Any

from ...compiler.program import Needs, Program
from ...runtimes.events import Failed, Page, Planned, Said, Settled, as_data
from ...runtimes.local.session import Session
from ...runtimes.local.sharing import Share
from ...runtimes.trouble import Trouble
from .. import frame
from ..progress import Plain

LONG = 100_000  # bytes of what a step printed
ROWS = 10  # of a table on its page
SHOWN = ("made", "accepted", "refused")


def arguments(parser: argparse.ArgumentParser) -> None:
    frame.name_and_spec(parser)
    parser.add_argument("--alone", action="store_true", help="make nothing else, not even what it needs")
    frame.set_argument(parser)
    parser.add_argument("--once", action="store_true", help="leave trying again (needs retries) to the caller")
    parser.add_argument("--events", action="store_true", help="tell what happens as data, a line for each event")
    parser.add_argument("--share", action="store_true", help="share trials and parts with jobs that assist")
    parser.add_argument("--assist", action="store_true", help="make trials and parts for a job that shares them")
    frame.workers_argument(parser)
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
    watch: Any = _Events(session, program) if given.events else Plain(sys.stdout)
    plan = session.plan(part)
    watch(Planned(plan))
    alone = given.name if given.alone or given.share or given.assist else ""
    share: Share = "assist" if given.assist else "make" if given.share else ""
    return session.apply_here(part, plan, watch, given.workers, retire=False, only=alone, share=share).exit_code


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
    """A line of JSON for each event; what a step printed comes before its end."""

    def __init__(self, session: Session, program: Program) -> None:
        self.session, self.program = session, program

    def __call__(self, event: Any) -> None:
        if isinstance(event, Settled | Failed):
            printed = self._printed(event.name.split(", ")[0]) if getattr(event, "how", "made") == "made" else ""
            if printed:
                self._write(Said(event.name, printed))
        if not isinstance(event, Planned):
            self._write(event)
        if isinstance(event, Settled) and event.how in SHOWN and event.kind != "service":
            for name in event.name.split(", "):
                with contextlib.suppress(Trouble):
                    self._write(Page(name, self._page(name)))

    def _page(self, name: str) -> str:
        from .. import shown

        node = self.program.node_of()[name]
        return shown.text(shown.look(self.session, self.program, node, name, ROWS))

    def _write(self, event: Any) -> None:
        sys.stdout.write(frame.as_json(as_data(event)) + "\n")
        sys.stdout.flush()

    def _printed(self, name: str) -> str:
        path = self.session.world.ledger.log(name)
        try:
            content = (self.session.world.root / path).read_bytes() if path else b""
        except OSError:
            return ""
        text = content[-LONG:].decode("utf-8", errors="replace").strip()
        return text if len(content) <= LONG else "…" + text.lstrip("\ufffd")  # it may begin within a character
