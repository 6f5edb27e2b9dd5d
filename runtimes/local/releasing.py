"""Services: a release is rolled out in a thread, while the engine goes on, and settled when it answers or is refused."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from ...compiler.actions import Serve
from ...compiler.outlook import Absent, Known
from ...compiler.program import Node
from ...compiler.state import Record, SourceFiles
from ..events import Settled, Started
from ..serving import afar
from ..trouble import Trouble
from .doing import Doing, Engine
from .rollout import roll_out


@dataclass(frozen=True, slots=True)
class Served:
    name: str
    action: Serve
    outcome: Any
    seconds: float


class Releasing:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def begin(self, doing: Doing, action: Serve) -> None:
        node = doing.node
        self.engine.doing[node.name] = doing
        self.engine.tell(Started(node.title, "serve"))
        world, handed = self.engine.world, self.engine.order.serve(node, action)

        def work() -> None:
            began = time.monotonic()
            try:
                outcome: Any = roll_out(node, action, world.root, world.objects, world.service(node.name), handed)
            except Trouble as trouble:
                outcome = trouble
            except Exception as error:  # told as any failure; a thread must answer
                outcome = Trouble(f"start {node.name}", f"{type(error).__name__}: {error}")
            self.engine.results.put(Served(node.name, action, outcome, time.monotonic() - began))

        threading.Thread(target=work, daemon=True).start()

    def heard(self, served: Served) -> None:
        doing = self.engine.doing[served.name]
        node, action = doing.node, served.action
        doing.seconds += served.seconds
        if isinstance(served.outcome, Trouble):
            trouble = served.outcome
            self.engine.failed(doing, str(trouble), trouble.help, trouble.detail)
            self.engine.finish(doing)
            return
        self.engine.world.ledger.put_facts(served.outcome.facts, action.release)
        if served.outcome.address:
            self._answers(served, node)
        else:
            self.engine.refusals.append(node.title)
        how = "served" if served.outcome.address else "refused"
        now = self.engine.state.names.get(node.name)  # where the new release was refused, the one of before answers on
        self.engine.outlooks[node.name] = Known(now.digest) if now else Absent(f"{node.name} was not accepted")
        self.engine.counts[how] = self.engine.counts.get(how, 0) + 1
        self.engine.tell(Settled(
            node.title, node.kind, how, doing.seconds, judged=served.outcome.judged,
            reason="; ".join(action.reason), address=served.outcome.address,
        ))  # fmt: skip
        self.engine.finish(doing)

    def _answers(self, served: Served, node: Node) -> None:
        """The new release does: the name points at it, and its record says where it is."""
        action, kept = served.action, served.outcome.kept
        about = kept.about | afar.whereabouts(served.outcome.address)
        self.engine.live.keep(Record(
            key=action.release, parts=action.parts, outputs=(kept.model_copy(update={"about": about}),),
            at=time.time(), seconds=served.seconds,
        ))  # fmt: skip
        self.engine.live.accept(node, action.release, (action.release,))
        self._look_at_log_of(node.name)

    def _look_at_log_of(self, service: str) -> None:
        """Of a service that answers for the first time nothing was known when this apply began."""
        from .saw import seen_files

        waiting = [
            node for node in self.engine.program.nodes if node.recipe.word == "seen" and node.inputs[0].name == service
        ]
        new = {node.name for node in waiting if self.engine.state.sources.get(node.name) == SourceFiles()}
        if new:
            found = seen_files(self.engine.program, self.engine.world.disk)
            self.engine.live.see({name: found[name] for name in new})
