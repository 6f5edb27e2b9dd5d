from __future__ import annotations

import argparse
from pathlib import Path

from ...runtimes.local import TARGET
from ...runtimes.trouble import Trouble
from .. import frame


def arguments(parser: argparse.ArgumentParser) -> None:
    frame.spec_argument(parser)
    parser.add_argument("--to", metavar="FOLDER", help="where to write (default: compiled/RUNTIME)")


def run(given: argparse.Namespace) -> int:
    if given.on != TARGET.name:
        raise Trouble(f"compile for {given.on}", "only local is supported yet", "leave --on out")
    program = frame.program_of(frame.open_session(given))
    folder = Path(given.to or f"compiled/{TARGET.name}")
    files = TARGET.compile(program)
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if name.endswith(".sh"):
            path.chmod(0o755)
    frame.say(f"{len(files)} files in {folder}")
    return frame.DONE
