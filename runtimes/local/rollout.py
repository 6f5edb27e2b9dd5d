"""A service's new release: started beside the old, tried, judged, and only then answering."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...compiler import identity
from ...compiler.actions import Judged, Serve
from ...compiler.plan import service_verdict
from ...compiler.program import Fact, Node, Program
from ...compiler.state import State
from ...grammar.kinds import RECIPES, SERVICE_FACTS
from ..store.objects import Objects

PROBES = 100


@dataclass(frozen=True, slots=True)
class RolledOut:
    """`address` is "" when the release was refused; `facts` are its measured times by fact key."""

    address: str
    facts: dict[str, Any]
    judged: tuple[Judged, ...]


def roll_out(
    node: Node, program: Program, action: Serve, root: Path, objects: Objects, folder: Path, probe_data: str
) -> RolledOut:
    """One at a time: what a second apply waited for, and finds answering, is its own result too."""
    from ..serving import control

    with _alone(folder) as waited:
        status = control.status(folder)
        if waited and status.running and status.release == action.release:
            return RolledOut(status.address, {}, ())
        return _staged(node, action, root, objects, folder, probe_data)


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


def _staged(node: Node, action: Serve, root: Path, objects: Objects, folder: Path, probe_data: str) -> RolledOut:
    from ..serving import control

    arguments = {argument.name: argument.default for argument in RECIPES["http"].arguments} | dict(node.arguments)
    release = _release(node, action, arguments, root, objects)
    measured = control.stage(folder, release, probes(objects, action.digest, probe_data))
    facts = {
        identity.fact_key(Fact(of=node.name, function=name), action.release): measured.get(name)
        for name in SERVICE_FACTS
    }
    judged = service_verdict(node, action.release, _told(facts)) or ()
    if all(one.holds for one in judged):
        return RolledOut(control.promote(folder, action.release), facts, judged)
    control.discard(folder, action.release)
    return RolledOut("", facts, judged)


def _release(node: Node, action: Serve, arguments: dict[str, Any], root: Path, objects: Objects) -> Any:
    from ..serving import control

    return control.Release(
        id=action.release, name=node.name, model_digest=action.digest, model_folder=str(objects.folder(action.digest)),
        route=str(arguments["route"]), host=str(arguments["host"]), port=arguments["port"], replicas=arguments["replicas"],
        doc=node.doc, root=str(root),
    )  # fmt: skip


def probes(objects: Objects, model: str, data: str) -> list[dict[str, Any]]:
    """Rows to try a release with: the first of the data that its model was made from, as a request would hold them."""
    if not data:
        return []
    from .. import tables
    from ..models import load

    features = [column.name for column in load(objects.folder(model)).signature.features]
    table = tables.read(objects, data)
    if not set(features) <= set(table.column_names):
        return []
    rows = table.select(features).slice(0, PROBES).to_pylist()
    return [
        {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}
        for row in rows
    ]


def _told(facts: dict[str, Any]) -> State:
    return State(record=lambda _: None, present=lambda _: True, fact=lambda key: (key in facts, facts.get(key)),
                 names={}, sources={}, versions={}, services={})  # fmt: skip


def stop_service(world: Any, name: str) -> None:
    from ..serving import control

    control.stop(world.service(name))


def serve_again(world: Any, node: Node, release: str) -> str:
    """A release of before, answering again. Returns its address; raises Trouble when its model is gone."""
    from ..serving import control
    from ..trouble import Trouble

    record = world.ledger.record(release)
    digest = next((value for part, value in (record.parts if record else {}).items() if part.startswith("input ")), "")
    if not digest or not world.objects.has(digest):
        raise Trouble(f"roll back {node.name}", "the model of that release is no longer in the store")
    action = Serve(names=node.names, kind="service", release=release, digest=digest)
    arguments = {argument.name: argument.default for argument in RECIPES["http"].arguments} | dict(node.arguments)
    staged = _release(node, action, arguments, world.root, world.objects)
    control.stage(world.service(node.name), staged, [])
    address: str = control.promote(world.service(node.name), release)
    return address
