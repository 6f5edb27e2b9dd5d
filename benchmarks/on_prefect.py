"""A Prefect server, a worker and S3 on loopback, and a spec applied there and here: the digests are the same.

python -m benchmarks.on_prefect [specs/telco_churn/telco_churn.mlspec]
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .loopback import prefect, s3, worker

POOL, BUCKET = "default", "mlspec-demo"


def main(spec: Path) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = folder / "project"
        shutil.copytree(spec.parent, project, ignore=shutil.ignore_patterns(".mlspec", "compiled"))
        own = project / spec.name
        own.write_text(f'{own.read_text()}\nenv away on prefect {{\n  store = "s3://{BUCKET}/{spec.stem}"\n}}\n')
        with s3(folder, BUCKET) as bucket, prefect(folder) as server:
            env = {**os.environ, **bucket, **server}
            with worker(folder, POOL, {**bucket, **server}):
                code = _both(own, env)
                for place in (
                    own,
                    *folder.glob(f"cache/projects/*/project/{spec.name}"),
                ):  # here, and where the worker is
                    _stop_services(place, "local" if place == own else "away", env)
                return code


def _both(spec: Path, env: dict[str, str]) -> int:
    for words in (["apply"], ["apply", "--on", "away"]):
        sys.stdout.write(f"\n$ mlspec {' '.join(words)}\n")
        sys.stdout.flush()
        code = subprocess.run([*MLSPEC, *words, spec.name], cwd=spec.parent, env=env, check=False).returncode
        if code:
            return code
    here, away = _digests(spec, "local", env), _digests(spec, "away", env)
    sys.stdout.write("\n")
    for name, digest in here.items():
        same = "the same" if away.get(name) == digest else f"other: {away.get(name, 'not there')[:12]}"
        sys.stdout.write(f"  {name:14} {digest.removeprefix('folder:')[:12]}  {same}\n")
    return 0 if here == away else 1


MLSPEC = [sys.executable, "-m", "mlspec"]


def _status(spec: Path, on: str, env: dict[str, str]) -> dict[str, dict[str, str]]:
    done = subprocess.run(
        [*MLSPEC, "status", spec.name, "--on", on, "--json"], cwd=spec.parent, env=env, check=True, capture_output=True
    )
    return dict(json.loads(done.stdout)["names"])


def _digests(spec: Path, on: str, env: dict[str, str]) -> dict[str, str]:
    """A service's release is of its own machine: it has a key, and no bytes."""
    return {name: one["digest"] for name, one in _status(spec, on, env).items() if one["kind"] != "service"}


def _stop_services(spec: Path, on: str, env: dict[str, str]) -> None:
    for name, one in _status(spec, on, env).items():
        if one["kind"] == "service":
            subprocess.run(
                [*MLSPEC, "stop", name, spec.name, "--on", on],
                cwd=spec.parent,
                env=env,
                check=False,
                capture_output=True,
            )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "specs/telco_churn/telco_churn.mlspec")))
