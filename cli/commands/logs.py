from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ...runtimes.local.session import Session
from ...runtimes.trouble import Trouble
from .. import frame


def arguments(parser: argparse.ArgumentParser) -> None:
    frame.name_and_spec(parser)
    parser.add_argument("--follow", "-f", action="store_true", help="go on as it is written")


def run(given: argparse.Namespace) -> int:
    session = frame.open_session(given)
    path = _log(session, given.name)
    if path is None or not path.exists():
        raise Trouble(
            f"show the log of {given.name}", "it has none", "a log is written when it is made, or while it serves"
        )
    with path.open(encoding="utf-8", errors="replace") as file:
        sys.stdout.write(file.read())
        while given.follow:
            sys.stdout.write(file.read())
            sys.stdout.flush()
            time.sleep(0.2)
    return frame.DONE


def _log(session: Session, name: str) -> Path | None:
    folder = session.world.service(name)
    if folder.is_dir():
        from ...runtimes.serving import control

        return control.log(folder)
    path = session.world.ledger.log(name)
    return session.world.root / path if path else None
