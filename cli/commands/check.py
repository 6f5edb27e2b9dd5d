from __future__ import annotations

import argparse

from .. import frame


def arguments(parser: argparse.ArgumentParser) -> None:
    frame.spec_argument(parser)
    frame.json_argument(parser)


def run(given: argparse.Namespace) -> int:
    session = frame.open_session(given)
    checked = session.check()
    if checked.data or given.json:
        frame.tell_mistakes(checked, as_json=given.json)
    if not checked.sound:
        return frame.MISTAKE
    if not given.json:
        count = checked.blocks
        frame.say(f"{session.path}: {count} block{'s' * (count != 1)}, no mistakes")
    return frame.DONE
