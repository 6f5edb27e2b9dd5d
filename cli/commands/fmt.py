from __future__ import annotations

import argparse
import difflib
import sys
from pathlib import Path

from ...grammar.format import format_text
from ...runtimes.local.session import find_spec
from ...runtimes.trouble import Trouble
from .. import frame


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("specs", nargs="*", help="files; the only one here if unsaid; - reads standard input")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if something would change")
    parser.add_argument("--diff", action="store_true", help="change nothing; show what would change")


def run(given: argparse.Namespace) -> int:
    if given.specs == ["-"]:
        sys.stdout.write(_formatted(sys.stdin.read(), "standard input"))
        return frame.DONE
    paths = [find_spec(path) for path in given.specs] or [find_spec("")]
    changed = [path for path in paths if _one(path, given)]
    return frame.MISTAKE if changed and given.check else frame.DONE


def _one(path: Path, given: argparse.Namespace) -> bool:
    before = path.read_text(encoding="utf-8")
    after = _formatted(before, str(path))
    if after == before:
        return False
    if given.diff:
        sys.stdout.writelines(
            difflib.unified_diff(before.splitlines(True), after.splitlines(True), str(path), str(path))
        )
    elif given.check:
        frame.say(f"{path} is not in the one layout")
    else:
        path.write_text(after, encoding="utf-8")
        frame.say(f"{path}: brought into the one layout")
    return True


def _formatted(text: str, name: str) -> str:
    after = format_text(text, name)
    if after is None:
        raise Trouble(f"format {name}", "it has mistakes", "mlspec check tells them")
    return after
