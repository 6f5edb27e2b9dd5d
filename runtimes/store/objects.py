"""Artifacts by content: a file by the sha256 of its bytes, a folder by the sha256 of its listing.

Immutable, published atomically (written aside, fsynced, renamed), verified on read. Two processes that publish the
same object do no harm to each other.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from ..trouble import Trouble
from .moving import Watch
from .packs import is_packed

CHUNK = 1 << 20
FOLDER = "folder:"  # what a folder's digest begins with


class Damaged(Trouble):
    """An object whose bytes are no longer those it is named by, or that is gone. It is made again."""

    def __init__(self, digest: str, cause: str) -> None:
        super().__init__(
            f"read object {digest.removeprefix(FOLDER)[:12]}", cause, "apply again: what is damaged is made again"
        )
        self.digest = digest

    def __reduce__(self) -> tuple[type[Damaged], tuple[str, str]]:  # type: ignore[override]
        return type(self), (self.digest, self.cause)


def digest_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


GONE, CHANGED = "it is not in the store", "its bytes have changed"


def listed(files: Mapping[str, str]) -> bytes:
    """The object that stands for a folder: path -> digest."""
    return json.dumps(files, sort_keys=True).encode()


def folder_of(digests: Iterable[str]) -> str:
    """The folder that the files of a `put_files` lie in; "" where they are so few that each lies by itself."""
    known = {digest: digest for digest in digests}
    return FOLDER + hashlib.sha256(listed(known)).hexdigest() if is_packed(len(known)) else ""


class Objects:
    """The objects below one folder. Holds no state but the folder's path."""

    durable = True  # whether what is published is there after the machine has lost its power

    watch: Watch | None = None  # is told how far a long transfer has come

    def __init__(self, root: Path) -> None:
        self.root = root
        self.aside = root / "aside"  # where things are written before they are published

    @property
    def roots(self) -> tuple[Path, ...]:
        """Where its objects lie, in the order in which they are looked for."""
        return (self.root,)

    def scratch(self, suffix: str = "") -> Path:
        """A new path to write to. What is left there by a killed process is swept by `gc`."""
        try:
            self.aside.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Trouble("write to the store", error.strerror or str(error)) from None
        return self.aside / f"{os.getpid()}-{uuid.uuid4().hex[:12]}{suffix}"

    def put_file(self, path: Path) -> str:
        """Publish a file made in `scratch`; it is moved. Returns its digest."""
        digest = self._keep(path)
        self._share(digest)
        return digest

    def put_bytes(self, content: bytes) -> str:
        path = self.scratch()
        path.write_bytes(content)
        return self.put_file(path)

    def put_folder(self, path: Path) -> str:
        """Publish all files of a folder, by their paths within it; the folder is used up. Returns its digest."""
        listing = {}
        for file in sorted(path.rglob("*")):
            if file.is_symlink() or not (file.is_file() or file.is_dir()):
                raise Trouble("keep a folder", f"{file.relative_to(path)} is no plain file", "write plain files only")
            if file.is_file():
                listing[file.relative_to(path).as_posix()] = self._keep(file)
        shutil.rmtree(path)
        return self.put_listing(listing)

    def put_listing(self, files: Mapping[str, str]) -> str:
        """Publish a folder whose files are in the store. Returns its digest."""
        path = self.scratch()
        path.write_bytes(listed(files))
        digest = FOLDER + self._keep(path)
        self._share(digest)
        return digest

    def put_files(self, files: Mapping[str, Path]) -> None:
        """Copies of files, by the digests that they are said to have: another machine brings them by `bring_files`."""
        for digest, path in files.items():
            if not self._place(digest).exists():
                copy = self.scratch()
                shutil.copyfile(path, copy)
                if self._keep(copy) != digest:
                    raise Trouble(f"keep {path.name}", "it was changed meanwhile", "apply again")
        if is_packed(len(files)):
            self.put_listing({digest: digest for digest in files})
        else:
            for digest in files:
                self._share(digest)

    def bring_files(self, wanted: Iterable[str], every: Iterable[str]) -> None:
        """Some of `every` file of a `put_files`."""
        self.bring(wanted, folder_of(every))

    def take(self, digest: str, source: Objects) -> None:
        """An object of another store, with all its files. What is here is not moved again."""
        files = set(source.listing(digest).values()) if digest.startswith(FOLDER) else set()
        source.bring(files, digest)
        for plain in [*files, digest]:
            if not self._place(plain).exists():
                copy = self.scratch()
                _link(source.path(plain), copy)
                self._publish(copy, plain)
        self._share(digest)

    def has(self, digest: str) -> bool:
        return self._place(digest).exists()

    def look_for(self, digests: Iterable[str]) -> None:
        """They are asked for soon: whatever has to be asked far away is asked at once."""

    def path(self, digest: str, *, verify: bool = True) -> Path:
        """The file of an object. Its bytes are checked unless `verify` is False. Never write to it."""
        place = self._place(digest)
        if not place.exists():
            self._fetch([digest], "", GONE)
        elif verify and digest_of_file(place) != digest.removeprefix(FOLDER):
            place.unlink(missing_ok=True)
            self._fetch([digest], "", CHANGED)
        return self._place(digest)

    def open(self, digest: str) -> IO[bytes]:
        """To look into an object without having all of it; what is read so is not verified."""
        return self.path(digest, verify=False).open("rb")

    def bring(self, digests: Iterable[str], folder: str = "") -> None:
        """They are read soon, as files of `folder`: whatever is far away is fetched at once."""
        missing = [digest for digest in digests if not self._place(digest).exists()]
        if missing:
            self._fetch(missing, folder, GONE)

    def listing(self, digest: str) -> dict[str, str]:
        """Path -> digest of each file in a folder."""
        files: dict[str, str] = json.loads(self.path(digest).read_bytes())
        return files

    def folder(self, digest: str) -> Path:
        """A folder with the object's files, to read. Laid out once below the store from hard links."""
        target = self.root / "folders" / digest.removeprefix(FOLDER)[:32]
        files = self.listing(digest)
        if target.is_dir() and all((target / name).is_file() for name in files):
            return target
        aside = self.scratch()
        aside.mkdir()
        try:
            self.bring(files.values(), digest)
            for name, file in files.items():
                (aside / name).parent.mkdir(parents=True, exist_ok=True)
                _link(self.path(file), aside / name)
        except Damaged as damaged:  # then the folder is what has to be made again
            shutil.rmtree(aside, ignore_errors=True)
            self.remove(digest)
            raise Damaged(digest, damaged.cause) from None
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            shutil.rmtree(target, ignore_errors=True)
        try:
            aside.rename(target)
        except OSError:  # another process was faster
            shutil.rmtree(aside, ignore_errors=True)
        return target

    def digests(self) -> Iterator[str]:
        """The plain digest of every object there is."""
        for shard in sorted((self.root / "objects").glob("??")):
            for file in sorted(shard.iterdir()):
                yield shard.name + file.name

    def size(self, digest: str) -> int:
        """Bytes on disk, for a folder those of its files."""
        if digest.startswith(FOLDER):
            return sum(self.size(file) for file in self.listing(digest).values())
        return self._place(digest).stat().st_size

    def remove(self, digest: str) -> None:
        self._place(digest).unlink(missing_ok=True)

    def _place(self, digest: str) -> Path:
        plain = digest.removeprefix(FOLDER)
        return self.root / "objects" / plain[:2] / plain[2:]

    def _keep(self, path: Path) -> str:
        digest = digest_of_file(path)
        self._publish(path, digest)
        return digest

    def _share(self, digest: str) -> None:
        """Let it be seen beyond this folder, where there is a beyond."""

    def _fetch(self, digests: Sequence[str], folder: str, cause: str) -> None:
        """From beyond; where there is none, nothing brings back what is gone."""
        raise Damaged(digests[0], cause)

    def _publish(self, path: Path, digest: str) -> None:
        place = self._place(digest)
        if place.exists():
            path.unlink()
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        if self.durable:
            with path.open("rb") as file:
                os.fsync(file.fileno())
        path.chmod(0o444)
        path.replace(place)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(source, target)
