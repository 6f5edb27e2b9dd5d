from __future__ import annotations

import argparse

from .. import drawing, frame


def arguments(parser: argparse.ArgumentParser) -> None:
    frame.spec_argument(parser)
    parser.add_argument("--as", dest="form", choices=("text", "mermaid", "svg"), default="text", help="how it is drawn")


def run(given: argparse.Namespace) -> int:
    program = frame.program_of(frame.open_session(given))
    frame.say({"text": drawing.text, "mermaid": drawing.mermaid, "svg": drawing.svg}[given.form](program).rstrip("\n"))
    return frame.DONE
