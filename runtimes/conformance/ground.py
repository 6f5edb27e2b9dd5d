"""A small project in a folder of its own, and mlspec run in it as a person would: what the points are tried on."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...compiler.target import Target
from .. import secrets as ours

SECRET = "conformance_token"
VARIABLE = ours.variable(SECRET)
THERE, HERE = "there", "here"  # the environment on trial, and one on this machine to compare with
PATIENCE = 300.0  # seconds for one command
NUMBERS = "n,y\n" + "".join(f"{n},{2 * n + n % 3}\n" for n in range(1, 9))

STEPS = '''"""The functions that the specs of a conformance test name: each notes in a file that it was called."""

import os
import sys
import time


def note(tally, word):
    with open(tally, "a") as file:
        file.write(word + "\\n")


def told(kept, tally, token):
    print("the token is", token)
    print("the token is", token, file=sys.stderr, flush=True)
    note(tally, "told")
    return kept.assign(length=len(token) > 0)


def joined(told, line, tally):
    note(tally, "joined")
    return told.assign(guess=line.predict(told[["n"]]).round(6))


def constant(numbers, tally):
    note(tally, "constant")
    return numbers.head(1).assign(n=0, y=0)


def after(before, tally):
    note(tally, "after")
    return before


def broken(numbers, tally, token):
    note(tally, "broken")
    raise ValueError(f"no luck with {token}")


def slow(before, tally):
    note(tally, "begun")
    end = time.monotonic() + 120
    while not os.path.exists(tally + ".go") and time.monotonic() < end:
        time.sleep(0.05)
    note(tally, "slow")
    return before
'''


class Missed(Exception):
    """What was expected, and what was there."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}; found {found}")
        self.expected, self.found = expected, found


def expect(what: str, wanted: Any, found: Any) -> None:
    if wanted != found:
        raise Missed(f"{what} {_shown(wanted)}", _shown(found))


def _shown(value: Any) -> str:
    return f"{dict(value) if isinstance(value, Counter) else value}".strip() or "nothing"


@dataclass(frozen=True, slots=True)
class Subject:
    """The runtime on trial. `options` are what its environment says; `kill` the command that kills whatever runs jobs on
    the platform and brings it up again, "" where that is killed along with the apply; `looks` more folders in which no
    secret may be; `token` the secret."""

    target: Target
    options: Mapping[str, str] = field(default_factory=dict)
    kill: str = ""
    looks: tuple[Path, ...] = ()
    token: str = field(default_factory=lambda: os.environ.get(VARIABLE) or secrets.token_hex(12))

    def environment(self, sets: str) -> str:
        takes = {option.name: option.takes for option in self.target.options}
        lines = [
            f"  {name} = {json.dumps(value) if takes.get(name, 'text') == 'text' else value}"
            for name, value in self.options.items()
        ]
        return "\n".join([f"env {THERE} on {self.target.name} {{", *lines, *([f"  {sets}"] if sets else []), "}"])


@dataclass(frozen=True, slots=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def events(self) -> dict[str, str]:
        """How each block came out, by its name."""
        try:
            told = json.loads(self.out).get("events", [])
        except ValueError:
            return {}
        return {one["name"]: one.get("how", one["event"]) for one in told if one["event"] in ("settled", "failed")}

    def failure(self, name: str) -> dict[str, Any]:
        told = json.loads(self.out)["events"] if self.out else []
        return next((one for one in told if one["event"] == "failed" and one["name"] == name), {})


@dataclass(frozen=True, slots=True)
class Ground:
    """`root` is the project's folder. What it keeps of the local environment to compare with is in there too. The spec's
    name and the place of its tally are in no other run of the suite: so nothing is there before it is made."""

    subject: Subject
    root: Path
    name: str
    said: list[str] = field(default_factory=list)  # all that any command printed

    @property
    def spec(self) -> str:
        return f"{self.name}.mlspec"

    @property
    def tally(self) -> Path:
        return self.root / "tally"

    def write(self, text: str, sets: str = "", numbers: str = NUMBERS) -> None:
        """`sets` is a line of the environment on trial."""
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "numbers.csv").write_text(numbers, encoding="utf-8")
        (self.root / "steps.py").write_text(STEPS, encoding="utf-8")
        text = text.replace("TALLY", str(self.tally)) + self.subject.environment(sets) + "\n"
        (self.root / self.spec).write_text(text, encoding="utf-8")

    def run(self, *words: str) -> Ran:
        process = self.start(*words)
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            end(process)
            raise Missed(f"mlspec {words[0]} to end", f"that it still runs after {PATIENCE:g} s") from None
        self.said.append(out + err)
        return Ran(process.returncode, out, err)

    def start(self, *words: str) -> subprocess.Popen[str]:
        environment = {**os.environ, VARIABLE: self.subject.token, "NO_COLOR": "1"}
        return subprocess.Popen(
            [sys.executable, "-m", "mlspec", *words], cwd=self.root, env=environment, text=True, encoding="utf-8",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def apply(self, on: str = THERE) -> Ran:
        return self.run("apply", self.spec, "--on", on, "--json")

    def digests(self, on: str = THERE) -> dict[str, str]:
        """What each name points at."""
        ran = self.run("status", self.spec, "--on", on, "--json")
        expect("exit code of status", 0, ran.code)
        return {name: one["digest"] for name, one in json.loads(ran.out)["names"].items()}

    def noted(self) -> Counter[str]:
        """How often each function was called."""
        return Counter(self.tally.read_text(encoding="utf-8").split()) if self.tally.exists() else Counter()


def end(process: subprocess.Popen[str]) -> None:
    """A process and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def until(what: Callable[[], bool], seconds: float, told: str) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        if time.monotonic() > deadline:
            raise Missed(told, f"none after {seconds:g} s")
        time.sleep(0.1)
