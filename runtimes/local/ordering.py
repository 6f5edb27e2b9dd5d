"""Orders to workers: a block and what is known of the artifacts before it -> all that crosses to who does the work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...compiler.actions import Make, Serve
from ...compiler.outlook import Known, Outlook
from ...compiler.program import Input, Node, Program
from ...compiler.state import State
from .. import order as orders
from .rollout import Handed
from .world import World


class Ordering:
    """`outlooks` are the engine's own: they grow while it works."""

    def __init__(self, program: Program, world: World, state: State, outlooks: Mapping[str, Outlook]) -> None:
        self.program, self.world, self.state, self.outlooks = program, world, state, outlooks
        self.at_start = dict(state.names)

    def make(self, node: Node, action: Make) -> orders.Make:
        source = self.state.sources.get(node.name)
        return orders.Make(
            key=action.key, names=tuple(local(name) for name in node.names), kind=node.kind, recipe=node.recipe,
            arguments=_by_local_name(node.arguments, node), secrets=node.secrets,
            inputs=tuple(given for item in node.inputs if (given := self._given(item)) is not None),
            declared=node.declared, columns=_by_local_name(node.columns, node), predict=node.predict,
            needs=node.needs, expected=dict(source.files) if source else {}, root=str(self.world.root),
        )  # fmt: skip

    def _given(self, item: Input) -> orders.Given | None:
        """None for a `last` that was never accepted."""
        digest = self.last(item.name) if item.last else self.digest(item.name)
        if digest is None:
            return None
        node = self.program.node_of()[item.name]
        columns = node.columns.get(item.name) or node.at_least.get(item.name)
        return orders.Given(alias=item.alias, name=item.name, kind=item.kind, digest=digest, columns=columns)

    def last(self, name: str) -> str | None:
        """What was accepted when this apply began, whatever it has accepted since."""
        found = self.at_start.get(name)
        return found.digest if found and self.world.present(found.digest) else None

    def digest(self, name: str) -> str:
        outlook = self.outlooks[name]
        assert isinstance(outlook, Known)
        return outlook.digest

    def judge(self, node: Node, name: str, digest: str, questions: Iterable[Any]) -> orders.Judge:
        about = self.program.node_of()[name]
        asked = tuple(orders.Question.model_validate(q.model_dump(exclude={"name", "digest"})) for q in questions)
        return orders.Judge(name=node.title, digest=digest, kind=about.kind, predict=about.predict, questions=asked,
                            needs=node.needs, root=str(self.world.root))  # fmt: skip

    def serve(self, node: Node, action: Serve) -> Handed:
        given = tuple(one for item in node.inputs if (one := self._given(item)) is not None)
        models = [self.program.node_of()[item.name] for item in node.inputs if item.kind == "model"]
        data = [item.name for model in models[:1] for item in model.inputs if item.kind == "data"]
        outlook = self.outlooks.get(data[0]) if data else None
        before = self.state.record(action.release)
        kept = before.outputs[0] if before and before.outputs else None
        return Handed(given, outlook.digest if isinstance(outlook, Known) else "", kept)


def local(name: str) -> str:
    """A name as its own file calls it: that is how its recipe knows it."""
    return name.rpartition(".")[2]


def _by_local_name(values: Mapping[str, Any], node: Node) -> dict[str, Any]:
    return {local(name) if name in node.names else name: value for name, value in values.items()}
