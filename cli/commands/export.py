from __future__ import annotations

import argparse
from pathlib import Path

from ...runtimes.local.takeout import take_out
from ...runtimes.trouble import Trouble
from .. import frame


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="an accepted artifact")
    parser.add_argument(
        "path", help="where to; a table as .parquet, .csv or .jsonl by its ending, the notebook that made it as .ipynb"
    )
    frame.spec_argument(parser)


def run(given: argparse.Namespace) -> int:
    session = frame.open_session(given)
    names = session.world.ledger.names()
    if given.name not in names:
        raise Trouble(
            f"export {given.name}", "no artifact of this name was accepted", "mlspec status shows those that were"
        )
    written = take_out(session.world, names[given.name], Path(given.path))
    frame.say(f"{given.name} is in {written}")
    return frame.DONE
