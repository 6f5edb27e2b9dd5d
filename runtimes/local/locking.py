"""mlspec.lock beside the spec: written after an apply, and read by `apply --locked`."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping

from ...compiler import identity
from ...compiler.lock import DECLARED, FILE, NOTHING, Lock, Pinned, owner, read, written
from ...compiler.program import Node, Program
from ...compiler.state import WITHOUT_VALUES, Record, SourceFiles
from ...compiler.types import Column
from ...grammar.kinds import SOURCES
from .disk import source_files
from .live import versions
from .world import World


def pin(program: Program, world: World, sources: Mapping[str, SourceFiles]) -> None:
    """Keep what the accepted data of each source was read from, as `sources` were seen. Other specs' lines stay."""
    lock = _lock(world)
    me, names, known = owner(world.spec, world.env), world.ledger.names(), versions(program)
    kept: Lock = {place: one for place, one in lock.items() if place[0] != me}
    for node in _sources(program):
        accepted, source = names.get(node.name), sources.get(node.name, SourceFiles())
        record = world.ledger.record(accepted.key) if accepted else None
        if accepted and record and source.files and accepted.key == _key(node, source.files, known):
            kept[me, node.name] = _pinned(node, source, record)
        elif (me, node.name) in lock:
            kept[me, node.name] = lock[me, node.name]
    _write(world, kept, lock)


def _lock(world: World) -> Lock:
    path = world.root / FILE
    return read(path.read_text(encoding="utf-8") if path.is_file() else None)


def _sources(program: Program) -> list[Node]:
    return [node for node in program.nodes if node.recipe.word in (*SOURCES, "seen")]


def _key(node: Node, files: Mapping[str, str], known: Mapping[str, str]) -> str:
    return identity.key_of(identity.making(node, {}, files, known))


def _pinned(node: Node, source: SourceFiles, record: Record) -> Pinned:
    made, origins = record.outputs[0], {column.name: column.origin or column.name for column in node.declared}
    nothing = made.about.get(WITHOUT_VALUES, ())
    columns = {
        origins.get(column.name, column.name): DECLARED if column.name in origins else _told(column, nothing)
        for column in made.columns or ()
    }
    return Pinned(dict(source.files), columns)


def _told(column: Column, nothing: Collection[str]) -> str:
    return NOTHING + "?" * column.type.optional if column.name in nothing else str(column.type)


def _write(world: World, lock: Lock, before: Lock) -> None:
    if lock == before or not (lock or before):
        return
    path = world.root / FILE
    aside = path.with_name(f"{FILE}.{os.getpid()}.part")
    aside.write_text(written(lock), encoding="utf-8")
    aside.replace(path)


# --- locked -------------------------------------------------------------------------------------------------------


def locked_sources(program: Program, world: World) -> dict[str, SourceFiles]:
    """What the sources held by the lock; trouble where neither the store nor the place has that any more."""
    lock, known = _lock(world), versions(program)
    me, now = owner(world.spec, world.env), source_files(program, world.disk)
    return {
        node.name: _locked(node, lock.get((me, node.name)), now[node.name], known, world) for node in _sources(program)
    }


def _locked(node: Node, pinned: Pinned | None, now: SourceFiles, known: Mapping[str, str], world: World) -> SourceFiles:
    if now.unknown:
        return SourceFiles(trouble=f"{FILE} cannot hold {node.name}: {now.unknown}", help="apply without --locked")
    if pinned is None:
        return SourceFiles(
            trouble=f"{FILE} does not hold {node.name}", help="apply once without --locked, and commit it"
        )
    record = world.ledger.record(_key(node, pinned.files, known))
    in_store = record is not None and all(world.present(made.digest) for made in record.outputs)
    if in_store or dict(now.files) == dict(pinned.files):
        return SourceFiles(files=pinned.files, lines=now.lines if not in_store else {})
    return SourceFiles(
        trouble=f"{node.recipe.place or node.name} holds something else than {FILE} says, and the store has no copy of that",
        help="bring back the file, share the store that has it, or apply without --locked",
    )
