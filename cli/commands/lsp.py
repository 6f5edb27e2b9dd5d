from __future__ import annotations

import argparse

from .. import frame


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stdio", action="store_true", help="speak over standard input and output, as it always does")


def run(given: argparse.Namespace) -> int:
    from ...lsp.server import serve  # the protocol's own types take longer to import than a check takes

    serve()
    return frame.DONE
