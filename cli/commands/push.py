from __future__ import annotations

import argparse

from ...compiler.program import LOCAL
from .. import copied, frame


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", nargs="?", default="", help="the .mlspec file; may be left out where there is only one")
    parser.add_argument("--on", required=True, metavar="ENV", help="the environment whose store gets them")
    parser.add_argument(
        "--of", default=LOCAL, metavar="ENV", help="the environment whose names are meant (default: local)"
    )
    frame.json_argument(parser)


def run(given: argparse.Namespace) -> int:
    return copied.run(given, source=given.of, target=given.on, with_sources=True)
