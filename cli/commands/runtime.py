from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ...compiler.target import Target
from ...grammar.diagnostic import listing, nearest
from ...grammar.kinds import Argument
from ...runtimes.targets import targets
from ...runtimes.trouble import Trouble
from .. import frame, words


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("do", nargs="?", choices=["test"], help="test a runtime; without it, tell which there are")
    parser.add_argument("name", nargs="?", default="", help="the runtime")
    parser.add_argument("--set", action="append", default=[], metavar="OPTION=VALUE", help="what its environment says")
    parser.add_argument(
        "--kill", default="", metavar="COMMAND", help="kills what runs jobs there, and brings it up again"
    )
    parser.add_argument("--look", action="append", default=[], metavar="FOLDER", help="where no secret may be either")


def run(given: argparse.Namespace) -> int:
    """Tell which runtimes there are, or try one on all that runtimes promise."""
    if given.do is None:
        _tell()
        return frame.DONE
    return _test(_target(given.name), _options(given.set), given.kill, tuple(map(Path, given.look)))


# --- which there are ------------------------------------------------------------------------------------------------


def _tell() -> None:
    paint = frame.painter(sys.stdout)
    for target in targets().values():
        frame.say(
            f"{paint(target.name, 'bold')}  {paint('cannot be used: ', 'red') if target.broken else ''}{target.doc}"
        )
        frame.say(words.table([_option(one, one.name in target.required) for one in target.options]))


def _option(option: Argument, required: bool) -> tuple[str, str, str]:
    usual = "must be said" if required else f"{option.default}" if option.default not in (None, "") else ""
    return f"  {option.name}", usual, option.doc + (f" One of {', '.join(option.choices)}." if option.choices else "")


# --- whether one keeps what all promise -----------------------------------------------------------------------------


def _target(name: str) -> Target:
    known = targets()
    if not name:
        raise Trouble("test a runtime", "none is named", f"there is {listing(known)}")
    if name not in known:
        close = nearest(name, known)
        raise Trouble(
            f"test {name}",
            "there is no such runtime",
            f"did you mean {close}?" if close else f"there is {listing(known)}",
        )
    if known[name].broken:
        raise Trouble(f"test {name}", known[name].broken)
    return known[name]


def _options(sets: list[str]) -> dict[str, str]:
    split = [one.partition("=") for one in sets]
    wrong = next((name for name, equal, _ in split if not equal), None)
    if wrong is not None:
        raise Trouble(f"set {wrong}", "it has no value", f"--set {wrong}=…")
    return {name.strip(): value.strip() for name, _, value in split}


def _test(target: Target, options: dict[str, str], kill: str, looks: tuple[Path, ...]) -> int:
    from ...runtimes.conformance import POINTS, Missed, Subject, begin, clear

    paint, kept, began = frame.painter(sys.stdout), True, time.monotonic()
    trial = begin(Subject(target, options, kill, looks))
    try:
        for point in POINTS:
            try:
                point(trial)
                frame.say(f"  {paint('ok ', 'green')}  {point.__doc__}")
            except Missed as missed:
                kept = False
                frame.say(
                    f"  {paint('not', 'red')}  {point.__doc__}\n         expected {missed.expected}\n         found {missed.found}"
                )
            sys.stdout.flush()
    finally:
        clear(trial)
    frame.say(
        f"\n{target.name} {'keeps what runtimes promise' if kept else 'does not keep it all'}, tried in {words.duration(time.monotonic() - began)}."
    )
    return frame.DONE if kept else frame.REFUSED
