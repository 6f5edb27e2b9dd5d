"""A spec opened on this machine: what every command and a notebook do with it, in one place."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from ... import __version__
from ...compiler import plan as planning
from ...compiler.actions import Plan
from ...compiler.explain import trace
from ...compiler.program import Program
from ...compiler.state import State
from ..trouble import Trouble
from .engine import Summary, apply
from .events import Watch
from .world import World, open_world, state_of

PACKAGE = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Checked:
    """A compile as commands need it. `text` and `data` of the diagnostics are made where they are shown."""

    program: Program
    diagnostics: tuple[object, ...]
    sources: dict[str, object]
    sound: bool


def find_spec(path: str) -> Path:
    """The spec's file: as named, or the only one in the working folder."""
    if path:
        found = Path(path)
        if found.is_dir():
            return _only(found)
        if not found.is_file():
            raise Trouble(f"open {path}", "there is no such file", _others(found.parent))
        return found
    return _only(Path())


def _only(folder: Path) -> Path:
    specs = sorted(path for path in folder.glob("*.mlspec") if path.is_file())
    if len(specs) == 1:
        return specs[0]
    if specs:
        raise Trouble(
            "choose a spec", f"there are {len(specs)} here", "name one: " + ", ".join(spec.name for spec in specs)
        )
    raise Trouble("find a spec", "there is no .mlspec file here", "mlspec init makes one")


def _others(folder: Path) -> str:
    specs = sorted(p.name for p in folder.glob("*.mlspec")) if folder.is_dir() else []
    return "there is " + ", ".join(specs) if specs else ""


class Session:
    """`path` is shown to people as it was given."""

    def __init__(self, path: Path, env: str = "local") -> None:
        self.path, self.env = path, env
        self.world: World = open_world(path, env)

    # --- compile ----------------------------------------------------------------------------------------------

    def check(self) -> Checked:
        text = _read(self.path)
        key = hashlib.sha256(f"{_our_version()}\0{self.path}\0{text}".encode()).hexdigest()
        cached = self.world.ledger.compiled(key)
        if cached is not None:
            body = json.loads(cached)
            if self.world.disk.unchanged(body["asked"]):
                return Checked(Program.model_validate_json(body["program"]), (), {}, True)
        return self._compile(text, key)

    def _compile(self, text: str, key: str) -> Checked:
        from ...compiler.pipeline import compile_text  # lark and more, which a compile from the cache does not need

        compiled = compile_text(str(self.path), text, self.world.disk)
        if not compiled.diagnostics:
            body = {"asked": self.world.disk.asked, "program": compiled.program.model_dump_json()}
            self.world.ledger.put_compiled(key, json.dumps(body).encode())
        return Checked(compiled.program, compiled.diagnostics, dict(compiled.sources), compiled.sound)

    # --- plan and apply ---------------------------------------------------------------------------------------

    def state(self, program: Program) -> State:
        return state_of(program, self.world)

    def plan(self, program: Program) -> Plan:
        return planning.plan(program, self.state(program))

    def apply(
        self, program: Program, plan: Plan, watch: Watch, workers: int | None = None, *, retire: bool = True
    ) -> Summary:
        return apply(program, plan, self.world, watch, workers, retire=retire)

    def why(self, program: Program, name: str) -> list[tuple[int, str]]:
        state = self.state(program)
        return list(trace(name, program, state, planning.in_force(program, state)))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Trouble(f"open {path}", error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise Trouble(f"open {path}", "it is no UTF-8 text", "save it as UTF-8") from None


def _our_version() -> str:
    """The version of the compiler: of a release its number, of a checkout also the state of its files."""
    stamps = [
        p.stat().st_mtime_ns for folder in ("grammar", "compiler") for p in sorted((PACKAGE / folder).glob("*.*"))
    ]
    return f"{__version__} {hash(tuple(stamps))}"
