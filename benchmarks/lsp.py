"""How soon an editor is told: a line of a long spec is edited, and the time until its mistakes are published is taken.

    python -m benchmarks.lsp --lines 10000

The server is a process and is spoken to as an editor does, over its standard input and output.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BLOCK = """
## The rows of step {n}, a little further on.
data step{n} from step{before} by sql \"\"\"
  select id, x + {n} as x, y
  from step{before}
  where id > 3
\"\"\" {{
  expect .rows > 3
  expect mean(.x) > 0
}}
"""
FIRST = 'mlspec 1\n\ndata step0 from csv "rows.csv" {\n  id: int\n}\n'
ROWS = "id,x,y\n1,0.5,1\n2,1.5,2\n3,2.5,3\n"


def spec(lines: int) -> str:
    """Chains of ten steps, so that an edit matters to a few others, as in a spec of a person."""
    text, count = FIRST, 0
    while text.count("\n") < lines:
        count += 1
        text += BLOCK.format(n=count, before=count - 1 if count % 10 else 0)
    return text


class Editor:
    """The least that an editor does."""

    def __init__(self, root: Path) -> None:
        self.server = subprocess.Popen(
            [sys.executable, "-m", "mlspec", "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root
        )
        self.number = 0

    def send(self, method: str, params: dict[str, Any], *, asks: bool = False) -> int:
        self.number += 1
        message = {"jsonrpc": "2.0", "method": method, "params": params} | ({"id": self.number} if asks else {})
        body = json.dumps(message).encode()
        assert self.server.stdin is not None
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.server.stdin.flush()
        return self.number

    def answer(self, number: int) -> Any:
        return next(message["result"] for message in self.messages() if message.get("id") == number)

    def told(self, version: int) -> list[Any]:
        return next(
            list(message["params"]["diagnostics"])
            for message in self.messages()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["version"] == version
        )

    def busy(self) -> float:
        """The processor seconds that the server has taken; they say more than the wall where other programs run."""
        fields = Path(f"/proc/{self.server.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def messages(self) -> Iterator[dict[str, Any]]:
        assert self.server.stdout is not None
        while line := self.server.stdout.readline():
            if line.lower().startswith(b"content-length:"):
                size = int(line.split(b":")[1])
                while self.server.stdout.readline().strip():
                    pass
                yield json.loads(self.server.stdout.read(size))


def measure(lines: int, edits: int) -> dict[str, float]:
    """Milliseconds of the first look, and of each edit in the middle of the spec."""
    with tempfile.TemporaryDirectory() as folder:
        root, text = Path(folder), spec(lines)
        (root / "rows.csv").write_text(ROWS)
        editor, uri = Editor(root), (root / "main.mlspec").as_uri()
        editor.answer(
            editor.send("initialize", {"capabilities": {}, "processId": None, "rootUri": root.as_uri()}, asks=True)
        )
        editor.send("initialized", {})
        began = time.perf_counter()
        editor.send(
            "textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "mlspec", "version": 0, "text": text}}
        )
        assert editor.told(0) == []
        first = time.perf_counter() - began
        busy = editor.busy()
        times = [_edit(editor, uri, text, number) for number in range(1, edits + 1)]
        busy = (editor.busy() - busy) / edits
        editor.server.terminate()
    times.sort()
    return {"lines": text.count("\n"), "first": first * 1000, "median": statistics.median(times) * 1000,
            "busy": busy * 1000, "p95": times[int(len(times) * 0.95)] * 1000, "most": times[-1] * 1000, "least": times[0] * 1000}  # fmt: skip


def _edit(editor: Editor, uri: str, text: str, number: int) -> float:
    """A digit is typed, and every second time a mistake: the word at the place where `id` stood."""
    line = text[: len(text) // 2].count("\n")
    while not text.split("\n")[line].startswith("  select"):
        line += 1
    wrong = number % 2
    ends = (11, 11 if wrong else 12)  # "  select id" gets a letter, and loses it again
    place = {"start": {"line": line, "character": ends[0]}, "end": {"line": line, "character": ends[1]}}
    began = time.perf_counter()
    editor.send("textDocument/didChange", {
        "textDocument": {"uri": uri, "version": number},
        "contentChanges": [{"range": place, "text": "z" if wrong else ""}],
    })  # fmt: skip
    told = editor.told(number)
    assert bool(told) == bool(wrong), told
    return time.perf_counter() - began


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lsp", description="How soon an editor is told.")
    parser.add_argument("--lines", type=int, default=10_000)
    parser.add_argument("--edits", type=int, default=60)
    given = parser.parse_args()
    found = measure(given.lines, given.edits)
    sys.stdout.write(
        f"{found['lines']:.0f} lines: opened in {found['first']:.0f} ms; an edit is told in {found['median']:.0f} ms"
        f" (least {found['least']:.0f}, 95% within {found['p95']:.0f}, most {found['most']:.0f}) and keeps a processor busy for {found['busy']:.0f} ms\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
