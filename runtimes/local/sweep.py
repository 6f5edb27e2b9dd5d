"""Remove from the store what nothing holds: no name, no entry of a name's history that can be rolled back to, no lease,
no project that was sent to a platform. What was laid out of it on this machine goes too, once nobody uses it."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import dataclass, replace

from ...compiler.state import Record
from .. import laid_out, shipping
from ..store.ledger import Ledger, Young, alive
from ..store.objects import FOLDER, Damaged, Objects
from ..trouble import Trouble
from .takeout import NOTEBOOK
from .world import World

AN_HOUR = 3600.0  # seconds for which what is in a bucket is left alone: somebody may be about to hold it


@dataclass(frozen=True, slots=True)
class Swept:
    objects: int
    bytes: int
    kept: int
    projects: int = 0  # that were laid out here


def sweep(world: World, *, dry: bool = False) -> Swept:
    swept = _sweep_store(world, dry=dry)
    return replace(swept, projects=laid_out.sweep(world.root, dry=dry))


def _sweep_store(world: World, *, dry: bool) -> Swept:
    young = world.ledger.young(AN_HOUR, dry=dry)
    held, keys = _held(world.ledger, world.objects, young)
    if world.ledger.is_shared:
        from .sweep_bucket import sweep_bucket  # only who has one pays for it

        return sweep_bucket(world, held, keys, young, dry=dry)
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


def made_by(record: Record) -> set[str]:
    """The digests of all that came of it."""
    digests = {made.digest for made in record.outputs}
    return digests | {made.about[NOTEBOOK] for made in record.outputs if NOTEBOOK in made.about}


def _sent(ledger: Ledger, objects: Objects) -> set[str]:
    """What a schedule somewhere takes out of the store again and again, whatever has been made since."""
    held: set[str] = set()
    for folder in ledger.sent():
        with contextlib.suppress(Damaged):  # the next apply sends it again
            held |= shipping.needed(folder, objects)
    return held


def _held(ledger: Ledger, objects: Objects, young: Young) -> tuple[set[str], set[str]]:
    """The plain digests of what stays, and the keys whose records stay."""
    held: set[str] = set()
    keys = {key for _, _, key in ledger.everyones()} | ledger.leased() | young.keys
    wanted = {digest for _, digest, _ in ledger.everyones()}
    # What came out the same from other parts is known by their key too: without its record it would be made again.
    keys |= {r.key for r in ledger.records() if r.outputs and all(made.digest in wanted for made in r.outputs)}
    for key in keys:
        record = ledger.record(key)
        wanted |= made_by(record) if record else set()
    wanted |= _sent(ledger, objects)
    for digest in wanted:
        plain = digest.removeprefix(FOLDER)
        held.add(plain)
        if digest.startswith(FOLDER) and objects.has(digest):
            held |= set(objects.listing(digest).values())
    # A part of a table is known by its own key: without its record it would be made again.
    keys |= {r.key for r in ledger.records() if r.outputs and all(made.digest in held for made in r.outputs)}
    return held, keys
