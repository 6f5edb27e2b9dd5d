"""HTTP in, HTTP out: the ASGI application of a service."""

from __future__ import annotations

import json
import time
import traceback
from dataclasses import asdict, dataclass
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from ...compiler.requests import Malformed, Refused, parse
from .journal import Journal
from .kept import Kept
from .meters import Meters
from .page import page
from .release import PROBE_HEADER
from .served import Routing, Served

MOST_ROWS = 10_000
SHOWN = 12  # characters of a release's id, as in what is read of the service's log
MOST_BYTES = 16_000_000
DRAINED = 4 * MOST_BYTES  # of a body that is too large this much is still taken, so that its sender hears the answer


class TooLarge(Exception):
    """The body holds more than a request may."""


@dataclass(slots=True)
class Reply:
    response: Response
    served: Served | None = None
    rows: int = 0
    counted: bool = False  # whether it is an answer to a question about a prediction


class App:
    def __init__(self, routing: Routing, journal: Journal, meters: Meters, kept: Kept) -> None:
        self.routing, self.journal, self.meters, self.kept = routing, journal, meters, kept

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        request = Request(scope, receive)
        try:
            reply = await self._reply(request)
        except ClientDisconnect:
            return
        except Exception:
            self.journal.line(traceback.format_exc())
            reply = Reply(_error(500, "the service failed; its log says how"), counted=scope["method"] == "POST")
        if reply.served is not None:
            release = reply.served.release
            reply.response.raw_headers.append((b"x-mlspec-model", release.mark.encode()))
            reply.response.raw_headers.append((b"x-mlspec-release", release.id[:SHOWN].encode()))
        await reply.response(scope, receive, send)
        self._note(request, reply, time.perf_counter() - began)

    async def _reply(self, request: Request) -> Reply:
        token = request.headers.get(PROBE_HEADER)
        served = self.routing.choose(token)
        if served is None and token is not None:
            return Reply(_error(410, "this release is not on trial any more"))
        path, method = request.scope["path"], request.method
        is_route = served is not None and path == served.release.route
        if is_route and method == "POST":
            return await self._predict(request)
        if path not in PAGES:
            return Reply(_not_allowed("POST") if is_route else _not_found(served), served)
        if method not in ("GET", "HEAD"):
            return Reply(_not_allowed("GET, HEAD"), served)
        return Reply(PAGES[path](self, served), served)

    async def _predict(self, request: Request) -> Reply:
        token = request.headers.get(PROBE_HEADER)
        try:
            body = await _body(request)
        except TooLarge:
            problem = f"the body is larger than {MOST_BYTES // 1_000_000} MB; send the rows in several requests"
            return Reply(_error(413, problem, close=True), self.routing.choose(token), counted=True)
        served = self.routing.choose(token)  # only now: nothing is awaited from here until a worker has the rows
        if served is None:
            return Reply(_error(503, "no release answers"), counted=True)
        counted = served is self.routing.live
        try:
            given = parse(body)
            if isinstance(given, list) and not served.release.called and len(given) > MOST_ROWS:
                problem = f"{len(given)} rows; one request may hold {MOST_ROWS}"
                return Reply(_error(413, problem), served, counted=counted)
            rows = served.schema.accept(given)
        except Malformed as malformed:
            return Reply(_error(400, str(malformed)), served, counted=counted)
        except Refused as refused:
            return Reply(_refusal(refused), served, counted=counted)
        if not rows:
            return Reply(Response(b"[]", media_type="application/json"), served, counted=counted)
        asked_at = time.time()
        code, content = await served.crew.submit(rows, not isinstance(given, list))
        if code == 200 and counted and served.release.log:
            self.kept.keep(asked_at, served.release, body, content)
        return Reply(_answered(served, code, content, probed=not counted), served, len(rows), counted)

    def _note(self, request: Request, reply: Reply, seconds: float) -> None:
        code = reply.response.status_code
        if reply.counted:
            self.meters.count(code, reply.rows, seconds)
        client = request.client.host if request.client else "-"
        mark = reply.served.release.mark if reply.served else "-"
        path = request.scope.get("raw_path", b"").decode("ascii", "replace")  # still quoted: a line stays a line
        took = f"{seconds * 1000:.1f}ms"
        self.journal.line(f"{client} {request.method} {path} {code} rows={reply.rows} {took} model={mark}")

    def health(self, served: Served | None) -> Response:
        return JSONResponse({"status": "up"})

    def ready(self, served: Served | None) -> Response:
        if served is not None and served.crew.healthy:
            return JSONResponse({"status": "ready", "release": served.release.id, "model": served.release.mark})
        return JSONResponse({"status": "not ready"}, 503)

    def metrics(self, served: Served | None) -> Response:
        return PlainTextResponse(self.meters.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    def openapi(self, served: Served | None) -> Response:
        return JSONResponse(served.document) if served else _error(503, "no release answers")

    def page(self, served: Served | None) -> Response:
        if served is None:
            return PlainTextResponse("no release answers\n", 503)
        return HTMLResponse(page(served), headers=PAGE_HEADERS)


PAGES: dict[str, Any] = {
    "/": App.page,
    "/health": App.health,
    "/ready": App.ready,
    "/metrics": App.metrics,
    "/openapi.json": App.openapi,
}
PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'"
}


async def _body(request: Request) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > MOST_BYTES and "expect" in request.headers:
        raise TooLarge  # its sender waits for our word before it sends anything
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MOST_BYTES:
            chunks.append(chunk)
        elif size > DRAINED:
            break
    if size > MOST_BYTES:
        raise TooLarge
    return b"".join(chunks)


def _answered(served: Served, code: int, content: bytes, *, probed: bool) -> Response:
    """What a model says when it fails may tell of the data it saw: it is for the log, and for who tries a candidate."""
    if code in (200, 422):
        return Response(content, code, media_type="application/json")
    if code == 500 and not probed:
        what = "function" if served.release.called else "model"
        return _error(500, f"the {what} could not answer; the service's log says why")
    return _error(code, content.decode(errors="replace"))


def _refusal(refused: Refused) -> Response:
    return JSONResponse({"errors": [asdict(problem) for problem in refused.problems]}, 422)


def _error(code: int, text: str, *, close: bool = False) -> Response:
    headers = {"retry-after": "1"} if code == 503 else {"connection": "close"} if close else None
    return Response(json.dumps({"error": text}), code, headers, "application/json")


def _not_allowed(methods: str) -> Response:
    return JSONResponse({"error": f"this path takes {methods}"}, 405, {"allow": methods})


def _not_found(served: Served | None) -> Response:
    paths = [*([f"POST {served.release.route}"] if served else []), *(f"GET {path}" for path in PAGES)]
    return JSONResponse({"error": f"there is nothing here; there are {', '.join(paths)}"}, 404)
