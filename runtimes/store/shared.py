"""Artifacts in a bucket, with a folder of this machine before it: what was read or made once is not fetched again.

An object is in the bucket before anybody hears of it, and a folder's listing after all of its files. What arrives is
verified; what is found damaged there is removed, so that it is made again.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from . import packs
from .bucket import PART, Bucket, at_once
from .moving import Meter
from .objects import CHANGED, FOLDER, GONE, Damaged, Objects


class SharedObjects(Objects):
    durable = False  # the bucket has it too

    def __init__(self, root: Path, bucket: Bucket) -> None:
        super().__init__(root)
        self.bucket = bucket
        self._known: set[str] | None = None  # what the bucket has, and this machine need not
        self._folders: dict[str, str] = {}  # a file -> the folder that it was seen in, and may be packed for

    # --- up ---------------------------------------------------------------------------------------------------

    def _share(self, digest: str) -> None:
        if not digest.startswith(FOLDER):
            self._upload([digest])
            return
        if self.bucket.size(address(digest)) is not None:
            return
        files = list(dict.fromkeys(super().listing(digest).values()))
        packed = self._upload_packs(digest, files) if packs.is_packed(len(files)) else set()
        self._upload([file for file in files if file not in packed])
        self._upload([digest])

    def _upload(self, digests: Sequence[str]) -> None:
        sizes = {digest: self._place(digest).stat().st_size for digest in digests}
        meter = Meter("up", sum(sizes.values()), self.watch)
        at_once(lambda digest: self._upload_one(digest, sizes[digest], meter.moved), digests)

    def _upload_one(self, digest: str, size: int, moved: Callable[[int], None]) -> None:
        place, path = self._place(digest), address(digest)
        if size <= PART:
            self.bucket.put_if_absent(path, place.read_bytes())
            moved(size)
        elif self.bucket.size(path) != size:
            self.bucket.put_large(path, place, moved)

    def _upload_packs(self, digest: str, files: Sequence[str]) -> set[str]:
        """The files that lie in packs now."""
        done: list[packs.Pack] = []
        meter = Meter("up", sum(self._place(file).stat().st_size for file in files), self.watch)

        def put(packed: tuple[packs.Pack, bytes]) -> packs.Pack:
            pack, body = packed
            if self.bucket.size(pack_address(pack.digest)) != len(body):
                self.bucket.put(pack_address(pack.digest), body)
            meter.moved(len(body))
            return pack

        for several in _batches(packs.packs(files, self._place), 4):
            done += at_once(put, several, 4)
        self.bucket.put(index_address(digest), packs.index(done))
        return {file for pack in done for file, _ in pack.files}

    # --- down -------------------------------------------------------------------------------------------------

    def _fetch(self, digests: Sequence[str], folder: str, cause: str) -> None:
        folder = folder or self._folders.get(digests[0], "")
        missing = list(dict.fromkeys(digests))
        if folder:
            missing = self._fetch_packed(missing, folder)
        meter = Meter("down", 0, self.watch)
        try:
            at_once(lambda digest: self._fetch_one(digest, meter.moved), missing)
        except Damaged:
            if folder:  # its listing says that all of it is there: who has the files would not send them again
                self.remove(folder)
            raise

    def _fetch_one(self, digest: str, moved: Callable[[int], None]) -> None:
        chunks = self.bucket.chunks(address(digest))
        if chunks is None:
            self._forget()
            raise Damaged(digest, GONE)
        aside, hasher = self.scratch(), hashlib.sha256()
        try:
            with aside.open("wb") as file:
                for chunk in chunks:
                    hasher.update(chunk)
                    file.write(chunk)
                    moved(len(chunk))
            if hasher.hexdigest() != digest.removeprefix(FOLDER):
                self.remove(digest)
                raise Damaged(digest, CHANGED)
            self._publish(aside, digest)
        finally:
            aside.unlink(missing_ok=True)

    def _fetch_packed(self, digests: Sequence[str], folder: str) -> list[str]:
        """Those of the files that are in no pack of the folder."""
        if not packs.is_packed(len(set(self.listing(folder).values()))):
            return list(digests)
        found = self.bucket.get(index_address(folder))
        if found is None:
            return list(digests)
        wanted = set(digests)
        needed = [pack for pack in packs.of_index(found.body) if any(file in wanted for file, _ in pack.files)]
        meter = Meter("down", sum(size for pack in needed for _, size in pack.files), self.watch)
        at_once(lambda pack: self._fetch_pack(pack, folder, meter.moved), needed, 4)
        packed = {file for pack in needed for file, _ in pack.files}
        return [digest for digest in digests if digest not in packed]

    def _fetch_pack(self, pack: packs.Pack, folder: str, moved: Callable[[int], None]) -> None:
        chunks = self.bucket.chunks(pack_address(pack.digest))
        body = b"".join(chunks or ())
        if hashlib.sha256(body).hexdigest() != pack.digest:
            self.bucket.delete([pack_address(pack.digest), index_address(folder)])
            self.remove(folder)
            raise Damaged(folder, GONE if chunks is None else CHANGED)
        for digest, content in packs.unpacked(pack, body):  # all of them: who reads one reads the next
            if not self._place(digest).exists():
                aside = self.scratch()
                aside.write_bytes(content)
                self._publish(aside, digest)
        moved(len(body))

    def listing(self, digest: str) -> dict[str, str]:
        files = super().listing(digest)
        if packs.is_packed(len(files)):
            self._folders |= dict.fromkeys(files.values(), digest)
        return files

    def open(self, digest: str) -> IO[bytes]:
        if self._place(digest).exists():
            return super().open(digest)
        size = self.bucket.size(address(digest))
        if size is None:
            raise Damaged(digest, GONE)
        return io.BufferedReader(_Ranged(self.bucket, address(digest), size), 1 << 16)

    # --- what is there ----------------------------------------------------------------------------------------

    def has(self, digest: str) -> bool:
        if super().has(digest) or digest in self._known_there():
            return True
        there = self.bucket.size(address(digest)) is not None
        if there:
            self._remember([digest])
        return there

    def look_for(self, digests: Iterable[str]) -> None:
        unknown = [one for one in dict.fromkeys(digests) if not super(SharedObjects, self).has(one)]
        unknown = [digest for digest in unknown if digest not in self._known_there()]
        sizes = at_once(lambda digest: self.bucket.size(address(digest)), unknown)
        self._remember([digest for digest, size in zip(unknown, sizes, strict=True) if size is not None])

    def drop(self, digest: str) -> None:
        """From this machine alone."""
        super().remove(digest)

    def remove(self, digest: str) -> None:
        super().remove(digest)
        self._forget()
        self.bucket.delete([address(digest)])

    def _known_there(self) -> set[str]:
        if self._known is None:
            try:
                self._known = set((self.root / "there").read_text().split())
            except OSError:
                self._known = set()
        return self._known

    def _remember(self, digests: Sequence[str]) -> None:
        if digests:
            self._known_there().update(digests)
            self.root.mkdir(parents=True, exist_ok=True)
            with (self.root / "there").open("a") as file:
                file.write("".join(f"{digest}\n" for digest in digests))

    def _forget(self) -> None:
        """All of it: it is only what need not be asked again."""
        self._known = set()
        (self.root / "there").unlink(missing_ok=True)


class _Ranged(io.RawIOBase):
    """An object as a file to seek in, of which only what is read is fetched."""

    def __init__(self, bucket: Bucket, path: str, size: int) -> None:
        self.bucket, self.path, self.size, self.at = bucket, path, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset + (0, self.at, self.size)[whence]
        return self.at

    def tell(self) -> int:
        return self.at

    def readinto(self, buffer: Any) -> int:
        end = min(self.at + len(buffer), self.size)
        if end <= self.at:
            return 0
        found = self.bucket.get_range(self.path, self.at, end)
        buffer[: len(found)] = found
        self.at += len(found)
        return len(found)


def address(digest: str) -> str:
    plain = digest.removeprefix(FOLDER)
    return f"objects/{plain[:2]}/{plain[2:]}"


def pack_address(digest: str) -> str:
    return f"packs/{digest}"


def index_address(folder: str) -> str:
    return f"folders/{folder.removeprefix(FOLDER)}.json"


def _batches(things: Iterator[Any], count: int) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for thing in things:
        batch.append(thing)
        if len(batch) == count:
            yield batch
            batch = []
    if batch:
        yield batch
