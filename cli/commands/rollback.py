from __future__ import annotations

import argparse
import time

from ...compiler.program import Node
from ...compiler.state import Accepted
from ...runtimes.local.rollout import serve_again
from ...runtimes.local.session import Session
from ...runtimes.serving import control
from ...runtimes.trouble import Trouble
from .. import frame, words


def arguments(parser: argparse.ArgumentParser) -> None:
    frame.name_and_spec(parser)
    parser.add_argument("--to", metavar="DIGEST", help="the beginning of the digest to go to; the one before if unsaid")


def run(given: argparse.Namespace) -> int:
    session = frame.open_session(given)
    program = frame.program_of(session)
    node = frame.artifact(program, given.name)
    ledger = session.world.ledger
    now = ledger.names()
    if given.name not in now:
        raise Trouble(f"roll back {given.name}", "it was never accepted")
    moved = []
    for name in node.names:
        current, past = now[name], _target(session, name, now[name], given.to if name == given.name else None)
        withdrawn = tuple(d for d in {*current.withdrawn, current.digest} if d != past.digest)
        moved.append(
            Accepted(
                name=name, kind=current.kind, digest=past.digest, key=past.key, at=time.time(), withdrawn=withdrawn
            )
        )
    if node.kind == "service":
        _must_be_here(session, node)
        serve_again(session.world, node, moved[0].digest)
    ledger.accept(moved, "rolled back")
    for one in moved:
        frame.say(
            f"{one.name} points at {one.digest.removeprefix('folder:')[:12]} again, accepted {words.moment(_since(session, one))}"
        )
    if node.kind != "service":
        frame.say(
            f"mlspec apply{words.on(given.on)} brings what depends on it along; the newer one is not taken again until it changes"
        )
    return frame.DONE


def _must_be_here(session: Session, node: Node) -> None:
    """A release of before begins to answer where we are, and it would be a second one if the service runs elsewhere."""
    now = session.world.status(node.name)
    if now.running and not control.status(session.world.service(node.name)).running:
        from_ = node.inputs[0].name if node.inputs else "what it is made from"
        raise Trouble(f"roll back {node.name}", f"another machine runs it, at {now.address}",
                      f"roll back {from_} and apply: the service follows it")  # fmt: skip


def _target(session: Session, name: str, current: Accepted, to: str | None) -> Accepted:
    for past in session.world.ledger.history(name):
        digest = past.digest.removeprefix("folder:")
        wanted = digest.startswith(to) if to else past.digest != current.digest and past.digest not in current.withdrawn
        if wanted:
            return Accepted(name=name, kind=current.kind, digest=past.digest, key=past.key, at=past.at)
    raise Trouble(f"roll back {name}", f"no accepted artifact begins with {to}" if to else "there is none before it")


def _since(session: Session, one: Accepted) -> float:
    return min(past.at for past in session.world.ledger.history(one.name) if past.digest == one.digest)
