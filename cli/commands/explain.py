from __future__ import annotations

import argparse
import sys

from ...grammar.codes import CODES
from ...grammar.diagnostic import nearest
from .. import frame
from ..page import index, page


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", default="", help="as in E101; all of them if unsaid")


def run(given: argparse.Namespace) -> int:
    colour = frame.colour(sys.stdout)
    if not given.code:
        frame.say(index(colour=colour))
        return frame.DONE
    code = CODES.get(given.code.upper())
    if code is None:
        close = nearest(given.code.upper(), CODES)
        more = f"did you mean {close}?" if close else "mlspec explain lists all"
        sys.stderr.write(f"mlspec explain: there is no code {given.code}; {more}\n")
        return frame.USAGE
    frame.say(page(code, colour=colour))
    return frame.DONE
