from __future__ import annotations

import argparse

from ...runtimes.trouble import Trouble
from .. import frame


def arguments(parser: argparse.ArgumentParser) -> None:
    frame.spec_argument(parser)
    frame.json_argument(parser)
    frame.set_argument(parser)
    parser.add_argument("--fix", action="store_true", help="put right what can be put right mechanically")
    parser.add_argument("--diff", action="store_true", help="change nothing; show what --fix would change")


def run(given: argparse.Namespace) -> int:
    session = frame.open_session(given)
    if given.fix or given.diff:
        if given.set:
            raise Trouble("put it right", "what --set gives does not stand in the spec", "leave --set away")
        from ..fixing import fix

        return fix(session, diff=given.diff, as_json=given.json)
    checked = session.check()
    if checked.data or given.json:
        frame.tell_mistakes(checked, as_json=given.json)
    if not checked.sound:
        return frame.MISTAKE
    if not given.json:
        count = checked.blocks
        frame.say(f"{session.path}: {count} block{'s' * (count != 1)}, no mistakes")
    return frame.DONE
