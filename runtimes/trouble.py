"""The world's failures: one exception, one clear line."""

from __future__ import annotations


class Trouble(Exception):
    """`action` is what was tried ("read data/x.csv"), `cause` why it did not work, `help` the way out, if there is one.

    `detail` is what a person may want to see below the line: the user's own frames, the end of a log.
    """

    def __init__(self, action: str, cause: str, help: str = "", detail: str = "") -> None:  # noqa: A002 the word users read
        super().__init__(f"could not {action}: {cause}")
        self.action, self.cause, self.help, self.detail = action, cause, help, detail

    def __reduce__(self) -> tuple[type[Trouble], tuple[str, str, str, str]]:
        return type(self), (self.action, self.cause, self.help, self.detail)
