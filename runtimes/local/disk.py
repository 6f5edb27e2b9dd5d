"""The spec's folder as the compiler may see it, and what its files hold now. Remembers what it was asked."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from ...compiler.load import Found, Unreadable, decoded, is_remote
from ...compiler.program import Node, Program, Value
from ...compiler.state import SourceFiles
from ...compiler.types import Column, Columns
from .. import shipping
from ..ourselves import version_of
from ..shipping import Shipped
from ..store.ledger import Ledger
from ..trouble import Trouble

READERS = ("runtimes/sources", "runtimes", "compiler")  # the folders that say what a source holds
CHUNK = 1 << 20
NEAR = 2_000_000_000  # ns: a file changed so lately may change again within the same tick of its clock


class Disk:
    """Files below `root`, with the ledger as memory of what was hashed. `asked` are the answers given: path -> digest,
    and `found` the columns that sources turned out to hold. What was sent along here from another machine is `shipped`."""

    def __init__(self, root: Path, ledger: Ledger) -> None:
        self.root, self.ledger = root, ledger
        self.asked: dict[str, str] = {}
        self.found: dict[str, Columns] = {}

    @cached_property
    def shipped(self) -> Shipped | None:
        return shipping.read(self.root)

    def text(self, path: str) -> str | None:
        try:
            content = (self.root / path).read_bytes()
        except (OSError, ValueError):
            self.asked[path] = ""
            return None
        self.asked[path] = hashlib.sha256(content).hexdigest()
        return decoded(path, content)

    def names(self) -> tuple[str, ...]:
        found = (
            p
            for p in self.root.rglob("*")
            if p.is_file() and not any(part.startswith(".") for part in p.relative_to(self.root).parts)
        )
        return tuple(p.relative_to(self.root).as_posix() for _, p in zip(range(5000), found, strict=False))

    def columns(self, word: str, place: str, arguments: Mapping[str, Value], declared: Columns) -> Found:
        if is_remote(word, place):
            return None
        key = shipping.key_of(word, place, arguments)
        if self.shipped is not None and key in self.shipped.columns:
            return self.shipped.columns[key]
        try:
            found = self._columns(word, place, arguments, declared)
        except OSError as error:  # as of a name too long for any file, or of one that may not be read
            self.asked[place] = ""
            found = Unreadable(f"could not read {place}: {error.strerror}")
        if not isinstance(found, Unreadable) and found is not None:
            self.found[key] = found
        return found

    def _columns(self, word: str, place: str, arguments: Mapping[str, Value], declared: Columns) -> Found:
        from .. import sources  # pyarrow and more, which a compile from the cache does not need

        if word == "folder":
            return () if (self.root / place).is_dir() else Unreadable(f"there is no folder {place}", there=False)
        try:
            files = sources.find(self.root, place)
        except Trouble as trouble:
            self.asked[place] = ""
            return Unreadable(str(trouble), trouble.help, there=False)
        try:
            for path in files:
                self.asked[path] = self.digest(path)[0]
            if word == "sqlite":
                self.asked |= {path: self.digest_if_there(path) for path in sources.may_be_beside(place)}
            held = {path: self.asked[path] for path in (*files, *sources.may_be_beside(place)) if path in self.asked}
            return self._inspected(word, place, arguments, declared, held)
        except Trouble as trouble:
            self.asked[place] = ""
            return Unreadable(str(trouble), trouble.help, getattr(trouble, "argument", ""))

    def _inspected(
        self, word: str, place: str, arguments: Mapping[str, Value], declared: Columns, held: Mapping[str, str]
    ) -> Columns:
        """What was found in the same content before need not be read again: to look for types takes all of it."""
        from .. import sources

        asked = [column.model_dump(mode="json") for column in declared]
        look = json.dumps([version_of(*READERS), word, place, arguments, asked, held], sort_keys=True)
        key = hashlib.sha256(look.encode()).hexdigest()
        known = self.ledger.inspected(key)
        if known is not None:
            return tuple(map(Column.model_validate, json.loads(known)))
        found = sources.inspect(self.root, word, place, arguments, declared)
        with contextlib.suppress(Trouble):  # where nothing can be written, it is read again
            if self.unchanged(held):  # while it was read
                self.ledger.put_inspected(key, json.dumps([column.model_dump(mode="json") for column in found]))
        return found

    def digest(self, path: str) -> tuple[str, int]:
        """sha256 and number of line ends of a file, from memory while its size and time of change are the same."""
        full = self.root / path
        stat = full.stat()
        known = self.ledger.seen(str(full))
        if known and known[:2] == (stat.st_size, stat.st_mtime_ns):
            return known[2], known[3]
        digest, lines = _hash(full)
        if stat.st_mtime_ns < _now() - NEAR:
            self.ledger.put_seen(str(full), stat.st_size, stat.st_mtime_ns, digest, lines)
        return digest, lines

    def unchanged(self, asked: Mapping[str, str]) -> bool:
        """Whether every answer given before would be given again. A digest of "" stands for: there is no such file."""
        return all(self.digest_if_there(path) == digest for path, digest in asked.items())

    def digest_if_there(self, path: str) -> str:
        """ "" where it is not."""
        try:
            return self.digest(path)[0]
        except OSError:
            return ""


def _now() -> int:
    import time

    return time.time_ns()


def _hash(path: Path) -> tuple[str, int]:
    hasher, lines = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            hasher.update(chunk)
            lines += chunk.count(b"\n")
    return hasher.hexdigest(), lines


def source_files(program: Program, disk: Disk) -> dict[str, SourceFiles]:
    """What each source's place names now, by the node's name. Those beyond this machine are asked all at once."""
    from ...grammar.kinds import SOURCES

    nodes = [node for node in program.nodes if node.recipe.word in SOURCES]
    far = [node for node in nodes if is_remote(node.recipe.word, node.recipe.place)]
    found = _far_files(far) if far else {}
    near = {node.name: found[node.name] if node.name in found else _files_of(node, disk) for node in nodes}
    if any(node.recipe.word == "seen" for node in program.nodes):
        from .saw import seen_files

        near |= seen_files(program, disk)
    return near


AT_ONCE = 16


def _far_files(nodes: Sequence[Node]) -> dict[str, SourceFiles]:
    """One look for each place, however many read it; what goes wrong with one is no matter to the others."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(AT_ONCE) as threads:
        different = {_asked(node): node for node in nodes}
        looks = {asked: threads.submit(_look, node) for asked, node in different.items()}
        return {node.name: looks[_asked(node)].result() for node in nodes}


