from __future__ import annotations

import argparse

from .. import frame


def arguments(parser: argparse.ArgumentParser) -> None:
    frame.name_and_spec(parser)
    frame.json_argument(parser)


def run(given: argparse.Namespace) -> int:
    session = frame.open_session(given)
    program = frame.program_of(session)
    frame.artifact(program, given.name)
    lines = session.why(program, given.name)
    if given.json:
        frame.say_json([{"depth": depth, "text": text} for depth, text in lines])
    else:
        for depth, text in lines:
            frame.say("  " * depth + text)
    return frame.DONE
