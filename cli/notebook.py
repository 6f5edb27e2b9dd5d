"""The same few verbs for a notebook: `load("x.mlspec")`, `.plan()`, `.apply()`, `["name"]`. Their repr is the terminal's text."""

from __future__ import annotations

import sys
from typing import Any

from ..compiler import actions
from ..compiler.program import Program
from ..compiler.state import Accepted
from ..runtimes.events import Planned, Summary
from ..runtimes.local.session import Session, find_spec
from ..runtimes.trouble import Trouble
from . import planned, shown
from .progress import Plain


class SpecError(Exception):
    """The spec has mistakes; the text is what `mlspec check` prints."""


class Plan:
    def __init__(self, plan: actions.Plan) -> None:
        self.actions, self._plan = plan.actions, plan

    def __repr__(self) -> str:
        return planned.text(self._plan, lambda text, tint: text)


class Artifact:
    """An accepted artifact."""

    def __init__(self, spec: Spec, name: str) -> None:
        self._spec, self.name = spec, name

    @property
    def digest(self) -> str:
        return self._accepted().digest

    @property
    def metrics(self) -> dict[str, Any]:
        session = self._spec._session
        record = session.world.ledger.record(self._accepted().key)
        return shown.metrics(session, self._spec._program(), self._node(), record)

    def read(self) -> Any:
        """A table as a pandas DataFrame, a model as the object that was fitted, a folder as its path."""
        accepted, objects = self._accepted(), self._spec._session.world.objects
        if accepted.kind == "model":
            from ..runtimes.models import load

            return load(objects.folder(accepted.digest)).native
        from ..runtimes import tables

        if tables.is_folder(objects, accepted.digest):
            return objects.folder(accepted.digest)
        return tables.read(objects, accepted.digest).to_pandas(date_as_object=False)

    def _node(self) -> Any:
        return self._spec._program().node_of()[self.name]

    def _accepted(self) -> Accepted:
        found = self._spec._session.world.ledger.names().get(self.name)
        if found is None:
            raise Trouble(f"read {self.name}", "it was never accepted", ".apply() makes it")
        return found

    def _look(self) -> dict[str, Any]:
        return shown.look(self._spec._session, self._spec._program(), self._node(), self.name, 5)

    def __repr__(self) -> str:
        return shown.text(self._look())

    def _repr_html_(self) -> str:
        found = self._look()
        if not found.get("first"):
            from html import escape

            return f"<pre>{escape(shown.text(found))}</pre>"
        html: str = self.read().head(5).to_html(border=0, index=False)
        return f"<p><b>{self.name}</b> · {found['rows']:,} rows</p>{html}"


class Spec:
    def __init__(self, session: Session) -> None:
        self._session = session

    def plan(self) -> Plan:
        return Plan(self._session.plan(self._program()))

    def apply(self) -> Summary:
        program = self._program()
        plan = self._session.plan(program)
        watch = Plain(sys.stdout)
        watch(Planned(plan))
        return self._session.apply(program, plan, watch)

    def __getitem__(self, name: str) -> Artifact:
        nodes = self._program().node_of()
        if name not in nodes:
            raise KeyError(f"the spec has no {name}; there is {', '.join(nodes)}")
        return Artifact(self, name)

    def _program(self) -> Program:
        checked = self._session.check()
        if not checked.sound:
            raise SpecError("\n" + checked.plain)
        return checked.program

    def __repr__(self) -> str:
        from . import drawing

        return drawing.text(self._program())


def open_spec(path: str, on: str) -> Spec:
    return Spec(Session(find_spec(path), on))
