"""The world's failures: one exception, one clear line."""

from __future__ import annotations

from ..grammar.kinds import UNITS


class Trouble(Exception):
    """`action` is what was tried ("read data/x.csv"), `cause` why it did not work, `help` the way out, if there is one.

    `detail` is what a person may want to see below the line: the user's own frames, the end of a log.
    """

    def __init__(self, action: str, cause: str, help: str = "", detail: str = "") -> None:  # noqa: A002 the word users read
        super().__init__(f"could not {action}: {cause}")
        self.action, self.cause, self.help, self.detail = action, cause, help, detail

    def __reduce__(self) -> tuple[type[Trouble], tuple[str, str, str, str]]:
        return type(self), (self.action, self.cause, self.help, self.detail)


class Misuse(Trouble):
    """A command was asked for what it cannot do: wrong usage, and no failure of the world."""


def out_of_memory(error: BaseException) -> bool:
    """DuckDB has an error of its own for it."""
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryException"


def no_memory(action: str, memory: int | None) -> Trouble:
    limit = f" than its memory = {size(memory)}" if memory else " than there is"
    return Trouble(action, f"it needs more memory{limit}", "raise needs memory, or read less")


def size(count: int) -> str:
    """As one writes it in a spec: in the largest unit of which it is a whole number."""
    sizes = {name: int(unit.factor) for name, unit in UNITS.items() if unit.dimension == "size"}
    name, factor = max(
        ((name, one) for name, one in sizes.items() if count % one == 0 and one <= count),
        key=lambda pair: pair[1], default=("B", 1),
    )  # fmt: skip
    return f"{count // factor}{name}"
