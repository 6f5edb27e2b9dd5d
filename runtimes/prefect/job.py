"""What a task of a compiled flow does: runs `mlspec job` for one artifact, and tells Prefect how it went.

A task's state bears mlspec's own word: Made, Accepted, Reused, Served; Refused, Waits and Failed are failures to Prefect.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from prefect import get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from ... import __version__
from ..events import Failed as WentWrong
from ..events import Page, Parted, Said, Settled, Tried, Waiting, from_data
from ..tied import to_parent
from .pull import unpack
from .wiring import TIED, WAITS

GOOD = ("made", "accepted", "reused", "served", "retired")
LONG = 4000  # characters of a page
NEVER = 1e6  # seconds

Params = Mapping[str, tuple[Any, Any]]  # as asked for, and as the spec says


@dataclass(slots=True)
class Heard:
    """What a job said: how it settled, or the failure."""

    settled: Settled | None = None
    failure: str = ""
    pages: list[Page] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Job:
    """`spec` is the file within the compiled folder; `mlspec` the version that compiled it; `dates` are the params that
    stand without quotes; `files`, on a cluster, are the project's."""

    spec: Path
    env: str
    mlspec: str
    workers: int | None = None
    dates: Sequence[str] = ()
    files: Sequence[str] = ()

    def __post_init__(self) -> None:
        """A flow makes one when it is loaded: from then on its process is tied, if it is to be."""
        if os.environ.get(TIED):
            to_parent()

    def __call__(
        self, name: str, params: Params, timeout: float | None = None, *, share: bool = False, assist: bool = False
    ) -> State[Any]:
        if __version__ != self.mlspec:
            return _failed(f"this worker has mlspec {__version__}, and the flow was compiled by {self.mlspec}: "
                           "install the same on both")  # fmt: skip
        how = ["--assist"] if assist else ["--share"] if share else []
        heard = self._run(name, params, timeout, how)
        for page in heard.pages:
            self._publish(page, heard.settled)
        return _state(heard.settled) if heard.settled else _failed(heard.failure)

    @staticmethod
    def went_wrong(task: Any, run: Any, state: State[Any]) -> bool:
        """Whether to try again: not what an expectation refused."""
        return state.name == "Failed"

    def __reduce__(self) -> tuple[Any, ...]:
        """To a cluster it takes the project along, which the machines there may not have."""
        files = {name: (self.spec.parent / name).read_bytes() for name in self.files}
        return _unpacked, (files, self.spec, self.env, self.mlspec, self.workers, self.dates, self.files)

    def _run(self, name: str, params: Params, timeout: float | None, how: Sequence[str]) -> Heard:
        log, heard = get_run_logger(), Heard()
        with self._started(name, params, how) as process:
            errors = _in_background(process.stderr)
            clock = threading.Timer(timeout or NEVER, process.kill)
            clock.daemon = True
            clock.start()
            for line in process.stdout or ():
                match _event(line):
                    case Settled() as event if name in event.name.split(", "):
                        heard.settled = event
                    case WentWrong() as event:
                        heard.failure = _told(event)
                    case Page() as event:
                        heard.pages.append(event)
                    case Said() as event:
                        log.info(event.text)
                    case Waiting():
                        log.info(WAITS)
                    case Tried() | Parted() as event if _is_news(event):
                        log.info(_progress(event))
            process.wait()
            clock.cancel()
        heard.failure = (
            heard.failure or last_words("".join(errors)) or f"mlspec job ended with code {process.returncode}"
        )
        return heard

    def _started(self, name: str, params: Params, how: Sequence[str]) -> subprocess.Popen[str]:
        """Its standard input stays open as long as this task lives: it ends with it."""
        sets = [
            f"--set={key}={asked if key in self.dates else _written(asked)}"
            for key, (asked, said) in params.items()
            if asked != said
        ]
        command = [sys.executable, "-m", "mlspec", "job", name, self.spec.name, "--on", self.env,
                   "--alone", "--once", "--events", "--tied", *how, *sets]  # fmt: skip
        if self.workers:
            command.append(f"--workers={self.workers}")
        return subprocess.Popen(
            command, cwd=self.spec.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, encoding="utf-8", errors="replace", env={**os.environ, "NO_COLOR": "1"},
        )  # fmt: skip

    def _publish(self, page: Page, settled: Settled | None) -> None:
        """Among Prefect's artifacts. That the artifact is there matters more than that its page is."""
        judged = settled.judged if settled else ()
        held = "".join(
            f"- {'✓' if one.holds else '✗'} `expect {one.text}`: {one.shown} (line {one.line})\n" for one in judged
        )
        text = f"**{settled.how if settled else ''}** by {self.spec.name}\n\n{held}\n```\n{page.text[:LONG]}\n```\n"
        with contextlib.suppress(Exception):
            create_markdown_artifact(
                text, key=key_of(page.name, self.env), description=f"{page.name} of {self.spec.name}"
            )


