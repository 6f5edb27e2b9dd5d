from __future__ import annotations

import argparse
from pathlib import Path

from ...compiler.state import Accepted
from ...runtimes.local.session import Session
from ...runtimes.local.takeout import take_out
from ...runtimes.trouble import Trouble
from .. import frame


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="an artifact")
    parser.add_argument(
        "path", help="where to; a table as .parquet, .csv or .jsonl by its ending, the notebook that made it as .ipynb"
    )
    frame.spec_argument(parser)
    frame.refused_argument(parser)


def run(given: argparse.Namespace) -> int:
    session = frame.open_session(given)
    written = take_out(session.world, _wanted(session, given), Path(given.path))
    frame.say(f"{given.name} is in {written}")
    return frame.DONE


def _wanted(session: Session, given: argparse.Namespace) -> Accepted:
    """What was accepted needs no compile: it can be taken out of the store while the spec has mistakes."""
    if given.refused:
        return frame.refused(session, frame.program_of(session), given.name)[0]
    names = session.world.ledger.names()
    if given.name not in names:
        help_ = "mlspec status shows those that were; --refused takes what was made and not accepted"
        raise Trouble(f"export {given.name}", "no artifact of this name was accepted", help_)
    return names[given.name]
