"""Remove from the store what nothing holds: no name, no entry of a name's history that can be rolled back to, no lease."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from ..store.ledger import Ledger, alive
from ..store.objects import FOLDER, Objects
from ..trouble import Trouble
from .takeout import NOTEBOOK
from .world import World


@dataclass(frozen=True, slots=True)
class Swept:
    objects: int
    bytes: int
    kept: int


def sweep(world: World, *, dry: bool = False) -> Swept:
    held, keys = _held(world.ledger, world.objects)
    gone = [digest for digest in world.objects.digests() if digest not in held]
    size = sum(world.objects.size(digest) for digest in gone)
    kept = sum(1 for _ in world.objects.digests()) - len(gone)
    if not dry:
        if _someone_runs(world.ledger):
            raise Trouble("sweep the store", "an apply is running", "wait for it, or stop it")
        world.ledger.forget_records(record.key for record in list(world.ledger.records()) if record.key not in keys)
        for digest in gone:
            world.objects.remove(digest)
        shutil.rmtree(world.objects.aside, ignore_errors=True)
    return Swept(len(gone), size, kept)


def _someone_runs(ledger: Ledger) -> bool:
    rows = ledger.db.execute("select process from runs where status = 'running'").fetchall()
    return any(alive(process) for (process,) in rows)


def _held(ledger: Ledger, objects: Objects) -> tuple[set[str], set[str]]:
    """The plain digests of what stays, and the keys whose records stay."""
    held: set[str] = set()
    keys = {key for _, _, key in ledger.everyones()} | ledger.leased()
    wanted = {digest for _, digest, _ in ledger.everyones()}
    # What came out the same from other parts is known by their key too: without its record it would be made again.
    keys |= {r.key for r in ledger.records() if r.outputs and all(made.digest in wanted for made in r.outputs)}
    for key in keys:
        record = ledger.record(key)
        for made in record.outputs if record else ():
            wanted |= {made.digest, *({made.about[NOTEBOOK]} if NOTEBOOK in made.about else ())}
    for digest in wanted:
        plain = digest.removeprefix(FOLDER)
        held.add(plain)
        if digest.startswith(FOLDER) and objects.has(digest):
            held |= set(objects.listing(digest).values())
    return held, keys
