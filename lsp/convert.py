"""Our own data -> the protocol's, and the protocol's places -> ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lsprotocol import types

from .actions import Action
from .candidates import Item, Sort
from .cursor import Cursor
from .diagnostics import Told
from .hints import Hint
from .navigation import Spot
from .positions import Change, Lines, Position
from .rename import Edit
from .symbols import Entry, Fold
from .workspace import Workspace

Uri = Callable[[str], str]  # of a path
LinesOf = Callable[[str], Lines]


def path_of(uri: str) -> str:
    """Of a text that was never saved, a path that no file has."""
    parts = urlsplit(uri)
    path = unquote(parts.path if parts.scheme == "file" else uri.partition(":")[2])
    return path if path.startswith("/") else str(Path.cwd() / path)


def uri_of(path: str) -> str:
    return Path(path).as_uri()


def changes(given: Iterable[object]) -> list[Change]:
    found = []
    for one in given:
        if isinstance(one, types.TextDocumentContentChangePartial):
            found.append(Change(_ours(one.range.start), _ours(one.range.end), one.text))
        elif isinstance(one, types.TextDocumentContentChangeWholeDocument):
            found.append(Change(None, None, one.text))
    return found


def _ours(position: types.Position) -> Position:
    return Position(position.line, position.character)


def offset(lines: Lines, position: types.Position) -> int:
    return lines.offset(_ours(position))


def position(lines: Lines, offset: int) -> types.Position:
    found = lines.position(offset)
    return types.Position(found.line, found.character)


def range_(lines: Lines, start: int, end: int) -> types.Range:
    return types.Range(position(lines, start), position(lines, end))


# --- diagnostics ----------------------------------------------------------------------------------------------------

SEVERITIES = {"error": types.DiagnosticSeverity.Error, "warning": types.DiagnosticSeverity.Warning}


def diagnostics(found: Iterable[Told], lines: LinesOf, uri: Uri) -> list[types.Diagnostic]:
    return [_diagnostic(one, lines, uri) for one in found]


def _diagnostic(one: Told, lines: LinesOf, uri: Uri) -> types.Diagnostic:
    related = [
        types.DiagnosticRelatedInformation(
            types.Location(uri(span.path), range_(lines(span.path), span.start, span.end)), text or "see here"
        )
        for span, text in one.related
    ]
    return types.Diagnostic(
        range=range_(lines(one.span.path), one.span.start, one.span.end),
        message=one.message,
        severity=SEVERITIES[one.severity],
        code=one.code,
        source="mlspec",
        related_information=related or None,
    )


# --- completion -----------------------------------------------------------------------------------------------------

_K = types.CompletionItemKind
SORTS: dict[Sort, types.CompletionItemKind] = {
    "kind": _K.Keyword, "keyword": _K.Keyword, "artifact": _K.Variable, "param": _K.Constant, "column": _K.Field,
    "metric": _K.Property, "function": _K.Function, "recipe": _K.Class, "argument": _K.Property, "type": _K.TypeParameter,
    "unit": _K.Unit, "file": _K.File, "folder": _K.Folder, "value": _K.Value, "module": _K.Module,
    "snippet": _K.Snippet, "table": _K.Struct,
}  # fmt: skip


def completion(at: Cursor, items: Iterable[Item], lines: Lines, *, snippets: bool) -> types.CompletionList:
    found = [_item(item, at, lines, snippets=snippets) for item in items]
    return types.CompletionList(is_incomplete=False, items=[item for item in found if item is not None])


def _item(item: Item, at: Cursor, lines: Lines, *, snippets: bool) -> types.CompletionItem | None:
    use_snippet = bool(item.snippet) and snippets
    if item.sort == "snippet" and not use_snippet:
        return None
    start = at.replaced - (1 if item.wide and item.insert.startswith('"') else 0)
    text = item.snippet if use_snippet else item.insert or item.label
    opening = lines.text[start : at.replaced]
    return types.CompletionItem(
        label=item.label,
        kind=SORTS[item.sort],
        detail=item.detail or None,
        documentation=types.MarkupContent(types.MarkupKind.Markdown, item.doc) if item.doc else None,
        sort_text=f"{item.rank:04} {item.label}",
        filter_text=f"{opening}{item.label}" if opening else None,
        text_edit=types.TextEdit(range_(lines, start, at.offset), text),
        insert_text_format=types.InsertTextFormat.Snippet if use_snippet else types.InsertTextFormat.PlainText,
    )


# --- places and edits -----------------------------------------------------------------------------------------------


def locations(spots: Iterable[Spot], lines: LinesOf, uri: Uri) -> list[types.Location]:
    return [types.Location(uri(spot.path), _range_of(spot, lines)) for spot in spots]


def _range_of(spot: Spot, lines: LinesOf) -> types.Range:
    if spot.by_line:
        place = types.Position(max(spot.start - 1, 0), spot.end)
        return types.Range(place, place)
    return range_(lines(spot.path), spot.start, spot.end)


def workspace_edit(edits: Iterable[Edit], lines: LinesOf, uri: Uri) -> types.WorkspaceEdit:
    by_uri: dict[str, list[types.TextEdit]] = {}
    for edit in edits:
        by_uri.setdefault(uri(edit.path), []).append(text_edit(edit, lines(edit.path)))
    return types.WorkspaceEdit(changes=by_uri)


def text_edit(edit: Edit, lines: Lines) -> types.TextEdit:
    return types.TextEdit(range_(lines, edit.start, edit.end), edit.text)


def action(one: Action, given: Iterable[types.Diagnostic], lines: LinesOf, uri: Uri, own: Lines) -> types.CodeAction:
    place = position(own, one.at) if one.at >= 0 else None
    mended = [d for d in given if d.code == one.for_code and d.range.start == place]
    return types.CodeAction(
        title=one.title,
        kind=types.CodeActionKind(one.kind),
        diagnostics=mended or None,
        is_preferred=one.preferred or None,
        edit=workspace_edit(one.edits, lines, uri),
    )


# --- outline ----------------------------------------------------------------------------------------------------------

_S = types.SymbolKind
KINDS = {
    "data": _S.Struct, "model": _S.Class, "service": _S.Interface, "param": _S.Constant, "secret": _S.Key,
    "env": _S.Namespace, "use": _S.Module, "column": _S.Field, "argument": _S.Property, "among": _S.Property,
    "measure": _S.Number,
}  # fmt: skip


def symbol(entry: Entry, lines: Lines) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        name=entry.name,
        kind=KINDS.get(entry.kind, _S.Variable),
        detail=" ".join(part for part in (entry.kind, entry.detail) if part),
        range=range_(lines, entry.start, entry.end),
        selection_range=range_(lines, entry.name_start, entry.name_end),
        children=[symbol(one, lines) for one in entry.inside] or None,
    )


def workspace_symbol(entry: Entry, path: str, workspace: Workspace, uri: Uri) -> types.WorkspaceSymbol:
    place = range_(workspace.lines(path), entry.name_start, entry.name_end)
    return types.WorkspaceSymbol(
        location=types.Location(uri(path), place), name=entry.name, kind=KINDS.get(entry.kind, _S.Variable),
        container_name=Path(path).name,
    )  # fmt: skip


def fold(one: Fold, lines: Lines) -> types.FoldingRange:
    kind = types.FoldingRangeKind.Comment if one.kind == "comment" else types.FoldingRangeKind.Region
    return types.FoldingRange(lines.line_of(one.start), lines.line_of(one.end), kind=kind)


def hint(one: Hint, lines: Lines) -> types.InlayHint:
    return types.InlayHint(
        position=position(lines, one.offset),
        label=one.text,
        tooltip=one.more or None,
        padding_left=True,
    )
