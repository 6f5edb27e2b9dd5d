"""The language server, put together: which question of the protocol goes where, and the start."""

from __future__ import annotations

import os
from typing import Any

from lsprotocol import types

from . import requests, texts, tokens
from .connection import Server

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
    (types.INITIALIZE, texts.initialize, None),
    (types.INITIALIZED, texts.initialized, None),
    (types.TEXT_DOCUMENT_DID_OPEN, texts.did_open, None),
    (types.TEXT_DOCUMENT_DID_CHANGE, texts.did_change, None),
    (types.TEXT_DOCUMENT_DID_CLOSE, texts.did_close, None),
    (types.TEXT_DOCUMENT_DID_SAVE, texts.did_save, types.SaveOptions(include_text=False)),
    (types.WORKSPACE_DID_CHANGE_WATCHED_FILES, texts.watched_changed, None),
    (types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, texts.folders_changed, None),
    (types.WORKSPACE_WILL_RENAME_FILES, requests.files_will_move, SPECS),
    (types.TEXT_DOCUMENT_COMPLETION, requests.complete, types.CompletionOptions(trigger_characters=list('."=:$/ '))),
    (types.TEXT_DOCUMENT_HOVER, requests.hovered, None),
    (types.TEXT_DOCUMENT_DEFINITION, requests.defined, None),
    (types.TEXT_DOCUMENT_REFERENCES, requests.referred, None),
    (types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, requests.highlighted, None),
    (types.TEXT_DOCUMENT_PREPARE_RENAME, requests.rename_prepared, None),
    (types.TEXT_DOCUMENT_RENAME, requests.renamed, types.RenameOptions(prepare_provider=True)),
    (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, requests.outlined, None),
    (types.WORKSPACE_SYMBOL, requests.found_in_workspace, None),
    (types.TEXT_DOCUMENT_FOLDING_RANGE, requests.folded, None),
    (types.TEXT_DOCUMENT_FORMATTING, requests.laid_out, None),
    (types.TEXT_DOCUMENT_RANGE_FORMATTING, requests.lines_laid_out, None),
    (types.TEXT_DOCUMENT_CODE_ACTION, requests.offered, types.CodeActionOptions(code_action_kinds=KINDS_OF_ACTIONS)),
    (types.TEXT_DOCUMENT_INLAY_HINT, requests.hinted, None),
    (types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, requests.coloured, LEGEND),
    (types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, requests.range_coloured, LEGEND),
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
