"""A project in a folder of its own, and mlspec run in it as a person would: as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Project:
    root: Path

    def write(self, **files: str) -> Project:
        for name, text in files.items():
            self.file(name.replace("__", "."), text)
        return self

    def file(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def start(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        environment = {**os.environ, "NO_COLOR": "1", **options.pop("env", {})}
        return subprocess.Popen(
            [sys.executable, "-m", "mlspec", *words], cwd=self.root, text=True, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
        )  # fmt: skip

    def run(self, *words: str, **options: Any) -> Ran:
        process = self.start(*words, **options)
        out, err = process.communicate(timeout=120)
        return Ran(process.returncode, out, err)

    def apply(self, *words: str) -> Ran:
        return self.run("apply", *words)

    def data(self, *words: str) -> Any:
        ran = self.run(*words, "--json")
        return json.loads(ran.out)

    def events(self, *words: str) -> dict[str, str]:
        """Name -> how it came out, of an apply."""
        return {event["name"]: event.get("how", event["event"]) for event in self.data("apply", *words)["events"]
                if event["event"] in ("settled", "failed")}  # fmt: skip

    def objects(self) -> list[Path]:
        return [path for path in (self.root / ".mlspec" / "objects").rglob("*") if path.is_file()]


def until(what: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)
