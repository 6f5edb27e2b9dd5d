from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

from ...grammar.format import format_text
from ...grammar.parse import parse
from ...grammar.render import in_order, render_all
from ...grammar.repair import with_fix, without_echoes
from ...grammar.source import Source
from ...runtimes.local import texts
from ...runtimes.local.session import find_spec
from .. import frame


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("specs", nargs="*", help="files; the only one here if unsaid; - reads standard input")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if something would change")
    parser.add_argument("--diff", action="store_true", help="change nothing; show what would change")


def run(given: argparse.Namespace) -> int:
    if given.specs == ["-"]:
        return _standard_input(given)
    paths = [find_spec(path) for path in given.specs] or [find_spec("")]
    changed = [_file(path, given) for path in paths]
    return frame.MISTAKE if None in changed or (True in changed and given.check) else frame.DONE


def _standard_input(given: argparse.Namespace) -> int:
    written = texts.decoded(sys.stdin.buffer.read(), "read standard input")
    after = _formatted(written.text, "standard input")
    if after is None:
        return frame.MISTAKE
    if given.diff:
        _show(written.text, after, "standard input")
    elif not given.check:
        sys.stdout.buffer.write(written.in_file(after).removeprefix(written.mark.encode()))
    return frame.MISTAKE if given.check and after != written.text else frame.DONE


def _file(path: Path, given: argparse.Namespace) -> bool | None:
    """Whether it changes; None if it has mistakes. Lines end as they did; a mark of the encoding is layout, and goes."""
    written = texts.read(path)
    after = _formatted(written.text, str(path))
    if after is None:
        return None
    if after == written.text and not written.mark:
        return False
    if given.diff:
        _show(written.text, after, str(path))
    elif given.check:
        frame.say(f"{path} is not in the one layout")
    else:
        texts.replace(path, written.in_file(after).removeprefix(written.mark.encode()))
        frame.say(f"{path}: brought into the one layout")
    return True


def _show(before: str, after: str, name: str) -> None:
    for line in difflib.unified_diff(before.splitlines(True), after.splitlines(True), name, name):
        sys.stdout.write(line if line.endswith("\n") else line + "\n")


def _formatted(text: str, name: str) -> str | None:
    """None where it cannot be read: its mistakes are told as check tells them."""
    after = format_text(text, name)
    if after is None:
        source = Source(name, text)
        told = [with_fix(one, {name: source}) for one in without_echoes(in_order(parse(source).diagnostics))]
        sys.stderr.write(render_all(told, {name: source}, colour=frame.colour(sys.stderr)))
    return after
