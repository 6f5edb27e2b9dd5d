"""What went wrong with a step, in words, from what its worker answered or how it ended."""

from __future__ import annotations

import signal
from typing import Any

from ...compiler.program import Node
from .. import trouble
from .pool import Result

Failure = tuple[str, str, str]  # message, help, detail

_NAMES = {one.value: one.name for one in signal.Signals}


def what_went_wrong(node: Node, result: Result, answer: dict[str, Any]) -> Failure:
    """Of a step that gave no outcome."""
    if "trouble" in answer:
        action, cause, help_, detail = answer["trouble"]
        return f"could not {action}: {cause}", help_, detail
    if result.cause == "time":
        limit = _duration(node.needs.time or 0)
        return (
            f"could not make {node.title}: it took longer than its time = {limit}, and was ended",
            "raise needs time, or do less",
            "",
        )
    kind, _, number = result.cause.partition(" ")
    if kind == "exit":
        help_ = "a step returns what it made, or raises an error; it does not end its own process"
        if node.needs.memory:  # a library in C may end the process when there is none left
            help_ = f"if memory ran out, raise needs memory = {trouble.size(node.needs.memory)}; the log tells"
        return f"could not make {node.title}: its process ended with exit code {number}", help_, ""
    if kind == "signal" and int(number) != signal.SIGKILL:
        how = f"its process was ended by {_NAMES.get(int(number), result.cause)}"
        crash = int(number) in (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGABRT, signal.SIGFPE)
        return f"could not make {node.title}: {how}", "a library that it calls crashed" if crash else "", ""
    help_ = "if memory ran out, say needs memory = … so that it is told apart, or read less"
    if node.needs.memory:
        help_ = f"if memory ran out, raise needs memory = {trouble.size(node.needs.memory)}, or read less"
    return f"could not make {node.title}: its process was killed", help_, ""


def _duration(seconds: float) -> str:
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g}{unit}"
    return f"{seconds * 1000:g}ms" if seconds < 1 else f"{seconds:g}s"
