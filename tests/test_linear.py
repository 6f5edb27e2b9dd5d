"""To check a spec takes work that grows with its length: counted in calls, since seconds depend on the machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest
from mlspec.compiler.load import InMemory
from mlspec.compiler.pipeline import compile_text

SOURCE = 'mlspec 1\n\ndata b0 from csv "a.csv" {\n  x: int\n  y: float\n}\n'
FUNCTIONS = "def f(**data): return data\n"


def chained(block: str, first: int = 1) -> Callable[[int], str]:
    """A spec of so many blocks, each made from the one before."""
    return lambda count: SOURCE + "".join(block.format(i=i, before=i - 1) for i in range(first, count))


SHAPES = {
    "a chain of queries": chained('data b{i} from b{before} by sql "select x, y + {i} as y from b{before}"\n'),
    "a chain of functions": chained('data b{i} from b{before} by python "f.py:f"\n'),
    "a chain of functions that say a column": chained('data b{i} from b{before} by python "f.py:f" {{ x: int }}\n'),
    "a chain of splits": chained('data b{i}, c{i} from b{before} by split {{ c{i} = 20% }}\n'),
    "a chain of mistakes": chained('data b{i} from b{before} by sql "select z from b{before}"\n'),
    "a chain behind a mistake": lambda count: chained('data b{i} from b{before} by python "f.py:f" {{ x: int }}\n', 2)(count)
    .replace("from b1 ", "from b_1 "),
    "many models of the same data": chained(
        'model m{i} from b0 by python "sklearn.linear_model:Ridge" {{ predict .y from .x }}\ndata p{i} from b0 by m{i}\n'
    ),
    "many inputs": lambda count: chained('data b{i} from b0 by python "f.py:f"\n')(count)
    + f"data all_ from {', '.join(f'b{i}' for i in range(1, count))} by python \"f.py:f\"\n",
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_blocks_are_twice_the_work(shape: str) -> None:
    calls(SHAPES[shape](8))  # what is imported and read once
    few, many = calls(SHAPES[shape](150)), calls(SHAPES[shape](300))
    assert many < 2.3 * few


def calls(spec: str) -> int:
    """Of functions, those in C included, that a compile makes."""
    count = 0

    def heard(frame: FrameType, event: str, what: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    files = InMemory({"s.mlspec": spec, "f.py": FUNCTIONS, "a.csv": "x,y\n1,2.0\n"})
    sys.setprofile(heard)
    try:
        compile_text("s.mlspec", spec, files)
    finally:
        sys.setprofile(None)
    return count