def _unpacked(files: Mapping[str, bytes], spec: Path, *given: Any) -> Job:
    return Job(spec if spec.exists() else unpack(files) / spec.name, *given)


def _is_news(event: Tried | Parted) -> bool:
    """The best trials and every tenth of the way: not a line for each of a thousand."""
    tenths = event.number * 10 // event.of > (event.number - 1) * 10 // event.of
    return bool(event.failure) or tenths or (isinstance(event, Tried) and event.is_best)


def _progress(event: Tried | Parted) -> str:
    count = f"{event.number}/{event.of}"
    if isinstance(event, Parted):
        return f"{count}  {event.failure or event.part}"
    arguments = ", ".join(f"{name} {value}" for name, value in event.arguments.items())
    score = event.failure or f"{event.metric} {event.score:.4f}{', the best so far' if event.is_best else ''}"
    return f"{count}  {arguments}  {score}"


def end(futures: Sequence[Any], *assisted: Sequence[Any]) -> State[Any] | list[State[Any]]:
    """The flow's own end: refused where expectations did not hold and nothing else went wrong."""
    for future in [*futures, *(one for some in assisted for one in some)]:
        future.wait()
    states = [future.state for future in futures]
    wrong = [state for state in states if not state.is_completed()]
    if wrong and all(state.name in ("Refused", "Waits") for state in wrong):
        return Failed(name="Refused", message=f"{len(wrong)} of {len(states)} did not meet their expectations")
    return states


def key_of(name: str, env: str) -> str:
    """Prefect's keys are lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", f"{name}-{env}".lower()).strip("-")


def _event(line: str) -> Any:
    """None for what is no event."""
    import json

    with contextlib.suppress(ValueError, TypeError, KeyError):
        return from_data(json.loads(line))
    return None


def _state(settled: Settled) -> State[Any]:
    word, message = settled.how.capitalize(), _said(settled)
    return Completed(name=word, message=message) if settled.how in GOOD else Failed(name=word, message=message)


def _said(settled: Settled) -> str:
    """In one line, and below it a line for each note."""
    rows = " + ".join(f"{rows:,}" for rows in settled.rows if rows is not None)
    numbers = {name: value for name, value in (settled.metrics or {}).items() if isinstance(value, int | float)}
    facts = [
        f"{rows} rows" if rows else "",
        *(f"{name} {value:.4f}" for name, value in numbers.items()),
        settled.address,
    ]
    broken = [f"expect {one.text}: {one.shown}" for one in settled.judged if not one.holds]
    told = [*facts, *broken, settled.reason if settled.how in ("waits", "refused") else ""]
    return "\n".join(["; ".join(filter(None, told)), *settled.notes])


def _told(event: WentWrong) -> str:
    return "\n".join(filter(None, [event.message, event.detail.rstrip(), event.help and f"help: {event.help}"]))


def _failed(message: str) -> State[Any]:
    get_run_logger().error(message)
    return Failed(name="Failed", message=message)


def last_words(errors: str) -> str:
    """What a command ended with, as `_told` tells it, without the warnings that came before."""
    before, error, last = f"\n{errors}".rpartition("\nerror: ")
    return (last.replace("\n  = help: ", "\nhelp: ") if error else before + last).strip()


def _written(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def _in_background(stream: IO[str] | None) -> list[str]:
    lines: list[str] = []
    threading.Thread(target=lambda: lines.extend(stream or ()), daemon=True).start()
    return lines
