"""A spec opened on this machine: what every command and a notebook do with it, in one place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...compiler.lock import FILE
from ...compiler.program import LOCAL, Program
from ...compiler.state import Accepted, State
from ...compiler.types import Column
from ...grammar.diagnostic import listing, nearest
from ..ourselves import version_of
from ..trouble import Misuse, Trouble
from . import texts
from .disk import Disk
from .live import state_of, versions
from .world import World, open_world

if TYPE_CHECKING:  # the planner and the engine are imported by who plans and applies: a check needs neither
    from ...compiler.actions import Plan, Refuse
    from ...compiler.target import Project
    from ..events import Summary, Watch
    from ..shipping import Shipment
    from .sharing import Share


class Checked:
    """A compile as commands need it: what was told of the spec, for people and for machines, and the program, which
    is read only when it is asked for: to check a spec that did not change it is not."""

    def __init__(self, head: dict[str, Any], program: Program | bytes) -> None:
        self.head, self._program = head, program

    @property
    def plain(self) -> str:
        return str(self.head["plain"])

    @property
    def coloured(self) -> str:
        return str(self.head["coloured"])

    @property
    def data(self) -> list[dict[str, Any]]:
        return list(self.head["data"])

    @property
    def sound(self) -> bool:
        return bool(self.head["sound"])

    @property
    def blocks(self) -> int:
        return int(self.head["blocks"])

    @property
    def store(self) -> str:
        return str(self.head["store"])

    @property
    def program(self) -> Program:
        if isinstance(self._program, bytes):
            self._program = Program.model_validate_json(self._program)
        return self._program


def find_spec(path: str) -> Path:
    """The spec's file: as named, or the only one in the working folder."""
    if path:
        found = Path(path)
        if found.is_dir():
            return _only(found)
        if not found.is_file():
            raise Misuse(f"open {path}", "there is no such file", _others(found.parent))
        return found
    return _only(Path())


def _only(folder: Path) -> Path:
    specs = sorted(path for path in folder.glob("*.mlspec") if path.is_file())
    if len(specs) == 1:
        return specs[0]
    if specs:
        raise Misuse(
            "choose a spec", f"there are {len(specs)} here", "name one: " + ", ".join(spec.name for spec in specs)
        )
    raise Misuse("find a spec", "there is no .mlspec file here", "mlspec init makes one")


def _others(folder: Path) -> str:
    specs = sorted(p.name for p in folder.glob("*.mlspec") if p.is_file()) if folder.is_dir() else []
    return "there is " + ", ".join(specs) if specs else ""


