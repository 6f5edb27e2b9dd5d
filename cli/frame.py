"""What all commands share: opening a spec, saying things, and turning what goes wrong into one line and an exit code."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..compiler.program import LOCAL, Program
from ..compiler.state import Accepted
from ..runtimes.local.session import Checked, Session, find_spec
from ..runtimes.trouble import Misuse, Trouble

if TYPE_CHECKING:
    from ..compiler.actions import Refuse

DONE, MISTAKE, USAGE, REFUSED, FAILED, INTERRUPTED = 0, 1, 2, 3, 4, 130


class Mistakes(Exception):
    """The spec has mistakes; they have been told."""


def spec_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", nargs="?", default="", help="the .mlspec file; may be left out where there is only one")
    on_argument(parser)


def on_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--on", default=LOCAL, metavar="ENV", help="the environment (default: local)")


def json_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="the same as data")


def locked_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--locked", action="store_true", help="take of the sources exactly what mlspec.lock says")


def set_argument(parser: argparse.ArgumentParser) -> None:
    help_ = "give a param or an argument this value, in place of the spec's"
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=help_)


def workers_argument(parser: argparse.ArgumentParser) -> None:
    help_ = "how many steps run at once (default: as many as there are cores)"
    parser.add_argument("--workers", type=_one_or_more, help=help_)


def _one_or_more(written: str) -> int:
    if not written.isdecimal() or int(written) < 1:
        raise argparse.ArgumentTypeError(f"{written} is no whole number of 1 or more")
    return int(written)


def name_and_spec(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="an artifact of the spec")
    spec_argument(parser)


def refused_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--refused", action="store_true", help="what was made and not accepted, in place of what was")


def refused(session: Session, program: Program, name: str) -> tuple[Accepted, Refuse]:
    """What was made of a name and refused, or a Trouble."""
    kind = artifact(program, name).kind
    found = session.refused(program, name) if kind != "service" else None
    if found is not None:
        return found
    if kind == "service":
        raise Trouble(f"find what was refused of {name}", "a release that is refused is ended", f"mlspec logs {name}")
    raise Trouble(f"find what was refused of {name}", "nothing of it is refused now", "mlspec plan tells what is")


def open_session(given: argparse.Namespace) -> Session:
    locked = getattr(given, "locked", False)
    session = Session(find_spec(given.spec), given.on, getattr(given, "set", ()), locked=locked)
    if given.on != LOCAL:
        session.check()  # the spec says where this environment keeps its artifacts
    return session


def program_of(session: Session, *, as_json: bool = False) -> Program:
    """The spec's program; its mistakes are told and end the command."""
    checked = session.check()
    if checked.data and not (as_json and checked.sound):  # of a command's --json there is one document
        tell_mistakes(checked, as_json=as_json)
    if not checked.sound:
        raise Mistakes
    return checked.program


def tell_mistakes(checked: Checked, *, as_json: bool = False) -> None:
    if as_json:
        say_json({"diagnostics": checked.data})
    else:
        sys.stderr.write(checked.coloured if colour(sys.stderr) else checked.plain)


def artifact(program: Program, name: str) -> Any:
    """The node that makes an artifact, or a Trouble that names the nearest."""
    nodes = program.node_of()
    if name not in nodes:
        from ..grammar.diagnostic import listing, nearest

        close = nearest(name, nodes)
        raise Misuse(
            f"find {name}",
            "the spec has no such name",
            f"did you mean {close}?" if close else f"there is {listing(nodes)}",
        )
    return nodes[name]


def say(text: str = "") -> None:
    sys.stdout.write(text + "\n")


def say_json(data: Any) -> None:
    say(json.dumps(data, indent=2, ensure_ascii=False, default=str))


def as_json(data: Any) -> str:
    """In one line."""
    return json.dumps(data, ensure_ascii=False, default=str)


def colour(stream: Any) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def guarded(work: Callable[[], int]) -> int:
    try:
        return work()
    except Mistakes:
        return MISTAKE
    except Trouble as trouble:
        tell_trouble(trouble)
        return USAGE if isinstance(trouble, Misuse) else FAILED
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped. What was finished stays; apply again to go on.\n")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return DONE


def tell_trouble(trouble: Trouble) -> None:
    paint = painter(sys.stderr)
    text = paint("error", "red") + f": {trouble}\n"
    if trouble.detail:
        text += "".join(f"  {line}\n" for line in trouble.detail.rstrip().split("\n"))
    if trouble.help:
        text += paint("  = ", "blue") + f"help: {trouble.help}\n"
    sys.stderr.write(text)


CODES = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "grey": "2", "bold": "1"}


def painter(stream: Any) -> Callable[[str, str], str]:
    if not colour(stream):
        return lambda text, tint: text
    return lambda text, tint: f"\x1b[{CODES[tint]}m{text}\x1b[0m"
