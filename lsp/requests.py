"""What an editor asks, handed to the features, and their answers back. Nothing is decided here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TypeVar

from lsprotocol import types

from . import actions, completion, convert, files_moved, hints, hover, layout, navigation, rename, symbols, tokens
from .connection import Refusal, Server, survives
from .positions import Lines
from .rename import Edit, Refused

MOST_SYMBOLS = 1000  # of a workspace; who looks for more writes a letter more
T = TypeVar("T")


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
