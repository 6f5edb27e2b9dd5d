"""Everything that applying on this machine needs to hold: the spec's folder, the store, the ledger."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...compiler.program import LOCAL, Program
from ...compiler.state import Running
from ..store.ledger import Ledger
from ..store.objects import Objects
from ..store.opening import FOLDER, open_store
from .disk import Disk

if TYPE_CHECKING:
    from ..serving.release import Status


@dataclass(slots=True)
class World:
    """`root` is the folder of the spec, `spec` the file's name, `env` the environment's."""

    root: Path
    spec: str
    env: str
    objects: Objects
    ledger: Ledger
    disk: Disk
    _present: set[str] = field(default_factory=set)

    def is_beside_spec(self) -> bool:
        return self.objects.root == self.root / FOLDER

    def services(self) -> Path:
        return self.root / FOLDER / "services" / self.spec.removesuffix(".mlspec") / self.env

    def service(self, name: str) -> Path:
        return self.services() / name

    def status(self, name: str) -> Status:
        """How a service is: here, or where the record of its release says."""
        from ..serving import afar, control

        here = control.status(self.service(name))
        released = None if here.running else self.released(name)
        return afar.status(*released) if released else here

    def released(self, name: str) -> tuple[str, dict[str, Any]] | None:
        """The release of a service that may run on another machine, and what its record says of it; None of one that
        was never served, or is served by this machine alone."""
        accepted = None if self.env == LOCAL else self.ledger.names().get(name)
        record = self.ledger.record(accepted.key) if accepted else None
        return (accepted.digest, record.outputs[0].about) if accepted and record else None

    def log(self, run: int, name: str) -> Path:
        return self.root / FOLDER / "logs" / f"{run}" / f"{name}.log"

    def present(self, digest: str) -> bool:
        """Whether an artifact lies in the store. What was seen once is not looked for again while we run."""
        if digest in self._present:
            return True
        found = self.objects.has(digest)
        if found:
            self._present.add(digest)
        return found

    def forget(self, digest: str) -> None:
        self._present.clear()
        self.objects.remove(digest)


def open_world(spec: Path, env: str = "local", store: str = "") -> World:
    """`store` is the folder or the bucket of artifacts and names, if not the folder beside the spec."""
    root = spec.resolve().parent
    objects, ledger = open_store(root, store, spec.name, env)
    return World(root, spec.name, env, objects, ledger, Disk(root, ledger))


def running(program: Program, world: World) -> dict[str, Running]:
    names = [node.name for node in program.nodes if node.kind == "service"]
    folders = world.services()
    if folders.is_dir():
        names += [path.name for path in folders.iterdir() if path.is_dir() and path.name not in names]
    found = {name: world.status(name) for name in names}
    return {name: Running(release=s.release, address=s.address) for name, s in found.items() if s.running}
