"""A service's new release: started beside the old, tried, judged, and only then answering."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...compiler import identity
from ...compiler.actions import Judged, Serve
from ...compiler.plan import service_verdict
from ...compiler.program import Fact, Node
from ...compiler.serving import argument_of
from ...compiler.state import Made, State
from ...grammar.kinds import SERVICE_FACTS
from ..order import Given, Make
from ..serving.release import Called, Release
from ..store.objects import Objects
from ..trouble import Trouble

if TYPE_CHECKING:
    from .world import World

PROBES = 100


@dataclass(frozen=True, slots=True)
class RolledOut:
    """`address` is "" when the release was refused; `facts` are its measured times by fact key; `kept` is the release
    as it lies in the store, to be served again."""

    address: str
    facts: dict[str, Any]
    judged: tuple[Judged, ...]
    kept: Made


@dataclass(frozen=True, slots=True)
class Handed:
    """What a service is made from: the digests of its inputs, and of the data that its model was made from, or "".

    `kept` is the release as it was served before, where it is one of before.
    """

    inputs: tuple[Given, ...] = ()
    learned_from: str = ""
    kept: Made | None = None


def roll_out(node: Node, action: Serve, root: Path, objects: Objects, folder: Path, handed: Handed) -> RolledOut:
    """One at a time: what a second apply waited for, and finds answering, is its own result too."""
    from ..serving import control

    if handed.kept is not None and objects.has(handed.kept.digest):
        kept, release = handed.kept, _of_before(handed.kept, objects)
    else:
        release = _release(node, action, handed, objects)
        kept = _kept(release, root, objects)
    with _alone(folder) as waited:
        status = control.status(folder)
        if waited and status.running and status.release == action.release:
            return RolledOut(status.address, {}, (), kept)
        placed = _placed(release, kept, root, objects)
        return _staged(node, action, placed, folder, _probes(release, objects, handed.learned_from), kept)


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Hold the service's lock, which a process that ends lets go; whether another held it before."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "rollout.lock").open("w") as lock:
        waited = False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waited = True
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield waited


def _staged(node: Node, action: Serve, release: Release, folder: Path, probes: list[Any], kept: Made) -> RolledOut:
    from ..serving import control

    measured = control.stage(folder, release, probes)
    facts = {
        identity.fact_key(Fact(of=node.name, function=name), action.release): measured.get(name)
        for name in SERVICE_FACTS
    }
    judged = service_verdict(node, action.release, _told(facts)) or ()
    if all(one.holds for one in judged):
        return RolledOut(control.promote(folder, action.release), facts, judged, kept)
    control.discard(folder, action.release)
    return RolledOut("", facts, judged, kept)


# --- the release ------------------------------------------------------------------------------------------------

RELEASE, CODE = "release.json", "code"


def _release(node: Node, action: Serve, handed: Handed, objects: Objects) -> Release:
    """All of it but where things lie on this machine."""
    said = {name: argument_of(node, name) for name in ("route", "host", "port", "replicas", "log")}
    about: dict[str, Any] = {
        "id": action.release,
        "name": node.name,
        "model_digest": action.digest,
        "doc": node.doc,
        **said,
    }
    if node.exchange is None:
        return Release(**about, shown=_shown(objects, action.digest, handed.learned_from))
    order = Make(key=action.release, names=node.names, kind=node.kind, recipe=node.recipe, arguments=node.arguments,
                 secrets=node.secrets, inputs=handed.inputs, root="")  # fmt: skip
    return Release(**about, called=Called(order=order, exchange=node.exchange))


def _kept(release: Release, root: Path, objects: Objects) -> Made:
    """The release in the store, with the code of its function as it is now: a worker that is started again, and a
    rollback, run what was released, whatever the files say by then."""
    folder = objects.scratch()
    folder.mkdir()
    try:
        (folder / RELEASE).write_text(release.model_dump_json(), encoding="utf-8")
        code = release.called.order.recipe.code if release.called else None
        for file in code.files if code else ():
            if (root / file).is_file():
                (folder / CODE / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(root / file, folder / CODE / file)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        return Made(digest=objects.put_folder(folder), kind="folder", bytes=size)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _of_before(kept: Made, objects: Objects) -> Release:
    return Release.model_validate_json((objects.folder(kept.digest) / RELEASE).read_bytes())


def _placed(release: Release, kept: Made, root: Path, objects: Objects) -> Release:
    called = release.called
    if called is None:
        folder = str(objects.folder(release.model_digest))
        return release.model_copy(update={"root": str(root), "model_folder": folder})
    order = called.order.model_copy(update={"root": str(root)})
    code = str(objects.folder(kept.digest) / CODE) if called.has_code else str(root)
    placed = called.model_copy(update={"order": order, "code": code, "store": str(objects.root)})
    return release.model_copy(update={"root": str(root), "called": placed})


# --- what it is tried with --------------------------------------------------------------------------------------


def _probes(release: Release, objects: Objects, data: str) -> list[Any]:
    """Requests to try a release with: the example of a function; of a model the first rows of what it was made from."""
    if release.called is not None:
        example = release.called.exchange.example
        return [json.loads(example)] if example else []
    table = _features(objects, release.model_digest, data)
    rows = table.slice(0, PROBES).to_pylist() if table is not None else []
    return [
        {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}
        for row in rows
    ]


def _shown(objects: Objects, model: str, data: str) -> dict[str, Any]:
    from ..serving.usual import usual

    table = _features(objects, model, data)
    return usual(table) if table is not None else {}


def _features(objects: Objects, model: str, data: str) -> Any:
    """The columns that a model takes, of the data that it was made from; None where that is no such table."""
    if not data:
        return None
    from .. import tables
    from ..models import load

    features = [column.name for column in load(objects.folder(model)).signature.features]
    table = tables.read(objects, data)
    return table.select(features) if set(features) <= set(table.column_names) else None


def _told(facts: dict[str, Any]) -> State:
    return State(record=lambda _: None, present=lambda _: True, fact=lambda key, _: (key in facts, facts.get(key)),
                 names={}, sources={}, versions={}, services={})  # fmt: skip


def stop_service(world: Any, name: str) -> None:
    from ..serving import control

    control.stop(world.service(name))


def serve_again(world: World, node: Node, release: str) -> str:
    """A release of before, answering again. Returns its address; raises Trouble when what it needs is gone."""
    from ..serving import control

    record = world.ledger.record(release)
    kept = record.outputs[0] if record and record.outputs else None
    if kept is None or not world.objects.has(kept.digest):
        raise Trouble(f"roll back {node.name}", "that release is no longer in the store")
    before = _of_before(kept, world.objects)
    needed = (
        [before.model_digest, *(given.digest for given in before.called.order.inputs)]
        if before.called
        else [before.model_digest]
    )
    if any(digest and not world.objects.has(digest) for digest in needed):
        raise Trouble(f"roll back {node.name}", "what that release was made from is no longer in the store")
    control.stage(world.service(node.name), _placed(before, kept, world.root, world.objects), [])
    address: str = control.promote(world.service(node.name), release)
    return address
