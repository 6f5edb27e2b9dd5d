"""What `push` and `pull` share: from one environment's store into another's, and what came of it in one line."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ..runtimes.local.copying import copy
from ..runtimes.local.session import Session, find_spec
from ..runtimes.local.world import World
from ..runtimes.trouble import Trouble
from . import frame, words

OFTEN = 0.5  # seconds between two lines in the place of each other


def run(given: argparse.Namespace, *, source: str, target: str) -> int:
    if source == target:
        raise Trouble("copy the store", f"{source} is both where from and where to", "name two environments")
    began, spec = time.monotonic(), find_spec(given.spec)
    progress = _Progress(quiet=given.json)
    done = copy(_world(spec, source), _world(spec, target), progress)
    progress.clear()
    if given.json:
        frame.say_json(
            {
                "artifacts": done.artifacts,
                "moved": done.moved,
                "bytes": done.bytes,
                "records": done.records,
                "lost": done.lost,
            }
        )
        return frame.DONE
    if not done.artifacts:
        frame.say(f"There is nothing to copy: no name of {spec.name} was accepted in {source}.")
        return frame.DONE
    what = (
        f"{done.moved:,} of {done.artifacts:,} artifacts moved, {words.size(done.bytes)}"
        if done.moved
        else f"all {done.artifacts:,} artifacts were there"
    )
    lost = f"; {done.lost:,} of the history are no longer in the store of {source}" if done.lost else ""
    took = words.duration(time.monotonic() - began)
    frame.say(
        f"{source} -> {target}: {what}{lost}, in {took}. No name moved: mlspec apply{_on(target)} takes what it finds there."
    )
    return frame.DONE


def _world(spec: Path, env: str) -> World:
    session = Session(spec, env)
    frame.program_of(session)
    return session.world


def _on(env: str) -> str:
    return "" if env == "local" else f" --on {env}"


class _Progress:
    """A line in a terminal, drawn over by the next."""

    def __init__(self, *, quiet: bool) -> None:
        self.shows = sys.stdout.isatty() and not quiet
        self.told = time.monotonic()

    def __call__(self, done: int, count: int, size: int) -> None:
        if self.shows and time.monotonic() - self.told > OFTEN:
            self.told = time.monotonic()
            sys.stdout.write(f"\r\x1b[K  {done:,} of {count:,} artifacts, {words.size(size)}")
            sys.stdout.flush()

    def clear(self) -> None:
        if self.shows:
            sys.stdout.write("\r\x1b[K")