def _asked(node: Node) -> str:
    """Of a file it counts where it is; of a database also what is asked of it, and where the server is."""
    which = node.arguments if node.recipe.word == "postgres" else {}
    return repr((node.recipe.place, which, node.secrets))


def _look(node: Node) -> SourceFiles:
    from ..sources import remote

    try:
        return remote.look(node.recipe.word, node.recipe.place, node.arguments, node.secrets)
    except Trouble as trouble:
        return SourceFiles(trouble=str(trouble), help=trouble.help)


def _files_of(node: Node, disk: Disk) -> SourceFiles:
    if disk.shipped is not None and node.name in disk.shipped.files:
        return SourceFiles(disk.shipped.files[node.name])
    try:
        paths = find(disk.root, node.recipe.word, node.recipe.place)
        seen = {path: disk.digest(path) for path in paths}
    except Trouble as trouble:
        return SourceFiles(trouble=str(trouble), help=trouble.help)
    except OSError as error:
        return SourceFiles(trouble=f"could not read {node.recipe.place}: {error.strerror}")
    return SourceFiles({p: digest for p, (digest, _) in seen.items()}, {p: lines for p, (_, lines) in seen.items()})


def find(root: Path, word: str, place: str) -> tuple[str, ...]:
    """The files of a place. A plain path that is there needs no search."""
    if word == "folder":
        from .. import sources

        files = sources.files_in(sources.folder_of(root, place))
        return tuple(path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path) for path in files)
    if word == "sqlite" and (root / place).is_file():
        from .. import sources

        return (place, *sources.beside(root, place))
    if not any(mark in place for mark in "*?[") and (root / place).is_file():
        return (place,)
    from .. import sources

    return sources.find(root, place)
