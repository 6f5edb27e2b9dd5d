"""The protocol: what an editor asks, handed to the features, and their answers back. Nothing is decided here.

Texts are compiled on a thread beside, one at a time, the newest alone; requests wait for the text that they are about.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from .. import __version__
from ..runtimes.targets import targets
from . import actions, completion, convert, files_moved, hints, hover, layout, navigation, rename, symbols, tokens
from .analysis import Analysis
from .modules import Module
from .positions import Lines, changed
from .rename import Edit, Refused
from .workspace import ENDING, Workspace

log = logging.getLogger("mlspec.lsp")
PATIENCE = 0.25  # seconds that a completion waits for the newest text, before it answers by the one before
WATCHED = "**/*.{mlspec,py,sql,ipynb,csv,tsv,txt,parquet,jsonl,ndjson,json,xlsx,xls,db,sqlite,lock,gz,zip}"
MOST_SYMBOLS = 1000  # of a workspace; who looks for more writes a letter more
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
        self.published: dict[str, list[types.Diagnostic]] = {}
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
        except Exception:
            log.exception("could not compile %s", path)
            return
        if path in self.open.opened:
            self.publish(self.open.analysed(path, analysis))

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


# --- texts come and go -----------------------------------------------------------------------------------------------


def initialize(server: Server, params: types.InitializeParams) -> None:
    encoding = server.workspace.position_encoding
    server.open.encoding = {"utf-8": "utf-8", "utf-32": "utf-32"}.get(
        str(getattr(encoding, "value", encoding)), "utf-16"
    )  # type: ignore[assignment]
    _take_folders(server)


def _take_folders(server: Server) -> None:
    server.open.folders = [Path(convert.path_of(uri)) for uri in server.workspace.folders]
    server.open.forget_listing()


@survives
async def initialized(server: Server, params: types.InitializedParams) -> None:
    workspace = server.client_capabilities.workspace
    watching = workspace.did_change_watched_files if workspace else None
    if watching is None or not watching.dynamic_registration:
        return
    options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(WATCHED)])
    registration = types.Registration("watch", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
    await server.client_register_capability_async(types.RegistrationParams([registration]))


def did_open(server: Server, params: types.DidOpenTextDocumentParams) -> None:
    document = params.text_document
    path = convert.path_of(document.uri)
    server.uris[path], server.versions[path] = document.uri, document.version
    server.open.open(path, document.text)
    server.schedule({path, *server.open.affected(path)} if path.endswith(ENDING) else server.open.affected(path))


def did_change(server: Server, params: types.DidChangeTextDocumentParams) -> None:
    path = convert.path_of(params.text_document.uri)
    before = server.open.buffers.get(path)
    if before is None:
        return
    server.versions[path] = params.text_document.version
    server.open.buffers[path] = changed(before, convert.changes(params.content_changes), server.open.encoding)
    server.schedule({path, *server.open.affected(path)} if path.endswith(ENDING) else server.open.affected(path))


def did_close(server: Server, params: types.DidCloseTextDocumentParams) -> None:
    path = convert.path_of(params.text_document.uri)
    affected = [one for one in server.open.affected(path) if one != path]
    less = server.open.close(path)
    server.versions.pop(path, None)
    server.publish(less)
    server.uris.pop(path, None)
    server.schedule(affected)


def did_save(server: Server, params: types.DidSaveTextDocumentParams) -> None:
    """Nothing: what is written is what was known. It is asked for by editors all the same."""


def watched_changed(server: Server, params: types.DidChangeWatchedFilesParams) -> None:
    server.open.forget_listing()
    server.schedule(list(server.open.opened))


def folders_changed(server: Server, params: types.DidChangeWorkspaceFoldersParams) -> None:
    _take_folders(server)


# --- requests --------------------------------------------------------------------------------------------------------


@survives
async def complete(server: Server, params: types.CompletionParams) -> types.CompletionList | None:
    path = convert.path_of(params.text_document.uri)
    analysis, text = await server.nearly_fresh(params.text_document.uri), server.open.buffers.get(path)
    if analysis is None or text is None:
        return None
    lines = server.open.lines(path, text)
    at, items = completion.complete(analysis, text, convert.offset(lines, params.position))
    if _typed_a_space(params) and not (at.line if at.in_body else at.before):
        return None  # an empty line asks nothing
    return convert.completion(at, items, lines, snippets=_knows_snippets(server))


def _typed_a_space(params: types.CompletionParams) -> bool:
    return params.context is not None and params.context.trigger_character == " "


def _knows_snippets(server: Server) -> bool:
    document = server.client_capabilities.text_document
    item = document.completion.completion_item if document and document.completion else None
    return bool(item and item.snippet_support)


@survives
async def hovered(server: Server, params: types.HoverParams) -> types.Hover | None:
    found = await server.fresh(params.text_document.uri)
    if found is None:
        return None
    module, analysis = found
    lines = server.lines(module.path)
    told = hover.hover(module, analysis, server.open.module, convert.offset(lines, params.position))
    if told is None:
        return None
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, told[0]), convert.range_(lines, told[1], told[2]))


@survives
async def defined(server: Server, params: types.DefinitionParams) -> list[types.Location] | None:
    found = await server.fresh(params.text_document.uri)
    if found is None:
        return None
    module, analysis = found
    offset = convert.offset(server.lines(module.path), params.position)
    return convert.locations(
        navigation.definition(module, analysis, server.open.module, offset), server.lines, server.uri
    )


@survives
async def referred(server: Server, params: types.ReferenceParams) -> list[types.Location] | None:
    found = await server.fresh(params.text_document.uri)
    if found is None:
        return None
    module, analysis = found
    offset = convert.offset(server.lines(module.path), params.position)
    read = server.open.module
    spots = navigation.references(module, analysis, read, server.open.modules(), offset)
    if not params.context.include_declaration:
        declared = navigation.definition(module, analysis, read, offset)
        spots = [spot for spot in spots if spot not in declared]
    return convert.locations(spots, server.lines, server.uri)


@survives
async def highlighted(server: Server, params: types.DocumentHighlightParams) -> list[types.DocumentHighlight] | None:
    found = await server.fresh(params.text_document.uri)
    if found is None:
        return None
    module, analysis = found
    lines = server.lines(module.path)
    offset = convert.offset(lines, params.position)
    spots = navigation.references(module, analysis, server.open.module, [module], offset)
    return [types.DocumentHighlight(convert.range_(lines, s.start, s.end)) for s in spots if s.path == module.path]


@survives
async def rename_prepared(server: Server, params: types.PrepareRenameParams) -> types.Range | None:
    found = await server.fresh(params.text_document.uri)
    if found is None:
        return None
    module, analysis = found
    lines = server.lines(module.path)
    place = rename.renamable(module, analysis, server.open.module, convert.offset(lines, params.position))
    return convert.range_(lines, *_or_refuse(place))


@survives
async def renamed(server: Server, params: types.RenameParams) -> types.WorkspaceEdit | None:
    found = await server.fresh(params.text_document.uri)
    if found is None:
        return None
    module, analysis = found
    offset = convert.offset(server.lines(module.path), params.position)
    edits = rename.rename(
        module, analysis, server.open.module, server.open.modules(), offset, params.new_name, server.open.text
    )
    return convert.workspace_edit(_or_refuse(edits), server.lines, server.uri)


def _or_refuse(found: T | Refused) -> T:
    if isinstance(found, Refused):
        raise Refusal(found.why, Refusal.CODE)
    return found


@survives
async def files_will_move(server: Server, params: types.RenameFilesParams) -> types.WorkspaceEdit | None:
    moves = {convert.path_of(one.old_uri): convert.path_of(one.new_uri) for one in params.files}
    edits = files_moved.edits(server.open.modules(), moves, lambda path: Path(path).exists())
    return convert.workspace_edit(edits, server.lines, server.uri) if edits else None


@survives
async def outlined(server: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol] | None:
    found = await server.fresh(params.text_document.uri)
    if found is None:
        return None
    lines = server.lines(found[0].path)
    return [convert.symbol(entry, lines) for entry in symbols.outline(found[0])]


@survives
async def found_in_workspace(server: Server, params: types.WorkspaceSymbolParams) -> list[types.WorkspaceSymbol] | None:
    asked = params.query.casefold()
    found = (
        convert.workspace_symbol(entry, module.path, server.open, server.uri)
        for module in server.open.modules()
        for entry in symbols.outline(module)
        if asked in entry.name.casefold()
    )
    return list(islice(found, MOST_SYMBOLS))


@survives
async def folded(server: Server, params: types.FoldingRangeParams) -> list[types.FoldingRange] | None:
    path = convert.path_of(params.text_document.uri)
    text = server.open.buffers.get(path)
    if text is None:
        return None
    lines = server.open.lines(path, text)
    return [convert.fold(one, lines) for one in symbols.folds(text)]


@survives
async def laid_out(server: Server, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
    path = convert.path_of(params.text_document.uri)
    text = server.open.buffers.get(path)
    if text is None:
        return None
    return _edits(await asyncio.to_thread(layout.layout, path, text), server.open.lines(path, text))


@survives
async def lines_laid_out(server: Server, params: types.DocumentRangeFormattingParams) -> list[types.TextEdit] | None:
    path = convert.path_of(params.text_document.uri)
    text = server.open.buffers.get(path)
    if text is None:
        return None
    lines = server.open.lines(path, text)
    start, end = convert.offset(lines, params.range.start), convert.offset(lines, params.range.end)
    return _edits(await asyncio.to_thread(layout.layout_of, path, text, start, end), lines)


def _edits(edits: Iterable[Edit], lines: Lines) -> list[types.TextEdit]:
    return [convert.text_edit(edit, lines) for edit in edits]


@survives
async def offered(server: Server, params: types.CodeActionParams) -> list[types.CodeAction] | None:
    found = await server.fresh(params.text_document.uri)
    if found is None:
        return None
    lines = server.lines(found[0].path)
    start, end = convert.offset(lines, params.range.start), convert.offset(lines, params.range.end)
    only = [str(getattr(kind, "value", kind)) for kind in params.context.only or ()]
    return [
        convert.action(one, params.context.diagnostics, server.lines, server.uri, lines)
        for one in actions.actions(found[1], start, end)
        if not only or any(f"{one.kind}.".startswith(f"{kind}.") for kind in only)
    ]


@survives
async def hinted(server: Server, params: types.InlayHintParams) -> list[types.InlayHint] | None:
    found = await server.fresh(params.text_document.uri)
    if found is None:
        return None
    lines = server.lines(found[0].path)
    start, end = convert.offset(lines, params.range.start), convert.offset(lines, params.range.end)
    return [convert.hint(one, lines) for one in hints.hints(found[1], start, end)]


@survives
async def coloured(server: Server, params: types.SemanticTokensParams) -> types.SemanticTokens | None:
    path = convert.path_of(params.text_document.uri)
    text = server.open.buffers.get(path)
    return None if text is None else types.SemanticTokens(tokens.encoded(text, server.open.lines(path, text)))


@survives
async def range_coloured(server: Server, params: types.SemanticTokensRangeParams) -> types.SemanticTokens | None:
    path = convert.path_of(params.text_document.uri)
    text = server.open.buffers.get(path)
    if text is None:
        return None
    lines = server.open.lines(path, text)
    start, end = convert.offset(lines, params.range.start), convert.offset(lines, params.range.end)
    return types.SemanticTokens(tokens.encoded(text, lines, start, end))


# --- all together ----------------------------------------------------------------------------------------------------

LEGEND = types.SemanticTokensLegend(list(tokens.TYPES), list(tokens.MODIFIERS))
SPECS = types.FileOperationRegistrationOptions(
    [types.FileOperationFilter(types.FileOperationPattern("**/*"), scheme="file")]
)
KINDS_OF_ACTIONS = [
    types.CodeActionKind.QuickFix,
    types.CodeActionKind.SourceFixAll,
    types.CodeActionKind.RefactorRewrite,
]
FEATURES: tuple[tuple[str, Any, Any], ...] = (
    (types.INITIALIZE, initialize, None),
    (types.INITIALIZED, initialized, None),
    (types.TEXT_DOCUMENT_DID_OPEN, did_open, None),
    (types.TEXT_DOCUMENT_DID_CHANGE, did_change, None),
    (types.TEXT_DOCUMENT_DID_CLOSE, did_close, None),
    (types.TEXT_DOCUMENT_DID_SAVE, did_save, types.SaveOptions(include_text=False)),
    (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, watched_changed, None),
    (types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, folders_changed, None),
    (types.WORKSPACE_WILL_RENAME_FILES, files_will_move, SPECS),
    (types.TEXT_DOCUMENT_COMPLETION, complete, types.CompletionOptions(trigger_characters=list('."=:$/ '))),
    (types.TEXT_DOCUMENT_HOVER, hovered, None),
    (types.TEXT_DOCUMENT_DEFINITION, defined, None),
    (types.TEXT_DOCUMENT_REFERENCES, referred, None),
    (types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, highlighted, None),
    (types.TEXT_DOCUMENT_PREPARE_RENAME, rename_prepared, None),
    (types.TEXT_DOCUMENT_RENAME, renamed, types.RenameOptions(prepare_provider=True)),
    (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, outlined, None),
    (types.WORKSPACE_SYMBOL, found_in_workspace, None),
    (types.TEXT_DOCUMENT_FOLDING_RANGE, folded, None),
    (types.TEXT_DOCUMENT_FORMATTING, laid_out, None),
    (types.TEXT_DOCUMENT_RANGE_FORMATTING, lines_laid_out, None),
    (types.TEXT_DOCUMENT_CODE_ACTION, offered, types.CodeActionOptions(code_action_kinds=KINDS_OF_ACTIONS)),
    (types.TEXT_DOCUMENT_INLAY_HINT, hinted, None),
    (types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, coloured, LEGEND),
    (types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, range_coloured, LEGEND),
)


def make() -> Server:
    server = Server()
    for method, answer, options in FEATURES:
        server.feature(method, options)(answer)
    return server


def serve() -> None:
    """Over standard input and output, until the editor goes. What else is printed would be taken for an answer: it
    goes where errors go."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    make().start_io(stdout=answers)
