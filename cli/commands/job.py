from __future__ import annotations

import argparse

from ...runtimes.local.events import Planned
from .. import frame
from ..progress import Plain


def arguments(parser: argparse.ArgumentParser) -> None:
    frame.name_and_spec(parser)


def run(given: argparse.Namespace) -> int:
    """Apply one block alone, and what it needs that is not there yet."""
    import sys

    session = frame.open_session(given)
    program = frame.program_of(session)
    frame.artifact(program, given.name)
    part = program.model_copy(update={"nodes": tuple(program.upstream(given.name))})
    plan = session.plan(part)
    watch = Plain(sys.stdout)
    watch(Planned(plan))
    return session.apply(part, plan, watch, retire=False).exit_code
