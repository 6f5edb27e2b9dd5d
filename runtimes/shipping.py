"""What goes along with a program to another machine, and how it is found there: the spec, its code, what its sources held.

Code is sent as it is. Of a source's files only the digests are sent, since their bytes lie in the store: whoever makes
it takes them from there.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..compiler.load import is_remote
from ..compiler.program import Node, Program, Value
from ..compiler.state import SourceFiles
from ..compiler.types import Columns, Frozen
from ..grammar.kinds import SOURCES
from .store.objects import Objects, folder_of
from .trouble import Trouble

FILE = "mlspec.sources.json"  # beside the spec, on the machine that it was sent to
VERSION = 1


class Shipped(Frozen):
    """`files` are the digests of a source's files by path, by the source's name; `columns` those of the source under
    their names in the file, by `key_of`."""

    version: int = VERSION
    files: dict[str, dict[str, str]] = {}
    columns: dict[str, Columns] = {}


@dataclass(frozen=True, slots=True)
class Shipment:
    """`texts` by path; `sources` are files of this machine by the digest that the store will have them under."""

    texts: Mapping[str, str]
    sources: Mapping[str, Path] = field(default_factory=dict)


def read(root: Path) -> Shipped | None:
    """What was sent along to this folder; None where nothing was, as in the folder that the spec was written in."""
    try:
        content = (root / FILE).read_bytes()
    except OSError:
        return None
    return Shipped.model_validate_json(content)


def pack(
    program: Program, root: Path, asked: Iterable[str], sources: Mapping[str, SourceFiles],
    columns: Mapping[str, Columns],
) -> Shipment:  # fmt: skip
    """`asked` are the files that the compiler read, `columns` what it found sources to hold. Raises Trouble where a file
    lies outside of the spec's folder."""
    near = [node for node in program.nodes if _is_near(node)]
    held = {node.name: dict(sources[node.name].files) for node in near if node.name in sources}
    data = {path for files in held.values() for path in files}
    texts = {path: _text(root, path) for path in sorted({*asked, *_of_commands(program, root)} - data)}
    shipped = Shipped(files=held, columns=dict(columns))
    written = json.dumps(json.loads(shipped.model_dump_json()), indent=1, sort_keys=True, ensure_ascii=False)
    files = {digest: root / path for one in held.values() for path, digest in one.items()}
    return Shipment({**texts, FILE: written + "\n"}, files)


def _is_near(node: Node) -> bool:
    return node.recipe.word in SOURCES and not is_remote(node.recipe.word, node.recipe.place)


def _text(root: Path, path: str) -> str:
    inside = os.path.normpath(path)
    if inside.startswith("..") or Path(inside).is_absolute():
        raise Trouble(f"send {path} along", "it lies outside of the spec's folder", "move it beside the spec")
    try:
        return (root / inside).read_bytes().decode()
    except UnicodeDecodeError:
        raise Trouble(f"send {path} along", "it is no text in UTF-8") from None


def _of_commands(program: Program, root: Path) -> Iterable[str]:
    """The files that commands of the shell name; what else they need, they must find where they run."""
    for node in program.nodes:
        if node.recipe.word == "shell":
            for part in _words(node.recipe.place):
                if part and not Path(part).is_absolute() and (root / part).is_file():
                    yield os.path.normpath(part)


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command, comments=True)
    except ValueError:
        return command.split()


def key_of(word: str, place: str, arguments: Mapping[str, Value]) -> str:
    """How `Shipped.columns` names a look into a source."""
    return json.dumps([word, place, arguments], sort_keys=True)


def needed(folder: str, objects: Objects) -> set[str]:
    """All that a folder which was sent is made from: its files, and those that its sources had here."""
    files = objects.listing(folder)
    held = {folder, *files.values()}
    for path, digest in files.items():
        if path.rpartition("/")[2] == FILE:
            shipped = Shipped.model_validate_json(objects.path(digest).read_bytes())
            sources = [source for some in shipped.files.values() for source in some.values()]
            held |= {*sources, folder_of(sources)} - {""}
    return held


def lay_out(root: Path, expected: Mapping[str, str], objects: Objects) -> None:
    """In a folder that was sent, put the files of a source into their places, out of the store."""
    shipped = read(root) or Shipped()
    objects.bring_files(expected.values(), [digest for files in shipped.files.values() for digest in files.values()])
    for path, digest in expected.items():
        place = root / path
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            aside = place.with_name(f"{place.name}.{os.getpid()}.part")
            aside.write_bytes(objects.path(digest).read_bytes())
            aside.replace(place)
