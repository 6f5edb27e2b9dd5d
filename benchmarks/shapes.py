"""A shape and a size -> a project of that many trivial steps, for mlspec and for make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

LAYER = 10  # how many blocks stand side by side where the shape is layered

STEPS = """\
import pyarrow as pa


def one(table: pa.Table, number: int) -> pa.Table:
    return table


def two(table: pa.Table, other: pa.Table, number: int) -> pa.Table:
    return table
"""

HEAD = """\
mlspec 1

data n0 from csv "rows.csv" {
  a: int, unique
  b: int
}
"""


def inputs(shape: str, number: int) -> tuple[int, ...]:
    """Which blocks the block of this number is made from."""
    if shape == "chain":
        return (number - 1,)
    if shape == "fan":
        return (0,)
    if number <= LAYER:
        return (0,)
    start = (number - 1) // LAYER * LAYER - LAYER + 1
    return start + (number - 1) % LAYER, start + number % LAYER


def write_project(folder: Path, shape: str, size: int, recipe: str) -> None:
    """`size` blocks, the source among them."""
    (folder / "rows.csv").write_text("a,b\n1,2\n3,4\n5,6\n")
    (folder / "steps.py").write_text(STEPS)
    block = {"sql": _sql, "python": _python}[recipe]
    blocks = [block(number, inputs(shape, number)) for number in range(1, size)]
    (folder / "bench.mlspec").write_text("\n".join([HEAD, *blocks]))


def write_makefile(folder: Path, shape: str, size: int) -> None:
    (folder / "Makefile").write_text("".join(_rules(shape, size)))


# The number goes into each step: two steps with the same key would be made once.
def _sql(number: int, froms: tuple[int, ...]) -> str:
    left, *right = (f"n{each}" for each in froms)
    joined = f" join {right[0]} using (a)" if right else ""
    names = ", ".join([left, *right])
    return f'data n{number} from {names} by sql """select a, {left}.b + {number} as b from {left}{joined}"""\n'


def _python(number: int, froms: tuple[int, ...]) -> str:
    named = ", ".join(f"n{each} as {name}" for each, name in zip(froms, ("table", "other"), strict=False))
    function = "two" if len(froms) == 2 else "one"
    return f'data n{number} from {named} by python "steps.py:{function}" {{\n  number = {number}\n}}\n'


def _rules(shape: str, size: int) -> Iterator[str]:
    yield "all: " + " ".join(f"n{number}" for number in range(size)) + "\n"
    yield "n0:\n\ttouch n0\n"
    for number in range(1, size):
        froms = " ".join(f"n{each}" for each in inputs(shape, number))
        yield f"n{number}: {froms}\n\ttouch n{number}\n"
