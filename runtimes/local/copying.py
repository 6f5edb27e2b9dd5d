"""What the names of a spec hold, from one store to another: artifacts, records and facts. The names stay where they are."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ...compiler.load import is_remote
from ...compiler.program import Program
from ...grammar.kinds import SOURCES
from ..store.objects import Objects
from ..trouble import Trouble
from .sweep import made_by
from .world import World

AT_ONCE = 8

Watch = Callable[[int, int, int], None]  # artifacts done, of how many, and their bytes


@dataclass(frozen=True, slots=True)
class Copied:
    """`moved` of the `artifacts` were not there before; `bytes` are theirs."""

    artifacts: int
    moved: int
    bytes: int
    records: int
    lost: int = 0  # what an entry of the history names, and the store no longer has


def copy(source: World, target: World, watch: Watch) -> Copied:
    """Goes on where one before was cut: what is there is not moved again."""
    if source.objects.root == target.objects.root:
        raise Trouble("copy the store", f"both environments keep their artifacts in {source.objects.root}",
                      "name the other one: --on, --of")  # fmt: skip
    held = source.ledger.everyones(own=True)
    source.ledger.look_for((key for _, _, key in held), (digest for _, digest, _ in held))
    records = [record for key in dict.fromkeys(key for _, _, key in held) if (record := source.ledger.record(key))]
    named = {digest for _, digest, key in held if digest != key}  # a service points at its release, which is a key
    digests = sorted({*named, *(digest for record in records for digest in made_by(record))})
    source.objects.look_for(digests)
    target.objects.look_for(digests)
    there = [digest for digest in digests if source.objects.has(digest)]
    new = [digest for digest in there if not target.objects.has(digest)]
    size = _moved(new, source.objects, target.objects, watch)
    about = {*digests, *(record.key for record in records)}
    target.ledger.adopt(records, {one: facts for one in sorted(about) if (facts := source.ledger.facts_about(one))})
    return Copied(len(there), len(new), size, len(records), len(digests) - len(there))


def _moved(digests: list[str], source: Objects, target: Objects, watch: Watch) -> int:
    """Several at once; the number of their bytes."""

    def move(digest: str) -> int:
        target.take(digest, source)
        return target.size(digest)

    done = size = 0
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for count in threads.map(move, digests):
            done, size = done + 1, size + count
            watch(done, len(digests), size)
    return size


def push_sources(program: Program, world: World) -> int:
    """The files of this machine that sources name, into the store by their digests. Returns how many there are."""
    from .disk import source_files

    sources = source_files(program, world.disk)
    files: dict[str, Path] = {}
    for node in program.nodes:
        if node.recipe.word in SOURCES and not is_remote(node.recipe.word, node.recipe.place):
            files |= {digest: world.root / path for path, digest in sources[node.name].files.items()}
    world.objects.put_files(files)
    return len(files)
