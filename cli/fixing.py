"""`check --fix`: what can be fixed mechanically is, in the spec and in what it uses, and told line by line."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..compiler.program import LOCAL
from ..grammar.repair import changes, errors
from ..runtimes.local import texts
from ..runtimes.local.session import Session
from . import frame

if TYPE_CHECKING:
    from ..compiler.mend import Mended


def fix(session: Session, *, diff: bool, as_json: bool) -> int:
    mended = _mended(session)
    if not diff:
        for path, text in mended.after.items():
            _write(Path(path), text, main=session.path)
    wrong = len(errors(mended.compiled.diagnostics))
    if as_json:
        frame.say_json({"fixed": list(_data(mended)), "diagnostics": _told(mended)})
    elif diff:
        sys.stdout.writelines(_diff(mended))
    else:
        _tell(mended, wrong, str(session.path))
    return frame.MISTAKE if wrong or (diff and mended.after) else frame.DONE


def _mended(session: Session) -> Mended:
    from ..compiler.mend import mend
    from ..runtimes.targets import targets

    text = texts.read(session.path).text
    return mend(str(session.path), text, session.world.disk, targets(), session.env or LOCAL)


def _write(path: Path, text: str, main: Path) -> None:
    """Of a used file the compiler sees the very text, with its line ends; of the spec itself a plain one."""
    before = texts.read(path)
    if path == main:
        texts.replace(path, before.in_file(text))
    else:
        texts.replace(path, (before.mark + text).encode())


def _tell(mended: Mended, wrong: int, spec: str) -> None:
    paint = frame.painter(sys.stdout)
    for path, text in mended.after.items():
        found = changes(path, mended.before[path], text)
        for change in found:
            frame.say(paint(f"{path}:{change.line}", "blue"))
            for line in change.before:
                frame.say(paint(f"  - {line}", "red"))
            for line in change.after:
                frame.say(paint(f"  + {line}", "green"))
        frame.say(f"{path}: {len(found)} place{'s' * (len(found) != 1)} fixed")
    if mended.compiled.diagnostics:
        from ..grammar.render import render_all

        sys.stdout.flush()
        sys.stderr.write(
            render_all(mended.compiled.diagnostics, mended.compiled.sources, colour=frame.colour(sys.stderr))
        )
    left = f"{wrong} mistake{'s' * (wrong != 1)} left" if wrong else "no mistakes"
    frame.say(
        f"{spec}: {left}"
        + ("" if mended.after else ", nothing to fix" if not wrong else ", none can be fixed by itself")
    )


def _diff(mended: Mended) -> Iterator[str]:
    for path, text in mended.after.items():
        before, after = mended.before[path].splitlines(True), text.splitlines(True)
        for line in difflib.unified_diff(before, after, path, path):
            yield line if line.endswith("\n") else line + "\n"


def _data(mended: Mended) -> Iterator[dict[str, Any]]:
    for path, text in mended.after.items():
        for change in changes(path, mended.before[path], text):
            yield {"path": path, "line": change.line, "before": list(change.before), "after": list(change.after)}


def _told(mended: Mended) -> list[dict[str, Any]]:
    from ..grammar.render import as_data

    return [as_data(one, mended.compiled.sources) for one in mended.compiled.diagnostics]
