"""The real specs on another runtime than local: the same digests, and then nothing to do."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from helpers import Project, Ran

SPECS = Path(__file__).parents[2] / "specs"
ALL = tuple(sorted(path.name for path in SPECS.iterdir() if path.is_dir()))
FEW = ("spaceflights", "wine_quality")
CHOSEN = ALL if os.environ.get("MLSPEC_SPECS") == "all" else FEW  # `make conformance` is for all


def lay_out(name: str, root: Path, env: str) -> Project:
    """A copy of a spec with one environment more."""
    shutil.copytree(SPECS / name, root, ignore=shutil.ignore_patterns(".mlspec", "compiled", "mlspec.lock"))
    with (root / f"{name}.mlspec").open("a", encoding="utf-8") as spec:
        spec.write(f"\n{env}\n")
    return Project(root)


def digests(project: Project, on: str) -> dict[str, str]:
    names = project.data("status", "--on", on)["names"]
    return {name: one["digest"] for name, one in names.items()}


def differences(names: tuple[str, ...], folder: Path, env: str) -> dict[str, Any]:
    """What is otherwise there than on local, by spec; all are applied at once."""
    with ThreadPoolExecutor(3) as pool:
        found = pool.map(lambda name: _difference(lay_out(name, folder / name, env)), names)
        return {name: one for name, one in zip(names, found, strict=True) if one}


def _difference(project: Project) -> Any:
    try:
        here, there = project.run("apply"), _patiently(project, "apply", "--on", "there")
        if (here.code, there.code) != (0, 0):
            return here.text, there.text
        again = project.run("apply", "--on", "there")
        expected, found = digests(project, "local"), digests(project, "there")
        return (expected, found) if expected != found else again.text * (not again.out.startswith("Nothing to be made"))
    finally:
        for name, one in project.data("status", "--on", "there")["names"].items():
            if one["kind"] == "service":
                project.run("stop", name)
                project.run("stop", name, "--on", "there")


def _patiently(project: Project, *words: str) -> Ran:
    process = project.start(*words)
    out, err = process.communicate(timeout=400)
    return Ran(process.returncode, out, err)
