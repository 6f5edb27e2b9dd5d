"""What runtimes share whose jobs run elsewhere: the compiled folder goes into the store that both sides see and out of it
again, and what the jobs tell comes back."""

from __future__ import annotations

import contextlib
import json
import shutil
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..compiler.actions import Plan, Retire, Warned
from ..compiler.program import Program
from ..compiler.target import Files
from . import laid_out
from .events import Failed, Settled, Summary, Watch, from_data
from .local.rollout import stop_service
from .store.objects import FOLDER as FOLDER_DIGEST
from .store.objects import Damaged, Objects
from .store.opening import FOLDER

if TYPE_CHECKING:
    from .local.world import World


def send(files: Files, sources: Mapping[str, Path], objects: Objects) -> str:
    """`sources` are files of this machine by the digests that keys hold. Returns the folder's digest."""
    objects.put_files(sources)
    folder = objects.scratch()
    for name, text in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return objects.put_folder(folder)


def receive(digest: str, objects: Objects, below: Path, state: Path) -> Path:
    """The folder of this digest, laid out below another one."""
    target = below / digest.removeprefix(FOLDER_DIGEST)[:32]
    if not laid_out.is_there(target):
        files = objects.listing(digest)
        try:
            objects.bring(files.values(), digest)
            laid = {path: objects.path(file).read_bytes() for path, file in files.items()}
        except Damaged as damaged:  # then the folder is what has to be sent again
            objects.remove(digest)
            raise Damaged(digest, damaged.cause) from None
        lay_out(target, laid, state)
    return target


def lay_out(target: Path, files: Mapping[str, bytes], state: Path) -> None:
    """A folder with a project in it, all at once. What the project keeps beside its spec (logs, services) lies in `state`,
    which outlives it."""
    aside = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}")
    try:
        for path, content in files.items():
            (aside / path).parent.mkdir(parents=True, exist_ok=True)
            (aside / path).write_bytes(content)
        state.mkdir(parents=True, exist_ok=True)
        (aside / "project" / FOLDER).symlink_to(state.resolve())
        aside.rename(target)
    except OSError:
        shutil.rmtree(aside, ignore_errors=True)
        if not target.is_dir():  # else another one was faster
            raise


class Hearing:
    """Hears what jobs tell (`mlspec job --events`), a line at a time and in any order, and hands it on to the watch. What
    all of it came to is the summary, as the engine of this machine gives it."""

    def __init__(self, program: Program, watch: Watch) -> None:
        self.program, self.watch = program, watch
        self.settled: dict[str, str] = {}
        self.other: list[str] = []  # lines that are no events

    def line(self, text: str) -> None:
        event = read_event(text)
        if event is None:
            self.other += [text] if text.strip() else []
            return
        if isinstance(event, Settled):
            event = replace(event, warned=tuple(map(_beside_us, event.warned)))
        if isinstance(event, Settled | Failed):
            self.settled[event.name] = getattr(event, "how", "failed")
        self.watch(event)

    def end(self, plan: Plan, world: World) -> None:
        """All jobs have ended: what nothing was heard of has failed, and names whose blocks are gone go."""
        silent = [node.title for node in self.program.nodes if node.title not in self.settled]
        for title in silent:
            self.settled[title] = "failed"
            detail = "\n".join(self.other[-20:]) if title == silent[0] else ""
            self.watch(Failed(title, f"could not make {title}: its job ended without a word", "", detail, ""))
        for action in plan.actions:
            if isinstance(action, Retire):
                self._retire(action, world)

    def _retire(self, action: Retire, world: World) -> None:
        for name in action.names:
            if action.kind == "service":
                stop_service(world, name)
            world.ledger.retire(name)
            self.settled[name] = "retired"
            self.watch(Settled(name, action.kind, "retired"))

    def summary(self, seconds: float) -> Summary:
        def those(how: str) -> tuple[str, ...]:
            return tuple(title for title, came in self.settled.items() if came == how)

        return Summary(dict(Counter(self.settled.values())), seconds, those("failed"), those("refused"))


def _beside_us(warned: Warned) -> Warned:
    """Of a spec as it lies here, not in the compiled folder."""
    return warned.model_copy(update={"path": warned.path.removeprefix("project/")})


def read_event(line: str) -> Any:
    """None for what is no event."""
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
        return from_data(json.loads(line))
    return None
