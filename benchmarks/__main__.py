"""Shapes and sizes -> one table of what mlspec takes, beside GNU make with as many `touch` rules."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .process import Cost, Failed, best, measure
from .shapes import write_makefile, write_project

SHAPES = ("chain", "fan", "layered")
RECIPES = ("sql", "python")
MLSPEC = (sys.executable, "-m", "mlspec")
COLUMNS = (
    "shape", "blocks", "recipe", "check", "again", "plan", "cold", "cold/step", "cold cpu", "no-op", "peak",
    "make cold", "make no-op", "cold ratio", "no-op ratio",
)  # fmt: skip


@dataclass(slots=True)
class Row:
    """The costs that were measured, by column; a step that failed leaves its columns empty and a line in `failed`."""

    shape: str
    size: int
    recipe: str
    costs: dict[str, Cost] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        return f"{self.shape} {self.size:,} {self.recipe}"


def main() -> int:
    given = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that temp folders and commands end with us
    version = best([*_mlspec(), "--version"], Path(), given.patience, times=10)
    rows = []
    for row in _asked(given):
        _fill(row, given)
        rows.append(row)
        sys.stderr.write(f"{row.title}: {'; '.join(row.failed) or 'measured'}\n")
    version_line = f"mlspec --version: {version.wall * 1000:.0f} ms, {version.peak:.0f} MB"
    sys.stdout.write("\n".join([version_line, "", *_table(rows, given.markdown), "", *_failures(rows)]))
    return 1 if any(row.failed for row in rows) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="How fast mlspec itself is.")
    parser.add_argument("--sizes", type=_numbers, default=(100, 1000, 10_000))
    parser.add_argument("--shapes", type=_words(SHAPES), default=SHAPES)
    parser.add_argument("--recipes", type=_words(RECIPES), default=RECIPES)
    parser.add_argument("--cold-limit", type=int, default=1000, help="no apply above so many blocks")
    parser.add_argument("--patience", type=float, default=180, help="seconds after which a command is stopped")
    parser.add_argument("--markdown", action="store_true", help="the table as Markdown")
    return parser.parse_args()


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(","))


def _words(known: tuple[str, ...]) -> Callable[[str], tuple[str, ...]]:
    def words(text: str) -> tuple[str, ...]:
        asked = tuple(text.split(","))
        if strange := [word for word in asked if word not in known]:
            raise argparse.ArgumentTypeError(f"{strange[0]} is not one of {', '.join(known)}")
        return asked

    return words


def _asked(given: argparse.Namespace) -> Iterator[Row]:
    for shape in given.shapes:
        for size in given.sizes:
            for recipe in given.recipes:
                yield Row(shape, size, recipe)


def _mlspec() -> tuple[str, ...]:
    """The command as users start it, where it is installed beside this Python."""
    script = Path(sys.executable).with_name("mlspec")
    return (str(script),) if script.exists() else MLSPEC


def _fill(row: Row, given: argparse.Namespace) -> None:
    cold = row.size <= given.cold_limit
    with tempfile.TemporaryDirectory(prefix="mlspec-bench-") as name:
        folder = Path(name)
        write_project(folder, row.shape, row.size, row.recipe)
        write_makefile(folder, row.shape, row.size)
        _run_all(row, folder, given.patience, _steps(cold))


def _steps(cold: bool) -> list[tuple[str, Sequence[str]]]:
    """In this order: check must find no cache the first time, apply no artifact."""
    mlspec = _mlspec()
    steps: list[tuple[str, Sequence[str]]] = [
        ("check", (*mlspec, "check", "bench.mlspec")),
        ("again", (*mlspec, "check", "bench.mlspec")),
        ("plan", (*mlspec, "plan", "bench.mlspec")),
    ]
    if cold:
        steps += [(column, (*mlspec, "apply", "bench.mlspec")) for column in ("cold", "no-op")]
    if cold and (make := shutil.which("make")):
        steps += [(column, (make, "--silent", "-j2")) for column in ("make cold", "make no-op")]
    return steps


def _run_all(row: Row, folder: Path, patience: float, steps: list[tuple[str, Sequence[str]]]) -> None:
    for column, command in steps:
        if column == "no-op" and "cold" not in row.costs:
            continue  # it would be the rest of the cold apply
        try:
            row.costs[column] = measure(command, folder, patience)
        except Failed as failure:
            row.failed.append(f"{column}: {failure}")


def _table(rows: list[Row], markdown: bool) -> list[str]:
    cells = [list(COLUMNS), *(_cells(row) for row in rows)]
    widths = [max(len(line[at]) for line in cells) for at in range(len(COLUMNS))]
    lines = [[cell.rjust(width) for cell, width in zip(line, widths, strict=True)] for line in cells]
    if not markdown:
        return ["  ".join(line) for line in lines]
    rule = ["-" * (width - 1) + ":" for width in widths]
    return [f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:])]


def _cells(row: Row) -> list[str]:
    first = {"shape": row.shape, "blocks": f"{row.size:,}", "recipe": row.recipe}
    walls = {column: _seconds(cost.wall) for column, cost in row.costs.items()}
    return [({**first, **walls, **_derived(row.costs, row.size)}).get(column, "") for column in COLUMNS]


def _derived(costs: dict[str, Cost], size: int) -> dict[str, str]:
    derived = {"peak": f"{max((cost.peak for cost in costs.values()), default=0):.0f} MB"}
    if "cold" in costs:
        derived["cold/step"] = f"{costs['cold'].wall / size * 1000:.1f} ms"
        derived["cold cpu"] = _seconds(costs["cold"].cpu)
    for column in ("cold", "no-op"):
        if column in costs and f"make {column}" in costs:
            derived[f"{column} ratio"] = f"{costs[column].wall / costs[f'make {column}'].wall:.1f}×"
    return derived


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def _failures(rows: list[Row]) -> list[str]:
    return [f"{row.title}: {failure}\n" for row in rows for failure in row.failed]


if __name__ == "__main__":
    sys.exit(main())
