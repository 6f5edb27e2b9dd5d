"""A store beside the store: what is made only to be looked at goes there, and goes with its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO

from .objects import Objects
from .opening import objects_at


class Aside(Objects):
    """Objects below a folder of their own; what lies in the store behind is found there too, and never written to."""

    durable = False  # nobody looks for it after a crash

    def __init__(self, root: Path, behind: Objects) -> None:
        super().__init__(root)
        self.behind = behind

    @property
    def roots(self) -> tuple[Path, ...]:
        return (self.root, *self.behind.roots)

    def has(self, digest: str) -> bool:
        return super().has(digest) or self.behind.has(digest)

    def open(self, digest: str) -> IO[bytes]:
        return super().open(digest) if super()._place(digest).exists() else self.behind.open(digest)

    def _place(self, digest: str) -> Path:
        own = super()._place(digest)
        behind = self.behind._place(digest)
        return behind if not own.exists() and behind.exists() else own

    def _fetch(self, digests: Sequence[str], folder: str, cause: str) -> None:
        self.behind._fetch(digests, folder, cause)


def objects_in(roots: Sequence[Path]) -> Objects:
    """The objects whose `roots` these are, as another process opens them."""
    own, *behind = roots
    return Aside(own, objects_in(behind)) if behind else objects_at(own)
