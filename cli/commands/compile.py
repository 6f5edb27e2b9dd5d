from __future__ import annotations

import argparse
from pathlib import Path

from ...compiler.target import Project
from ...runtimes.targets import targets
from .. import frame


def arguments(parser: argparse.ArgumentParser) -> None:
    frame.spec_argument(parser)
    parser.add_argument("--to", metavar="FOLDER", help="where to write (default: compiled/ENV)")


def run(given: argparse.Namespace) -> int:
    session = frame.open_session(given)
    program = frame.program_of(session)
    target = targets()[program.environment.runtime]
    folder = Path(given.to or f"compiled/{program.environment.name}")
    files = target.compile(program, session.project(program)[0] if target.ships else Project())
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if name.endswith(".sh"):
            path.chmod(0o755)
    frame.say(f"{len(files)} files in {folder}")
    return frame.DONE
