from __future__ import annotations

import argparse

from ...grammar.codes import CODES
from ...grammar.diagnostic import nearest
from ...runtimes.trouble import Trouble
from .. import frame


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", help="as in E101")


def run(given: argparse.Namespace) -> int:
    code = CODES.get(given.code.upper())
    if code is None:
        close = nearest(given.code.upper(), CODES)
        raise Trouble(f"explain {given.code}", "there is no such code", f"did you mean {close}?" if close else "")
    frame.say(f"{code.id}: {code.title.replace('{', '').replace('}', '')}\n\n{code.why}")
    for title, text in (("Wrong", code.wrong), ("Right", code.right)):
        if text:
            frame.say(f"\n{title}:\n" + "\n".join("    " + line for line in text.rstrip().split("\n")))
    return frame.DONE
