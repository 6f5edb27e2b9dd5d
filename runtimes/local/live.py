"""The state as data: what the planner is handed, and what an apply keeps up with its own doing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from ...compiler import identity
from ...compiler.program import Node, Program
from ...compiler.state import Accepted, Record, SourceFiles, State
from ..packages import version
from ..store.ledger import Ledger
from .disk import source_files
from .gpus import gpus
from .world import World, running


class Records:
    """The ledger's records, each read once; one that is made anew is read again."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.known: dict[str, Record] = {}

    def __call__(self, key: str) -> Record | None:
        if key not in self.known:
            record = self.ledger.record(key)
            if record is None:
                return None
            self.known[key] = record
        return self.known[key]

    def forget(self, key: str) -> None:
        self.known.pop(key, None)


class Live:
    """The state of now. What is changed through it is changed in the ledger, and seen in `state` at once."""

    def __init__(self, program: Program, world: World, sources: Mapping[str, SourceFiles] | None = None) -> None:
        self._ledger, self._records = world.ledger, Records(world.ledger)
        self._names = world.ledger.names()
        world.objects.look_for(one.digest for one in self._names.values() if one.kind != "service")
        self._sources = dict(source_files(program, world.disk) if sources is None else sources)
        self.state = State(
            record=self._records,
            present=world.present,
            fact=world.ledger.fact,
            names=self._names,
            sources=self._sources,
            versions=versions(program),
            services=running(program, world),
            now=time.time(),
            gpus=len(gpus()),
        )

    def keep(self, record: Record, token: int | None = None) -> bool:
        """False if the key was leased to another since `token` was given: then nothing is written."""
        self.forget(record.key)
        return self._ledger.put_record(record, token)

    def forget(self, key: str) -> None:
        """Somebody else may have made it: it is read again."""
        self._records.forget(key)

    def accept(self, node: Node, key: str, digests: Iterable[str]) -> None:
        """From now on the block's names point at these."""
        now = time.time()
        moved = [
            self._accepted(name, node.kind, digest, key, now) for name, digest in zip(node.names, digests, strict=True)
        ]
        self._ledger.accept(moved)
        self._names.update({one.name: one for one in moved})

    def _accepted(self, name: str, kind: str, digest: str, key: str, at: float) -> Accepted:
        before = self._names.get(name)
        withdrawn = tuple(old for old in before.withdrawn if old != digest) if before else ()
        return Accepted(name=name, kind=kind, digest=digest, key=key, at=at, withdrawn=withdrawn)

    def rekey(self, node: Node, key: str) -> None:
        """The same bytes came out of other parts: from now on they are known by what made them last."""
        self._ledger.rekey(node.names, key)
        self._names.update({name: self._names[name].model_copy(update={"key": key}) for name in node.names})

    def see(self, sources: Mapping[str, SourceFiles]) -> None:
        """Sources of which nothing was known when this began."""
        self._sources.update(sources)


def state_of(program: Program, world: World, sources: Mapping[str, SourceFiles] | None = None) -> State:
    """The state now; what the ledger and the store say is looked up live."""
    return Live(program, world, sources).state


def versions(program: Program) -> dict[str, str]:
    """The versions of the packages that the program's keys hold, by import name."""
    wanted = {package for node in program.nodes for package in identity.packages_of(node)}
    return {package: version(package) for package in sorted(wanted)}
