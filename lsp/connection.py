"""One editor's connection: what is open, what is being compiled, and what was told of it.

Texts are compiled on a thread beside, one at a time, the newest alone; requests wait for the text that they are about.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from .. import __version__
from ..runtimes.targets import targets
from . import convert
from .analysis import Analysis
from .modules import Module
from .positions import Lines
from .workspace import Workspace

log = logging.getLogger("mlspec.lsp")
PATIENCE = 0.25  # seconds that a completion waits for the newest text, before it answers by the one before
T = TypeVar("T")


class Refusal(JsonRpcException):
    """What an editor shows to who asked for something that cannot be."""

    CODE = -32803  # the protocol's "request failed"


class Server(LanguageServer):
    """One editor's connection."""

    def __init__(self) -> None:
        super().__init__("mlspec", __version__)
        self.open = Workspace(targets())
        self.uris: dict[str, str] = {}
        self.versions: dict[str, int | None] = {}
        self.wanted: set[str] = set()
        self.running: dict[str, asyncio.Task[None]] = {}
        self.beside = ThreadPoolExecutor(1, "compile")

    # --- texts ------------------------------------------------------------------------------------------------

    def uri(self, path: str) -> str:
        """As the editor itself calls the file."""
        return self.uris.get(path) or convert.uri_of(path)

    def lines(self, path: str) -> Lines:
        analysis = self.open.analyses.get(path)
        return self.open.lines(path, analysis.text if analysis and path not in self.open.buffers else None)

    def schedule(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.wanted.add(path)
            if path not in self.running:
                self.running[path] = asyncio.ensure_future(self._compile(path))

    async def _compile(self, path: str) -> None:
        try:
            while path in self.wanted:
                self.wanted.discard(path)
                await self._compile_once(path)
        finally:
            self.running.pop(path, None)

    async def _compile_once(self, path: str) -> None:
        opened, text = self.open.opened.get(path), self.open.buffers.get(path)
        if opened is None or text is None:
            return
        try:
            analysis = await asyncio.get_running_loop().run_in_executor(self.beside, opened.analyse, text)
            if self.open.opened.get(path) is opened:
                self.publish(self.open.analysed(path, analysis))
        except Exception:
            log.exception("could not compile %s", path)

    def publish(self, paths: Iterable[str]) -> None:
        for path in paths:
            analysis = self.open.analyses.get(path)
            if path in self.wanted or (analysis and analysis.text != self.open.buffers.get(path)):
                continue  # of a text that is no more; the newer one is compiled next
            told = convert.diagnostics(self.open.told_of(path), self.lines, self.uri)
            version = self.versions.get(path)
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(self.uri(path), told, version))

    # --- answers ----------------------------------------------------------------------------------------------

    async def fresh(self, uri: str) -> tuple[Module, Analysis] | None:
        """A spec as it is now; None for what is none or is closed."""
        path = convert.path_of(uri)
        while path in self.running:
            await asyncio.shield(self.running[path])
        module, analysis = self.open.module(path), self.open.analyses.get(path)
        return (module, analysis) if module is not None and analysis is not None else None

    async def nearly_fresh(self, uri: str) -> Analysis | None:
        """As it is now or, where that takes long, as it was."""
        path = convert.path_of(uri)
        if path in self.open.analyses:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.fresh(uri), PATIENCE)
        else:
            await self.fresh(uri)
        return self.open.analyses.get(path)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Logged; nobody is interrupted while writing."""
        log.error("%s", error, exc_info=error)


Answer = Callable[[Server, Any], Awaitable[T | None]]


def survives(answer: Answer[T]) -> Answer[T]:
    """A mistake of ours is logged, and the editor gets no answer; a refusal is told to who asked."""

    @functools.wraps(answer)
    async def guarded(server: Server, params: Any) -> T | None:
        try:
            return await answer(server, params)
        except Refusal:
            raise
        except Exception:
            log.exception("could not answer %s", answer.__name__)
            return None

    return guarded
