"""Remove from a bucket what nothing holds, and nobody wrote within the hour: other machines may be about to name it."""

from __future__ import annotations

from collections.abc import Callable

from ..store.bucket import Bucket, at_once
from ..store.ledger import Young
from ..store.packs import of_index
from ..store.shared import SharedObjects
from .sweep import Swept
from .world import World


def sweep_bucket(world: World, held: set[str], keys: set[str], young: Young, *, dry: bool) -> Swept:
    objects = world.objects
    assert isinstance(objects, SharedObjects)
    stays = _stays(objects.bucket, held, keys)
    listed = list(objects.bucket.list(""))
    gone = [one for one in listed if one.at.timestamp() <= young.since and not stays(one.path)]
    if not dry:
        world.ledger.forget_records(_name(one.path) for one in gone if one.path.startswith("records/"))
        objects.bucket.delete([one.path for one in gone if not one.path.startswith("records/")])
        for digest in objects.digests():
            if digest not in held:
                objects.drop(digest)
    return Swept(len(gone), sum(one.size for one in gone), len(listed) - len(gone))


def _stays(bucket: Bucket, held: set[str], keys: set[str]) -> Callable[[str], bool]:
    """What is held, by its path. What we did not write is none of ours."""
    indexes = [one.path for one in bucket.list("folders/") if _name(one.path) in held]
    packs = {pack.digest for found in at_once(bucket.get, indexes) if found for pack in of_index(found.body)}
    known = {"packs": packs, "folders": held, "records": keys, "facts": held | keys, "leases": set[str]()}

    def stays(path: str) -> bool:
        folder, _, rest = path.partition("/")
        if folder == "objects":
            return rest.replace("/", "") in held
        return folder not in known or _name(path) in known[folder]

    return stays


def _name(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".json")
