"""What a code is. The codes themselves stand in `codes.py` and beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Code:
    """`title` is filled with the diagnostic's facts; where it is nothing but a fact, `about` says what the code is about.
    `why` explains; `wrong` and `right` are small specs that show it."""

    id: str
    title: str
    why: str
    wrong: str = ""
    right: str = ""
    about: str = ""

    @property
    def severity(self) -> Severity:
        return "error" if self.id.startswith("E") else "warning"
