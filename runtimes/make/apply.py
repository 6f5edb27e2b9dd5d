"""`mlspec apply` by make: the compiled folder is laid out beside the spec's state, and make runs the jobs in it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ...compiler.actions import Plan
from ...compiler.program import Program
from .. import elsewhere, laid_out
from ..events import Event, Said, Summary, Watch
from ..store.opening import FOLDER, is_bucket
from ..trouble import Trouble
from . import compile_program, quoted

if TYPE_CHECKING:
    from ..local.session import Session

POLL = 0.1  # seconds
OUTER = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")  # of a make that runs us


def apply(session: Session, program: Program, plan: Plan, watch: Watch) -> Summary:
    """Returns when make has ended. On Ctrl-C, or when this process is killed, the jobs end too; what was finished stays."""
    began, world = time.monotonic(), session.world
    project, shipment = session.project(program)
    digest = elsewhere.send(compile_program(program, project), shipment.sources, world.objects)
    folder = elsewhere.receive(digest, world.objects, laid_out.by_make(world.root), world.root / FOLDER)
    options = program.environment.options
    _link(folder / "project", world.root, str(options["store"]))

    def watch_but_prints(event: Event) -> None:  # what a step printed is in its log, here
        if not isinstance(event, Said):
            watch(event)

    hearing = elsewhere.Hearing(program, watch_but_prints)
    _make(folder, int(str(options.get("workers") or os.cpu_count() or 2)), hearing)
    hearing.end(plan, world)
    return hearing.summary(time.monotonic() - began)


def _link(project: Path, root: Path, store: str) -> None:
    """A store that is beside the spec is beside the project too."""
    place = project / store
    if not is_bucket(store) and not Path(store).is_absolute() and not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to((root / store).resolve())


def _make(folder: Path, workers: int, hearing: elsewhere.Hearing) -> None:
    tie, held = os.pipe()  # we hold one end, the jobs read the other: it closes when we end, in whatever way
    said = folder / f"said-{os.getpid()}"
    how = f"HOW=--events --tied </dev/fd/{tie}"
    command = ["make", f"-j{workers}", f"MLSPEC={quoted(sys.executable)} -m mlspec", how]
    environment = {name: value for name, value in os.environ.items() if name not in OUTER}
    try:
        # A file and no pipe: what several jobs add to it at once, it keeps apart.
        with (
            said.open("ab") as out,
            said.open(encoding="utf-8", errors="replace") as lines,
            os.fdopen(held, "wb") as hold,
        ):
            process = subprocess.Popen(command, cwd=folder, env=environment, pass_fds=[tie], stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=subprocess.STDOUT)  # fmt: skip
            try:
                _hear(process, lines, hearing)
            finally:
                hold.close()
                process.terminate()
                process.wait()
    except FileNotFoundError:
        raise Trouble("run make", "it is not installed here", "on Debian: apt-get install make") from None
    finally:
        os.close(tie)
        said.unlink(missing_ok=True)


def _hear(process: subprocess.Popen[bytes], lines: IO[str], hearing: elsewhere.Hearing) -> None:
    rest, ended = "", False
    while not ended:
        ended = process.poll() is not None  # and then once more, for what was said last
        *whole, rest = (rest + lines.read()).split("\n")
        for line in whole:
            hearing.line(line)
        if not ended:
            time.sleep(POLL)
