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
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from prefect import get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.states import Completed, Failed, State

from ... import __version__
from ..local.events import Failed as WentWrong
from ..local.events import Settled, from_data

GOOD = ("made", "accepted", "reused", "served", "retired")
SHOWN = ("made", "accepted", "refused")
LONG = 4000  # characters of a page

Params = Mapping[str, tuple[Any, Any]]  # as asked for, and as the spec says


@dataclass(frozen=True, slots=True)
class Job:
    """`spec` is the file within the compiled folder; `mlspec` the version that compiled it."""

    spec: Path
    env: str
    mlspec: str

    def __call__(self, name: str, params: Params) -> State[Any]:
        if __version__ != self.mlspec:
            return _failed(f"this worker has mlspec {__version__}, and the flow was compiled by {self.mlspec}: "
                           "install the same on both")  # fmt: skip
        settled = self._run(name, params)
        if isinstance(settled, Settled):
            if settled.how in SHOWN and settled.kind != "service":
                self._publish(name, settled)
            return _state(settled)
        return settled

    @staticmethod
    def went_wrong(task: Any, run: Any, state: State[Any]) -> bool:
        """Whether to try again: not what an expectation refused."""
        return state.name == "Failed"

    def _run(self, name: str, params: Params) -> Settled | State[Any]:
        """What came of the artifact; a failed state where nothing did."""
        log = get_run_logger()
        settled: Settled | State[Any] | None = None
        with self._started(name, params) as process:
            errors = _in_background(process.stderr)
            for line in process.stdout or ():
                event = _event(line)
                if isinstance(event, Settled) and name in event.name.split(", "):
                    settled = event
                elif isinstance(event, WentWrong):
                    settled = _failed(_told(event))
                elif event is None and line.strip():
                    log.info(line.rstrip("\n"))
            process.wait()
        if settled is None:
            return _failed("".join(errors).strip() or f"mlspec job ended with code {process.returncode}")
        return settled

    def _started(self, name: str, params: Params) -> subprocess.Popen[str]:
        """Its standard input stays open as long as this task lives: it ends with it."""
        sets = [f"--set={key}={_written(asked)}" for key, (asked, said) in params.items() if asked != said]
        command = [sys.executable, "-m", "mlspec", "job", name, self.spec.name, "--on", self.env,
                   "--alone", "--once", "--events", "--tied", *sets]  # fmt: skip
        return subprocess.Popen(
            command, cwd=self.spec.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, encoding="utf-8", errors="replace", env={**os.environ, "NO_COLOR": "1"},
        )  # fmt: skip

    def _publish(self, name: str, settled: Settled) -> None:
        """The artifact's page, as `mlspec show` has it, among Prefect's artifacts. That it is there matters less than it."""
        command = [sys.executable, "-m", "mlspec", "show", name, self.spec.name, "--on", self.env]
        with contextlib.suppress(Exception):
            shown = subprocess.run(command, cwd=self.spec.parent, capture_output=True, text=True, timeout=60,
                                   env={**os.environ, "NO_COLOR": "1"}, check=False).stdout  # fmt: skip
            held = "".join(
                f"- {'✓' if one.holds else '✗'} `expect {one.text}`: {one.shown} (line {one.line})\n"
                for one in settled.judged
            )
            page = f"**{settled.how}**\n\n{held}\n```\n{shown[:LONG]}```\n"
            create_markdown_artifact(page, key=key_of(name, self.env), description=f"{name} of {self.spec.name}")


def end(futures: Sequence[Any]) -> State[Any] | list[State[Any]]:
    """The flow's own end: refused where expectations did not hold and nothing else went wrong."""
    for future in futures:
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
    rows = " + ".join(f"{rows:,}" for rows in settled.rows if rows is not None)
    numbers = {name: value for name, value in (settled.metrics or {}).items() if isinstance(value, int | float)}
    facts = [
        f"{rows} rows" if rows else "",
        *(f"{name} {value:.4f}" for name, value in numbers.items()),
        settled.address,
    ]
    broken = [f"expect {one.text}: {one.shown}" for one in settled.judged if not one.holds]
    return "; ".join(filter(None, [*facts, *broken, settled.reason if settled.how in ("waits", "refused") else ""]))


def _told(event: WentWrong) -> str:
    return "\n".join(filter(None, [event.message, event.detail.rstrip(), event.help and f"help: {event.help}"]))


def _failed(message: str) -> State[Any]:
    get_run_logger().error(message)
    return Failed(name="Failed", message=message)


def _written(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def _in_background(stream: IO[str] | None) -> list[str]:
    lines: list[str] = []
    threading.Thread(target=lambda: lines.extend(stream or ()), daemon=True).start()
    return lines
