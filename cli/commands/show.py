from __future__ import annotations

import argparse

from ...compiler.program import Node, Program
from ...runtimes.trouble import Trouble
from .. import frame, shown


def arguments(parser: argparse.ArgumentParser) -> None:
    frame.name_and_spec(parser)
    frame.json_argument(parser)
    parser.add_argument("--rows", type=_count, default=5, help="how many rows of a table (default: 5)")
    frame.refused_argument(parser)
    parser.add_argument("--openapi", action="store_true", help="what a service takes and gives, as an OpenAPI document")


def _count(written: str) -> int:
    if not written.isdecimal():
        raise argparse.ArgumentTypeError(f"{written} is no whole number of 0 or more")
    return int(written)


def run(given: argparse.Namespace) -> int:
    session = frame.open_session(given)
    program = frame.program_of(session)
    node = frame.artifact(program, given.name)
    if given.openapi:
        frame.say_json(openapi(node, program))
        return frame.DONE
    refused = frame.refused(session, program, given.name) if given.refused else None
    found = shown.look(session, program, node, given.name, given.rows, refused)
    if given.json:
        frame.say_json(found)
    else:
        frame.say(shown.text(found))
    return frame.DONE


def openapi(node: Node, program: Program) -> dict[str, object]:
    """From the program alone: it needs no apply."""
    from ...compiler.openapi import describe, of_node  # only who asks for it pays for it

    action = f"describe {node.name}"
    if node.kind != "service":
        raise Trouble(action, f"it is {'data' if node.kind == 'data' else f'a {node.kind}'}, and no service")
    found = of_node(node, program)
    if isinstance(found, str):
        raise Trouble(action, found, "declare these columns, or ask the running service: GET /openapi.json")
    return describe(found)
