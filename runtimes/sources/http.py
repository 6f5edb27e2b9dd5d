"""A place at http or https -> what tells its content apart, and the content itself, in a file."""

from __future__ import annotations

import gzip
import shutil
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ...compiler.state import SourceFiles
from ..trouble import Trouble
from .unseen import changed_meanwhile, is_unknown, unknown

TIMEOUT = 20.0  # seconds without a byte
PAUSES = (0.3, 1.0)  # seconds before it is tried again
PASSING = (429, 500, 502, 503, 504)
NO_HEAD = (400, 403, 405, 501)  # also of an address that is signed for GET alone
CHUNK = 1 << 20


def look(place: str, token: str = "") -> SourceFiles:
    """By its headers. Without a validator of the server's its content is unknown."""
    try:
        with _opened(place, token, "HEAD") as answer:
            return _held(place, answer.headers)
    except _Refused as refused:
        if refused.status not in NO_HEAD:
            raise
    with _opened(place, token, "GET") as answer:
        return _held(place, answer.headers)


def fetch(place: str, token: str, expected: str, target: Path) -> None:
    """Save what is there, whole, and only if it is what `expected` speaks of, before and after."""
    for pause in (*PAUSES, None):
        try:
            with _opened(place, token, "GET") as answer:
                _same(place, expected, _held(place, answer.headers))
                _save(place, answer, target)
                _no_page(place, answer.headers.get_content_type(), target, token)
            break
        except (HTTPException, OSError) as error:
            if pause is None:
                raise Trouble(f"read {place}", f"the connection broke off: {_said(error)}", "apply again") from None
            time.sleep(pause)
    if not is_unknown(expected):
        _same(place, expected, look(place, token))


def _same(place: str, expected: str, now: SourceFiles) -> None:
    if not is_unknown(expected) and now.files[place] != expected:
        raise changed_meanwhile(place)


def _save(place: str, answer: HTTPResponse, target: Path) -> None:
    """Raises OSError for what ends before its end."""
    left = int(answer.headers.get("Content-Length") or -1)
    with target.open("wb") as file:
        while chunk := answer.read(CHUNK):
            file.write(chunk)
            left -= len(chunk)
        if left > 0:
            raise ConnectionError(f"{left:,} bytes are missing")
    coding = answer.headers.get("Content-Encoding", "identity").lower()
    if coding in ("gzip", "x-gzip"):
        _unpack(place, target)
    elif coding not in ("identity", ""):
        raise Trouble(f"read {place}", f"the server sends it packed as {coding}", "have it sent as it is")


def _no_page(place: str, type_: str, target: Path, token: str) -> None:
    """Who is not logged in gets a page with 200 OK from many a server, and a page has lines, as a text file of rows has.
    A server that calls rows html is believed its rows."""
    with target.open("rb") as file:
        start = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")) or (type_ == "text/html" and start.startswith(b"<")):
        help_ = "see whether the token is still good" if token else "if it wants a login: token = a_secret"
        raise Trouble(f"read {place}", "the server answers with a page of HTML, and no data", help_)


def _unpack(place: str, target: Path) -> None:
    packed = target.with_name(target.name + ".gz")
    target.replace(packed)
    try:
        with gzip.open(packed) as source, target.open("wb") as file:
            shutil.copyfileobj(source, file, CHUNK)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise Trouble(f"read {place}", f"what the server sends cannot be unpacked: {error}") from None
    finally:
        packed.unlink()


# --- what tells the content apart ----------------------------------------------------------------------------------


def _held(place: str, headers: Message) -> SourceFiles:
    tag, changed, length = (headers.get(name, "").strip() for name in ("ETag", "Last-Modified", "Content-Length"))
    if tag and not tag.startswith("W/"):
        return SourceFiles(files={place: f"etag {tag}"})
    if not (changed and length):
        return unknown([place], "the server says neither its ETag nor when it changed")
    if _may_change_unseen(headers):
        return unknown([place], "it changed so lately that the server's clock cannot tell one change from the next")
    return SourceFiles(files={place: f"changed {changed}, {length} bytes"})


def _may_change_unseen(headers: Message) -> bool:
    """Whether it changed within the second in which the server answered (RFC 9110, 8.8.2.2)."""
    try:
        age = parsedate_to_datetime(headers["Date"]) - parsedate_to_datetime(headers["Last-Modified"])
    except (TypeError, ValueError):
        return False
    return age.total_seconds() < 1


# --- the connection ------------------------------------------------------------------------------------------------


class _Refused(Trouble):
    """An answer other than the content."""

    status = 0


class _SameServerOnly(HTTPRedirectHandler):
    """A redirect keeps its verb, and the token only if it stays on the server that the token is for."""

    def redirect_request(
        self, request: Request, answer: IO[bytes], code: int, reason: str, headers: HTTPMessage, address: str
    ) -> Request | None:
        again = super().redirect_request(request, answer, code, reason, headers, address)
        if again is not None:
            again.method = request.get_method()
            token = request.unredirected_hdrs.get("Authorization")
            if token and urlsplit(address)[:2] == urlsplit(request.full_url)[:2]:
                again.add_unredirected_header("Authorization", token)
        return again


@contextmanager
def _opened(place: str, token: str, verb: str) -> Iterator[HTTPResponse]:
    """Raises Trouble for what cannot be had; what passes is tried again first."""
    address, host = _address(place)
    opener = build_opener(_SameServerOnly)
    for pause in (*PAUSES, None):
        try:
            answer: HTTPResponse = opener.open(_request(address, token, verb), timeout=TIMEOUT)
            break
        except HTTPError as error:
            error.close()
            if pause is None or error.code not in PASSING:
                raise _refused(place, error, token) from None
        except (URLError, HTTPException, OSError) as error:
            if pause is None:
                raise Trouble(f"read {place}", f"{host} cannot be reached: {_said(error)}") from None
        time.sleep(pause)
    with answer:
        yield answer


def _address(place: str) -> tuple[str, str]:
    """The address as it is sent, with what it may not hold in its place, and the host in it."""
    try:
        host, _ = urlsplit(place).hostname, urlsplit(place).port
    except ValueError as error:
        raise Trouble(f"read {place}", f"it is no address: {error}") from None
    if not host:
        raise Trouble(f"read {place}", "the address names no server")
    return quote(place, safe="%/:=&?~#+!$,;'@()*[]"), host


def _request(address: str, token: str, verb: str) -> Request:
    request = Request(address, method=verb, headers={"Accept-Encoding": "identity", "User-Agent": "mlspec"})
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    return request


def _refused(place: str, error: HTTPError, token: str) -> _Refused:
    help_ = ""
    if error.code in (404, 410):
        cause = f"there is nothing at this address ({error.code})"
    elif error.code in (401, 403):
        cause = f"the server refuses it ({error.code} {error.reason})"
        help_ = "see whether the token is still good" if token else "if it wants a token: token = a_secret"
    elif "infinite loop" in str(error.reason):  # three lines of urllib's
        cause = f"its redirects go round in a circle, or on and on ({error.code})"
    else:
        cause = f"the server answers {error.code} {str(error.reason).partition(chr(10))[0]}"
    refused = _Refused(f"read {place}", cause, help_)
    refused.status = error.code
    return refused


def _said(error: BaseException) -> str:
    reason = error.reason if isinstance(error, URLError) else error
    if isinstance(reason, TimeoutError):
        return f"no answer within {TIMEOUT:g} seconds"
    if isinstance(reason, socket.gaierror):
        return "there is no such host, or no network"
    return str(getattr(reason, "strerror", None) or reason or type(reason).__name__)
