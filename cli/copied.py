"""What `push` and `pull` share: from one environment's store into another's, and what came of it in one line."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from pathlib import Path

from ..runtimes.local.copying import Copied, copy, push_sources
from ..runtimes.local.session import Session, find_spec
from ..runtimes.trouble import Trouble
from . import frame, words

OFTEN = 0.5  # seconds between two lines in the place of each other


def run(given: argparse.Namespace, *, source: str, target: str, with_sources: bool = False) -> int:
    """`with_sources`: the files of this machine that sources name go along."""
    if source == target:
        raise Trouble("copy the store", f"{source} is both where from and where to", "name two environments")
    began, spec, progress = time.monotonic(), find_spec(given.spec), _Progress(quiet=given.json)
    here, there = _opened(spec, source), _opened(spec, target)
    done = copy(here.world, there.world, progress)
    progress.clear()
    files = push_sources(frame.program_of(here), there.world) if with_sources else 0
    if given.json:
        frame.say_json({**asdict(done), "files": files})
    elif not done.artifacts:
        frame.say(f"There is nothing to copy: no name of {spec.name} was accepted in {source}.")
    else:
        took = words.duration(time.monotonic() - began)
        frame.say(
            f"{source} -> {target}: {_told(done, files, source)}, in {took}. No name moved: mlspec apply{words.on(target)} takes what it finds."
        )
    return frame.DONE


def _told(done: Copied, files: int, source: str) -> str:
    moved = f"{done.moved:,} of {done.artifacts:,} artifacts moved, {words.size(done.bytes)}"
    parts = [moved if done.moved else f"all {done.artifacts:,} artifacts were there"]
    parts += [f"with {files:,} file{'s' * (files != 1)} of sources"] if files else []
    parts += [f"{done.lost:,} of the history are no longer in the store of {source}"] if done.lost else []
    return "; ".join(parts)


def _opened(spec: Path, env: str) -> Session:
    session = Session(spec, env)
    frame.program_of(session)
    return session


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