class Session:
    """`path` is shown to people as it was given. Where the artifacts are is known once the spec is compiled."""

    def __init__(self, path: Path, env: str = "local", sets: Sequence[str] = (), *, locked: bool = False) -> None:
        self.path, self.env, self.sets, self.locked = path, env, tuple(sets), locked
        self.world: World = open_world(path, env)
        self._kept: tuple[World, str] | None = None  # where the last compile is remembered, and under which key

    # --- compile ----------------------------------------------------------------------------------------------

    def check(self) -> Checked:
        text = texts.read(self.path).text
        key = hashlib.sha256(
            f"{version_of('grammar', 'compiler')}\0{self.path}\0{self.env}\0{self.sets}\0{self.locked}\0{text}".encode()
        ).hexdigest()
        here = self.world if self.world.is_beside_spec() else open_world(self.path, self.env)
        self._kept = here, key
        checked = _cached(here, key) or self._compile(text, key, here)
        self.world = open_world(self.path, self.env, checked.store) if checked.store else here
        return checked

    def _compile(self, text: str, key: str, here: World) -> Checked:
        from ...compiler.pipeline import compile_text  # lark and more, which a compile from the cache does not need
        from ..targets import OURS, targets

        compiled = compile_text(str(self.path), text, here.disk, targets(), self.env, self.sets, locked=self.locked)
        head = _head(compiled, here.disk)
        if compiled.sound and all(env.runtime.text in OURS for env in compiled.envs):  # a stranger's may change unseen
            body = json.dumps(head).encode() + b"\n" + compiled.program.model_dump_json().encode()
            here.ledger.put_compiled(key, body)
        if self.env not in {LOCAL, *(env.name.text for env in compiled.envs)}:
            raise _no_such_env(self.env, [env.name.text for env in compiled.envs])
        return Checked(head, compiled.program)

    @contextmanager
    def _may_write_lock(self) -> Iterator[None]:
        """What an apply writes into the lock is what the compiler found in the sources: the compile of before still holds,
        and the next command need not repeat it."""
        before = self.world.disk.digest_if_there(FILE)
        yield
        after = self.world.disk.digest_if_there(FILE)
        if self._kept is not None and after != before:
            here, key = self._kept
            head, _, program = (here.ledger.compiled(key) or b"{}").partition(b"\n")
            known = json.loads(head)
            if known.get("asked", {}).get(FILE) == before:
                known["asked"][FILE] = after
                here.ledger.put_compiled(key, json.dumps(known).encode() + b"\n" + program)

    # --- plan and apply ---------------------------------------------------------------------------------------

    def state(self, program: Program, *, locked: bool = False) -> State:
        from .locking import locked_sources

        return state_of(program, self.world, locked_sources(program, self.world) if locked else None)

    def plan(self, program: Program, *, locked: bool = False) -> Plan:
        from ...compiler.plan import plan

        return plan(program, self.state(program, locked=locked))

    def apply(
        self, program: Program, plan: Plan, watch: Watch, workers: int | None = None, *, retire: bool = True,
        locked: bool = False,
    ) -> Summary:  # fmt: skip
        """On the runtime of the environment."""
        from ..targets import targets
        from .locking import pin

        runtime = program.environment.runtime
        if not targets()[runtime].apply:
            return self.apply_here(program, plan, watch, workers, retire=retire, locked=locked)
        if locked:
            raise Trouble(f"apply --locked on {runtime}", "its jobs take what the sources hold now",
                          "apply without --locked, or on local with the same store")  # fmt: skip
        summary: Summary = _applying(runtime).apply(self, program, plan, watch)
        with self._may_write_lock():
            pin(program, self.world, self.state(program).sources)
        return summary

    def stop(self, program: Program, name: str, say: Callable[[str], None]) -> bool:
        """Stop a service that another machine runs. Returns whether the environment's runtime can; raises Trouble where it
        could not this time."""
        stop = getattr(_applying(program.environment.runtime), "stop", None)
        if stop is not None:
            stop(self, program, name, say)
        return stop is not None

    def apply_here(
        self, program: Program, plan: Plan, watch: Watch, workers: int | None = None, *, retire: bool = True,
        locked: bool = False, only: str = "", share: Share = "",
    ) -> Summary:  # fmt: skip
        """By the engine of this machine, whatever the environment says."""
        from .engine import apply

        option = program.environment.options.get("workers")
        workers = workers or (option if isinstance(option, int) else None)
        with self._may_write_lock():
            return apply(
                program, plan, self.world, watch, workers, retire=retire, locked=locked, only=only, share=share
            )

    def project(self, program: Program) -> tuple[Project, Shipment]:
        """What goes to another machine along with the program. Raises Trouble where something cannot."""
        from ...compiler.target import Project
        from .. import shipping

        head = self.check().head
        columns = {key: tuple(map(Column.model_validate, found)) for key, found in head["found"].items()}
        asked = [path for path, digest in head["asked"].items() if digest]
        root, sources = self.world.root, self.state(program).sources
        shipment = shipping.pack(program, root, [program.spec, *asked], sources, columns)
        return Project(shipment.texts, versions(program)), shipment

    def why(self, program: Program, name: str) -> list[tuple[int, str]]:
        from ...compiler.explain import trace
        from ...compiler.plan import in_force, plan

        state = self.state(program)
        planned = plan(program, state)
        return list(trace(name, program, state, in_force(program, planned, state), planned.refused()))

    def refused(self, program: Program, name: str) -> tuple[Accepted, Refuse] | None:
        """What was made of a name and kept out by a condition, as if the name pointed at it; and why."""
        told = self.plan(program).refused().get(name)
        record = self.world.ledger.record(told.key) if told else None
        if told is None or record is None or not record.outputs:
            return None
        digest = record.outputs[told.names.index(name)].digest
        return Accepted(name=name, kind=told.kind, digest=digest, key=record.key, at=record.at), told


def _applying(runtime: str) -> Any:
    """The module that makes a plan on a runtime; None where the engine of this machine does."""
    from ..targets import targets

    module = targets()[runtime].apply
    try:
        return import_module(module) if module else None
    except ImportError as error:
        raise Trouble(f"apply on {runtime}", f"{module} cannot be loaded: {error}") from None


def _head(compiled: Any, disk: Disk) -> dict[str, Any]:
    """All but the program, as it is kept beside it."""
    from ...grammar import render

    told, sources, program = compiled.diagnostics, compiled.sources, compiled.program
    return {
        "plain": render.render_all(told, sources), "coloured": render.render_all(told, sources, colour=True),
        "data": [render.as_data(one, sources) for one in told], "sound": compiled.sound, "blocks": len(program.nodes),
        "store": str(program.environment.options.get("store", "")), "asked": dict(disk.asked),
        "found": {key: [column.model_dump(mode="json") for column in columns] for key, columns in disk.found.items()},
    }  # fmt: skip


def _cached(here: World, key: str) -> Checked | None:
    cached = here.ledger.compiled(key)
    if cached is None:
        return None
    head, _, program = cached.partition(b"\n")
    found = Checked(json.loads(head), program)
    return found if here.disk.unchanged(found.head["asked"]) else None


def _no_such_env(env: str, known: list[str]) -> Trouble:
    close = nearest(env, known)
    help_ = f"did you mean {close}?" if close else f"there is {listing([LOCAL, *known])}"
    return Misuse(f"use the environment {env}", "the spec has none of that name", help_)
