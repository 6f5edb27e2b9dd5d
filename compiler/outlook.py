"""What is known of the artifacts before a block, while a plan is made and while it is carried out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    digest: str


@dataclass(frozen=True, slots=True)
class Open:
    """It will be made or judged first."""


@dataclass(frozen=True, slots=True)
class Absent:
    """It was never accepted."""

    why: str


Outlook = Known | Open | Absent
Outlooks = dict[str, Outlook]


def digest_of(outlook: Outlook) -> str:
    assert isinstance(outlook, Known)
    return outlook.digest
