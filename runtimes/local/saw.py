"""What the logs of services hold now, for the data that is read from them."""

from __future__ import annotations

import time
from pathlib import Path

from ...compiler.program import Node, Program
from ...compiler.state import SourceFiles
from ..serving import seen
from .disk import NEAR, Disk

FOLDER = ".mlspec"


def service_folder(root: Path, spec: str, env: str, name: str) -> Path:
    """All that is known of a service of a spec in an environment."""
    return root / FOLDER / "services" / spec.removesuffix(".mlspec") / env / name


def seen_files(program: Program, disk: Disk) -> dict[str, SourceFiles]:
    """By the node's name: as much of each file of the log as is there now, though it goes on growing."""
    return {node.name: _of(node, program, disk) for node in program.nodes if node.recipe.word == "seen"}


def _of(node: Node, program: Program, disk: Disk) -> SourceFiles:
    service = service_folder(disk.root, program.spec, program.environment.name, node.inputs[0].name)
    files: dict[str, str] = {}
    lines: dict[str, int] = {}
    try:
        for path in (*seen.log_of(service), *_columns(node, service)):
            name = path.relative_to(disk.root).as_posix()
            files[name], lines[name] = _held(path, disk)
    except OSError as error:
        return SourceFiles(trouble=f"could not read the log of {node.inputs[0].name}: {error.strerror}")
    return SourceFiles(files, lines)


def _columns(node: Node, service: Path) -> tuple[Path, ...]:
    """Only where the spec does not tell them: else a new release would make nothing new of the same log."""
    file = seen.columns_file(service)
    return (file,) if node.columns.get(node.name) is None and file.is_file() else ()


def _held(path: Path, disk: Disk) -> tuple[str, int]:
    """From memory while nothing was written to the file."""
    stat = path.stat()
    known = disk.ledger.seen(str(path))
    if known and known[:2] == (stat.st_size, stat.st_mtime_ns):
        return known[2], known[3]
    held, lines = seen.held(path)
    if stat.st_mtime_ns < time.time_ns() - NEAR:
        disk.ledger.put_seen(str(path), stat.st_size, stat.st_mtime_ns, held, lines)
    return held, lines
