"""What an artifact costs on Prefect: a flow compiled from a spec, beside the same flow of plain tasks that do as little.

python -m benchmarks.prefect --blocks 10
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .loopback import prefect, worker

POOL = "bench"
PLAIN = """import subprocess, sys
from prefect import flow, task
{tasks}

@flow(name="plain")
def plain():
    return [{calls}]

if __name__ == "__main__":
    plain()
"""
TASK = '@task(name="b{n}")\ndef b{n}():\n    {body}'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with prefect(folder) as env, worker(folder, POOL, env):
            env = {**os.environ, **env}
            rows = [("nothing", _plain(folder, given.blocks, "pass", env)),
                    ("python -c pass", _plain(folder, given.blocks, 'subprocess.run([sys.executable, "-c", "pass"])', env)),
                    ("import prefect", _plain(folder, given.blocks, 'subprocess.run([sys.executable, "-c", "import prefect"])', env)),
                    ("mlspec, new", _mlspec(folder, given.blocks, env)), ("mlspec, reused", _again(folder, env))]  # fmt: skip
    sys.stdout.write(
        f"{given.blocks} tasks in a row, each a step that does nothing; the whole run by the number of tasks\n\n"
    )
    for what, seconds in rows:
        sys.stdout.write(f"{what:16} {seconds:6.1f} s  {seconds / given.blocks:6.2f} s a task\n")


def _plain(folder: Path, blocks: int, body: str, env: dict[str, str]) -> float:
    """A deployment of plain tasks on the same pool, from asking for the run to its end."""
    tasks = "\n\n".join(TASK.format(n=n, body=body) for n in range(blocks))
    place = folder / f"plain{abs(hash(body))}"
    place.mkdir()
    (place / "flow.py").write_text(PLAIN.format(tasks=tasks, calls=", ".join(f"b{n}()" for n in range(blocks))))
    cli = [sys.executable, "-m", "prefect", "--no-prompt"]
    subprocess.run(
        [*cli, "deploy", "flow.py:plain", "--name", "plain", "--pool", POOL],
        cwd=place,
        env=env,
        check=True,
        capture_output=True,
    )
    began = time.monotonic()
    subprocess.run(
        [*cli, "deployment", "run", "plain/plain", "--watch"], cwd=place, env=env, check=True, capture_output=True
    )
    return time.monotonic() - began


def _mlspec(folder: Path, blocks: int, env: dict[str, str]) -> float:
    place = folder / "spec"
    place.mkdir()
    (place / "a.csv").write_text("x\n1\n2\n")
    (place / "f.py").write_text("def same(a):\n    return a\n")
    steps = "\n".join(
        f'data b{n} from {f"b{n - 1} as a" if n > 1 else "b0 as a"} by python "f.py:same"' for n in range(1, blocks)
    )
    _write(place, f'data b0 from csv "a.csv"\n{steps}\n', folder)
    return _apply(place, env)


def _again(folder: Path, env: dict[str, str]) -> float:
    """Only the last of them is new."""
    place = folder / "spec"
    spec = (place / "s.mlspec").read_text()
    (place / "s.mlspec").write_text(
        spec.replace("\n\nenv", '\n\ndata last_one from b0 by sql "select 1 as one from b0"\n\nenv')
    )
    return _apply(place, env)


def _write(place: Path, blocks: str, folder: Path) -> None:
    env = f'env prod on prefect {{\n  store = "{folder / "store"}"\n  work_pool = "{POOL}"\n}}\n'
    (place / "s.mlspec").write_text(f"{blocks}\n\n{env}")


def _apply(place: Path, env: dict[str, str]) -> float:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "mlspec", "apply", "--on", "prod"],
        cwd=place,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
