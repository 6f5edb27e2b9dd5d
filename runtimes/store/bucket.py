"""A bucket of any provider: small documents that are moved by conditional puts, large objects in parts.

The one place that knows how a store beyond this machine is opened and what its failures are called. Who asks is found
out by the usual ways of each provider; nothing of that is in a message, and an address never holds it.
"""

from __future__ import annotations

import configparser
import contextlib
import fcntl
import os
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from ..trouble import Trouble

SCHEMES = ("s3", "gs", "az", "file")
PART = 8 << 20  # bytes of a part of a large object, on its way up and down
AT_ONCE = 32  # requests under way
TRIES = 3
CHANCE = random.SystemRandom()  # of waits: what the user's code draws from `random` is not to move by them
ANSWER = 8.0  # seconds for a sign of an answer
LONG = 20.0  # seconds of a request, obstore's own tries counted, after which none is tried again
SMALL = 1 << 18  # bytes of a body that is up in far less
KEYS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; AWS_SKIP_SIGNATURE=true for what everybody may read",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS to a service account's file, or: gcloud auth application-default login",
    "az": "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or AZURE_USE_AZURE_CLI=true after: az login",
}
ENDPOINTS = {  # where a store is that is not its provider's own
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"),
    "gs": ("GOOGLE_BASE_URL",),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
ELSEWHERE = "the address of its service cannot be used"
LATER = "then apply again: what was finished stays"

Version = dict[str, str]  # what tells one content of a path from the next; what it holds differs by provider
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Got:
    body: bytes
    version: Version


@dataclass(frozen=True, slots=True)
class Listed:
    path: str
    size: int
    at: datetime  # by the bucket's clock


class Bucket:
    """What lies below one address. Safe to use from several threads."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in SCHEMES or (parts.scheme != "file" and not parts.netloc):
            known = ", ".join(f"{scheme}://" for scheme in SCHEMES)
            raise Trouble("open the store", f'"{_bare(url)}" is no address of one', f"it begins with one of {known}")
        if "@" in parts.netloc or parts.query:
            raise Trouble("open the store", "its address holds more than a place", KEYS.get(parts.scheme, ""))
        self.url, self.scheme = url.rstrip("/"), parts.scheme
        self.folder = Path(unquote(parts.path)) if parts.scheme == "file" else None

    @cached_property
    def store(self) -> Any:
        return connect(self.url, ANSWER)

    @cached_property
    def sink(self) -> Any:
        """Takes large bodies: while they are on their way up there is no answer yet."""
        return connect(self.url)

    # --- documents --------------------------------------------------------------------------------------------

    def get(self, path: str, known: Got | None = None) -> Got | None:
        """None where nothing is, and `known` itself where that is what is there: then it is not sent again."""
        from obstore import exceptions, get

        options: Any = {"if_none_match": known.version["e_tag"]} if known and "e_tag" in known.version else None

        def read() -> Got:
            found = get(self.store, path, options=options)
            return Got(bytes(found.bytes()), _version(found.meta))

        try:
            return self._tried("read", read)
        except exceptions.NotModifiedError:
            return known

    def put_if_absent(self, path: str, body: bytes) -> Version | None:
        """None when there was one. After a cut it may be our own of the first try."""
        from obstore import exceptions, put

        try:
            return _version(
                self._tried("write", lambda: put(self._for(body), path, body, mode="create", use_multipart=False))
            )
        except exceptions.AlreadyExistsError:
            return None

    def put_if_unchanged(self, path: str, body: bytes, version: Version | None) -> Version | None:
        """None when it is no longer what it was; a `version` of None stands for: nothing was there."""
        if version is None:
            return self.put_if_absent(path, body)
        from obstore import exceptions, put

        mode: Any = version
        try:
            if self.folder is not None:
                return self._put_in_folder(path, body, version)
            return _version(
                self._tried("write", lambda: put(self._for(body), path, body, mode=mode, use_multipart=False))
            )
        except (exceptions.PreconditionError, exceptions.AlreadyExistsError):
            return None

    def _put_in_folder(self, path: str, body: bytes, version: Version) -> Version | None:
        """A file system has no conditional put: a lock stands for it."""
        from obstore import head, put

        assert self.folder is not None
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                unchanged = _version(head(self.store, path)) == version
            except FileNotFoundError:
                return None
            return _version(self._tried("write", lambda: put(self.store, path, body))) if unchanged else None

    def put(self, path: str, body: bytes) -> Version:
        from obstore import put

        store = self._for(body)
        return _version(self._tried("write", lambda: put(store, path, body, use_multipart=False)))

    def _for(self, body: bytes) -> Any:
        return self.sink if len(body) > SMALL else self.store

    # --- objects ----------------------------------------------------------------------------------------------

    def size(self, path: str) -> int | None:
        """None where nothing is."""
        from obstore import exceptions, get, head

        began = time.monotonic()
        try:
            return int(head(self.store, path)["size"])
        except FileNotFoundError:
            return None
        except exceptions.BaseError as error:  # a HEAD says that it may not, and never why
            if time.monotonic() - began > LONG:
                self._raise("read", error)
            return self._tried("read", lambda: int(get(self.store, path).meta["size"]))

    def put_large(self, path: str, file: Path, moved: Callable[[int], None]) -> None:
        """In parts, some at once; nothing is to be seen of it before the last. A cut one begins anew."""
        from obstore import put

        def parts() -> Iterator[bytes]:
            with file.open("rb") as stream:
                while part := stream.read(PART):
                    yield part
                    moved(len(part))

        self._tried(
            "write", lambda: put(self.sink, path, parts(), use_multipart=True, chunk_size=PART, max_concurrency=4)
        )

    def chunks(self, path: str) -> Iterator[bytes] | None:
        """The content from its start; of a large object several parts are on their way at once."""
        from obstore import exceptions, get

        options: Any = {"range": (0, PART)}

        def read() -> tuple[bytes, int]:
            try:
                found = get(self.store, path, options=options)
            except exceptions.BaseError as error:
                if not _NO_RANGE.search(_said(error)):
                    raise
                found = get(self.store, path)  # an empty one has no first bytes
            return bytes(found.bytes()), found.meta["size"]

        first = self._tried("read", read)
        return None if first is None else self._parts(path, *first)

    def _parts(self, path: str, first: bytes, size: int) -> Iterator[bytes]:
        yield first
        starts = list(range(len(first), size, PART))
        for several in (starts[i : i + 4] for i in range(0, len(starts), 4)):
            yield from at_once(lambda start: self.get_range(path, start, min(start + PART, size)), several, 4)

    def get_range(self, path: str, start: int, end: int) -> bytes:
        from obstore import get_range

        found = self._tried("read", lambda: get_range(self.store, path, start=start, end=end))
        if found is None:
            raise Trouble(f"read {self.url}", "an object is gone while it is read", LATER)
        return bytes(found)

    def list(self, prefix: str) -> Iterator[Listed]:
        from obstore import list as pages

        # All of it in one try: a list that broke off would end as if it were whole.
        found = self._tried("read", lambda: [meta for page in pages(self.store, prefix=prefix) for meta in page])
        yield from (Listed(meta["path"], meta["size"], meta["last_modified"]) for meta in found or ())

    def delete(self, paths: Iterable[str]) -> None:
        from obstore import delete

        gone = list(paths)
        if len(gone) == 1:  # not all that speak as S3 does know the other request
            self._tried("write", lambda: delete(self.store, gone[0]))
            return
        for several in (gone[i : i + 1000] for i in range(0, len(gone), 1000)):
            self._tried("write", lambda several=several: delete(self.store, several))  # type: ignore[misc]

    def now(self) -> float:
        """By the bucket's own clock, which is the one that its objects' ages are told by."""
        self.put("clock/now", b"")
        moment = next(self.list("clock/")).at.timestamp()
        self.delete(["clock/now"])
        return moment

    # --- what goes wrong --------------------------------------------------------------------------------------

    def _tried(self, how: str, request: Callable[[], T]) -> T | None:
        """None where nothing is; what may be over in a moment is tried again."""
        from obstore import exceptions

        began = time.monotonic()
        for number in range(1, TRIES + 1):
            try:
                return request()
            except (exceptions.AlreadyExistsError, exceptions.PreconditionError, exceptions.NotModifiedError):
                raise
            except (exceptions.BaseError, OSError) as error:
                said = _said(error)
                if isinstance(error, FileNotFoundError) and not _NO_BUCKET.search(said):
                    return None
                if number == TRIES or time.monotonic() - began > LONG or not _PASSING.search(said):
                    self._raise(how, error)
                time.sleep(0.2 * 2**number * CHANCE.uniform(0.5, 1))
        raise AssertionError

    def _raise(self, how: str, error: Exception) -> None:
        cause, help_ = cause_and_help(error, self.scheme, how)
        raise Trouble(f"{how} {self.url}", cause, help_) from None


def at_once(work: Callable[[T], R], things: Iterable[T], count: int = AT_ONCE) -> list[R]:
    """What came of each, in their order. The first failure is told, when the others have ended."""
    several = list(things)
    if len(several) < 2:
        return [work(thing) for thing in several]
    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(work, several))


def _version(result: Any) -> Version:
    return {name: value for name in ("e_tag", "version") if (value := result.get(name))}


def _bare(url: str) -> str:
    """Without what may be a password."""
    return re.sub(r"//[^/@]*@", "//", url.partition("?")[0])


# --- how a store is opened ----------------------------------------------------------------------------------------


def connect(url: str, answer: float | None = None) -> Any:
    """obstore's own store for an address; settings are the usual variables of the environment. `answer` are the seconds
    in which something has to come back."""
    import_obstore(f"open {_bare(url)}")
    from obstore.store import from_url

    scheme, _, place = url.partition("://")
    if scheme == "file":
        return _folder(Path(unquote(place)))
    variable = next(filter(os.environ.get, ENDPOINTS[scheme]), "")
    endpoint = os.environ.get(variable, "")
    if variable and not re.match(r"https?://[^/]", endpoint):
        raise Trouble(f"open {url}", ELSEWHERE, f"{variable} begins with https:// or http://")
    config: Any = {}
    if scheme == "s3":  # of the others obstore reads all that there is itself
        config = ({"endpoint": endpoint} if endpoint else {}) | _of_profile()
    options: Any = {"allow_http": endpoint.startswith("http://"), "timeout": "120s", "connect_timeout": "5s"}
    options |= {"read_timeout": f"{answer:g}s"} if answer else {}
    retry: Any = {"max_retries": 2, "retry_timeout": timedelta(seconds=20)}
    return from_url(url, config=config, client_options=options, retry_config=retry)


def _folder(place: Path) -> Any:
    from obstore.store import LocalStore

    try:
        return LocalStore(place, mkdir=True)
    except Exception as error:
        raise Trouble(f"open file://{place}", *cause_and_help(error, "file", "write")) from None


def _of_profile() -> dict[str, Any]:
    """Keys from ~/.aws/credentials, which obstore does not read; what the environment says itself comes first."""
    if "AWS_ACCESS_KEY_ID" in os.environ or "AWS_WEB_IDENTITY_TOKEN_FILE" in os.environ:
        return {}
    file = configparser.ConfigParser(interpolation=None)
    with contextlib.suppress(configparser.Error, OSError, UnicodeDecodeError):
        file.read(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or Path.home() / ".aws" / "credentials")
    profile = os.environ.get("AWS_PROFILE", "default")
    known = dict(file[profile]) if file.has_section(profile) else {}
    wanted = {
        "aws_access_key_id": "access_key_id",
        "aws_secret_access_key": "secret_access_key",
        "aws_session_token": "token",
    }
    return {ours: known[theirs] for theirs, ours in wanted.items() if theirs in known}


def import_obstore(action: str) -> None:
    try:
        import obstore  # noqa: F401
    except ImportError:
        raise Trouble(action, "the package obstore is not installed", 'pip install "mlspec[s3]"') from None


# --- what failures are called -----------------------------------------------------------------------------------

_NO_RANGE = re.compile("InvalidRange|range was invalid|status code: 416", re.I)
_NO_BUCKET = re.compile("NoSuchBucket|ContainerNotFound|bucket does not exist", re.I)
_PASSING = re.compile(
    "error sending request|decoding response|body error|IncompleteBody|connection|timed out|operation timeout|RequestTimeout|SlowDown"
    r"|InternalError|ServiceUnavailable|ConditionalRequestConflict|status code: (5\d\d|429|409)",
    re.I,
)
_CAUSES = (
    (_NO_BUCKET, "there is no such bucket", "make it, or correct its name"),
    (re.compile("ExpiredToken|TokenRefreshRequired|token .{0,20}expired", re.I), "the credentials have expired", f"renew them, {LATER}"),
    (re.compile("RequestTimeTooSkewed|Request has expired", re.I), "this machine's clock is not right", f"set it, {LATER}"),
    (re.compile("InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|AuthenticationFailed|Unauthenticated|invalid_grant|status code: 401", re.I),
     "the store does not accept the credentials", "{keys}"),
    (re.compile("Invalid Access Key|reading pem file|Unable to (open|decode) service account|SAS query", re.I), "the credentials cannot be read", "{keys}"),
    (re.compile("Unable parse source url|builder error", re.I), ELSEWHERE, "look at {endpoints}"),
    (re.compile("169\\.254\\.169\\.254|metadata\\.google|credential|Account must be specified", re.I), "nothing says who asks for it", "{keys}"),
    (re.compile("AccessDenied|PermissionDenied|Permission denied|status code: 403|Read-only file system|not permitted", re.I),
     "these credentials may not {how} there", f"ask for the right to {{how}} there, {LATER}"),
    (re.compile("redirect|PermanentRedirect", re.I), "the bucket is in another region", "set AWS_REGION to that"),
    (re.compile("No space left|QuotaExceeded", re.I), "there is no space left", f"free some (mlspec gc does), {LATER}"),
    (re.compile("decoding response|body error|IncompleteBody|connection (closed|reset)", re.I), "the connection broke", "apply again: what was finished stays"),
    (re.compile("dns|connect|error sending request|timed out|operation timeout", re.I), "the store cannot be reached", f"look at the network, {LATER}"),
)  # fmt: skip


def _said(error: Exception) -> str:
    """Without what obstore tells of its own inside."""
    return f"{type(error).__name__} {error}".partition("Debug source")[0]


def cause_and_help(error: Exception, scheme: str = "s3", how: str = "read") -> tuple[str, str]:
    """In plain words. What obstore says itself may hold a signed address, and is never shown."""
    said = _said(error)
    for pattern, cause, help_ in _CAUSES:
        if pattern.search(said):
            if scheme == "file" and "credentials may" in cause:
                cause = "you may not {how} there"
            endpoints = " and ".join(ENDPOINTS.get(scheme, ()))
            return cause.format(how=how), help_.format(how=how, keys=KEYS.get(scheme, ""), endpoints=endpoints)
    code = re.search(r"<Code>(\w+)</Code>", said) or re.search(r"status code: (\d+ [\w ]+\w)", said)
    return (f"the store answers {code[1]}" if code else "the store does not answer as it should"), ""
