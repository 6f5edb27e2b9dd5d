from __future__ import annotations

import argparse

from .. import frame, shown


def arguments(parser: argparse.ArgumentParser) -> None:
    frame.name_and_spec(parser)
    frame.json_argument(parser)
    parser.add_argument("--rows", type=int, default=5, help="how many rows of a table (default: 5)")


def run(given: argparse.Namespace) -> int:
    session = frame.open_session(given)
    program = frame.program_of(session)
    node = frame.artifact(program, given.name)
    found = shown.look(session, program, node, given.name, given.rows)
    if given.json:
        frame.say_json(found)
    else:
        frame.say(shown.text(found))
    return frame.DONE
