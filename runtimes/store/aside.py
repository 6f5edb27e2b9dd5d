"""A store beside the store: what is made only to be looked at goes there, and goes with its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .objects import Objects


class Aside(Objects):
    """Objects below a folder of their own; what lies in the store behind is found there too, and never written to."""

    def __init__(self, root: Path, behind: Objects) -> None:
        super().__init__(root)
        self.behind = behind

    @property
    def roots(self) -> tuple[Path, ...]:
        return (self.root, *self.behind.roots)

    def _place(self, digest: str) -> Path:
        own = super()._place(digest)
        behind = self.behind._place(digest)
        return behind if not own.exists() and behind.exists() else own

    def _publish(self, path: Path, digest: str) -> None:
        """Without waiting for the disk: nobody looks for it after a crash."""
        place = self._place(digest)
        if place.exists():
            path.unlink()
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)


def objects_in(roots: Sequence[Path]) -> Objects:
    """The objects whose `roots` these are, as another process opens them."""
    own, *behind = roots
    return Aside(own, objects_in(behind)) if behind else Objects(own)
