"""An editor's texts come, change and go; what that matters to is compiled again."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types

from . import convert
from .connection import Server, survives
from .positions import Encoding, changed
from .workspace import ENDING

ENCODINGS: dict[str, Encoding] = {"utf-8": "utf-8", "utf-16": "utf-16", "utf-32": "utf-32"}
WATCHED = "**/*.{mlspec,py,sql,ipynb,csv,tsv,txt,parquet,jsonl,ndjson,json,xlsx,xls,db,sqlite,lock,gz,zip}"


def initialize(server: Server, params: types.InitializeParams) -> None:
    encoding = server.workspace.position_encoding
    server.open.encoding = ENCODINGS.get(str(getattr(encoding, "value", encoding)), "utf-16")
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
