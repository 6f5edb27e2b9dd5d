"""The server as an editor meets it: a process that is spoken to over standard input and output."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

SPEC = """## Größe 🎈 in Zügen.
data züge from csv "zuege.csv" {
  größe: int
}

data train, test from züge by split {
  test = 20%
}

model m from train by python "sklearn.linear_model:LinearRegression" {
  predict .größe from .länge  # 🎈🎈 .länge
  measure rmse on test
}
"""
ROWS = "größe,länge,art\n1,2.5,a\n2,3.5,b\n"


@pytest_lsp.fixture(
    scope="module",
    config=ClientServerConfig(server_command=[sys.executable, "-m", "mlspec", "lsp", "--stdio"]),
)
async def client(lsp_client: LanguageClient, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[None]:
    root = tmp_path_factory.mktemp("project")
    (root / "zuege.csv").write_text(ROWS, encoding="utf-8")
    (root / "main.mlspec").write_text(SPEC, encoding="utf-8")
    lsp_client.root = root  # type: ignore[attr-defined]
    lsp_client.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda _: None)
    told = lsp_client.told = {}  # type: ignore[attr-defined]
    keep = lsp_client.protocol.fm.features  # where pytest-lsp's own would forget the version
    keep[types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS] = lambda one: told.setdefault(one.uri, []).append(one)
    params = types.InitializeParams(
        capabilities=client_capabilities("visual-studio-code"),
        workspace_folders=[types.WorkspaceFolder(uri=root.as_uri(), name="project")],
    )
    await lsp_client.initialize_session(params)
    yield
    await lsp_client.shutdown_session()


class Document:
    """One file as an editor holds it; `|` in a text is where the cursor stands."""

    def __init__(self, client: LanguageClient, name: str) -> None:
        self.client, self.path = client, Path(client.root) / name  # type: ignore[attr-defined]
        self.uri, self.text, self.version = self.path.as_uri(), "", 0

    async def open(self, text: str) -> list[types.Diagnostic]:
        self.text, self.version = text, self.version + 1
        item = types.TextDocumentItem(self.uri, "mlspec", self.version, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return await self.told()

    def change(self, old: str, new: str) -> None:
        """The characters `old` become `new`, sent as an editor sends it: the range in UTF-16."""
        start = self.text.index(old)
        change = types.TextDocumentContentChangePartial(
            types.Range(self.position(start), self.position(start + len(old))), new
        )
        self.text, self.version = self.text.replace(old, new, 1), self.version + 1
        document = types.VersionedTextDocumentIdentifier(self.version, self.uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [change]))

    async def told(self) -> list[types.Diagnostic]:
        """The diagnostics of the text as it is now."""
        end = time.monotonic() + 20
        told: list[types.PublishDiagnosticsParams] = self.client.told.setdefault(self.uri, [])  # type: ignore[attr-defined]
        while time.monotonic() < end:
            if told and told[-1].version == self.version:
                return list(told.pop().diagnostics)
            await asyncio.sleep(0.005)
        raise AssertionError("nothing was told of the newest text")

    async def comes_to_tell(self, codes: set[str]) -> None:
        """Waits for just these: of a file that changes, what was told before may arrive after the change."""
        while {one.code for one in await self.told()} != codes:
            pass

    def close(self) -> None:
        self.client.told.pop(self.uri, None)  # type: ignore[attr-defined]
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(self.identifier))

    @property
    def identifier(self) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri)

    def position(self, offset: int) -> types.Position:
        before = self.text[:offset]
        return types.Position(before.count("\n"), len(before.rpartition("\n")[2].encode("utf-16-le")) // 2)

    def at(self, text: str) -> types.Position:
        return self.position(self.text.index(text.replace("|", "")) + text.index("|"))

    def under(self, place: types.Range) -> str:
        line = self.text.split("\n")[place.start.line].encode("utf-16-le")
        return line[place.start.character * 2 : place.end.character * 2].decode("utf-16-le")


@pytest_asyncio.fixture(loop_scope="module")
async def document(client: LanguageClient) -> AsyncIterator[Document]:
    document = Document(client, "main.mlspec")
    assert await document.open(SPEC) == []
    yield document
    document.close()


SESSION = pytest.mark.asyncio(loop_scope="module")


@SESSION
async def test_mistakes_are_told_as_one_types(document: Document) -> None:
    document.change(".größe from .länge", ".größe from .längee")
    (first, *_) = await document.told()
    assert (first.code, first.source, document.under(first.range)) == ("E302", "mlspec", ".längee")
    document.change(".längee", ".länge")
    assert await document.told() == []


@SESSION
async def test_only_the_newest_text_counts(document: Document) -> None:
    for number in range(30):
        document.change("test = 20%" if number == 0 else f"test = {19 + number}%", f"test = {20 + number}%")
    assert await document.told() == []
    assert "test = 49%" in document.text


@SESSION
async def test_completion(document: Document) -> None:
    params = types.CompletionParams(document.identifier, document.at("from .|länge"))
    found = await document.client.text_document_completion_async(params)
    assert isinstance(found, types.CompletionList)
    items = {item.label: item for item in found.items}
    assert set(items) >= {"länge", "art"}
    edit = items["art"].text_edit
    assert isinstance(edit, types.TextEdit) and edit.range.start == document.at("from .|länge")


@SESSION
async def test_hover_behind_what_is_wide(document: Document) -> None:
    params = types.HoverParams(document.identifier, document.at("from .lä|nge"))
    found = await document.client.text_document_hover_async(params)
    assert found and isinstance(found.contents, types.MarkupContent)
    assert "länge: float" in found.contents.value
    assert found.range and document.under(found.range) == "länge"


@SESSION
async def test_definition_and_references(document: Document) -> None:
    at = document.at("data züge| from")
    params = types.ReferenceParams(types.ReferenceContext(True), document.identifier, at)
    found = await document.client.text_document_references_async(params)
    assert [document.under(one.range) for one in found or ()] == ["züge", "züge"]
    asked = types.DefinitionParams(document.identifier, document.at("test from zü|ge"))
    (place,) = await document.client.text_document_definition_async(asked)  # type: ignore[misc]
    assert place.uri == document.uri and place.range.start.line == 1


@SESSION
async def test_rename_and_its_refusal(document: Document) -> None:
    from pygls.exceptions import JsonRpcException

    params = types.RenameParams(document.identifier, document.at("data zü|ge"), "bahnen")
    found = await document.client.text_document_rename_async(params)
    assert found and found.changes
    assert [edit.new_text for edit in found.changes[document.uri]] == ["bahnen", "bahnen"]
    with pytest.raises(JsonRpcException, match="a word of the language"):
        await document.client.text_document_rename_async(
            types.RenameParams(document.identifier, document.at("data zü|ge"), "model")
        )


@SESSION
async def test_repairs(document: Document) -> None:
    document.change("rmse on", "rmsee on")
    (told,) = await document.told()
    context = types.CodeActionContext([told])
    found = await document.client.text_document_code_action_async(
        types.CodeActionParams(document.identifier, told.range, context)
    )
    (fix,) = [one for one in found or () if isinstance(one, types.CodeAction) and one.kind == "quickfix"]
    assert fix.is_preferred and list(fix.diagnostics or ()) == [told]
    document.change("rmsee on", "rmse on")
    assert await document.told() == []


@SESSION
async def test_layout(document: Document) -> None:
    document.change("  test = 20%", "     test=20%")
    await document.told()
    options = types.FormattingOptions(2, True)
    edits = await document.client.text_document_formatting_async(
        types.DocumentFormattingParams(document.identifier, options)
    )
    assert [edit.new_text for edit in edits or ()] == ["  test = 20%\n"]


@SESSION
async def test_outline_folds_hints_and_colours(document: Document) -> None:
    client, own = document.client, document.identifier
    symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(own))
    assert [one.name for one in symbols or ()] == ["züge", "train", "test", "m"]
    folds = await client.text_document_folding_range_async(types.FoldingRangeParams(own))
    assert (1, 3) in [(one.start_line, one.end_line) for one in folds or ()]
    everything = types.Range(types.Position(0, 0), document.position(len(SPEC)))
    hints = await client.text_document_inlay_hint_async(types.InlayHintParams(own, everything))
    assert [one.label for one in hints or ()] == ["also länge: float, art: text"]
    colours = await client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(own))
    part = await client.text_document_semantic_tokens_range_async(types.SemanticTokensRangeParams(own, everything))
    assert colours and part and len(colours.data) > 100 and colours.data == part.data


@SESSION
async def test_symbols_of_the_workspace(document: Document) -> None:
    (Path(document.client.root) / "other.mlspec").write_text('data elsewhere from csv "zuege.csv"\n')  # type: ignore[attr-defined]
    document.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([]))
    found = await document.client.workspace_symbol_async(types.WorkspaceSymbolParams("ELSE"))
    assert [one.name for one in found or ()] == ["elsewhere"]


@SESSION
async def test_a_file_that_changes_on_disk_is_seen(document: Document) -> None:
    rows = Path(document.client.root) / "zuege.csv"  # type: ignore[attr-defined]
    rows.write_text(ROWS.replace("länge", "laenge"), encoding="utf-8")
    change = types.FileEvent(rows.as_uri(), types.FileChangeType.Changed)
    document.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([change]))
    await document.comes_to_tell({"E302"})
    rows.write_text(ROWS, encoding="utf-8")
    document.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([change]))
    await document.comes_to_tell(set())


@SESSION
async def test_a_file_that_moves_is_named_anew(document: Document) -> None:
    root = Path(document.client.root)  # type: ignore[attr-defined]
    move = types.FileRename((root / "zuege.csv").as_uri(), (root / "data" / "zuege.csv").as_uri())
    found = await document.client.workspace_will_rename_files_async(types.RenameFilesParams([move]))
    assert found and found.changes
    assert [edit.new_text for edit in found.changes[document.uri]] == ["data/zuege.csv"]


@SESSION
async def test_several_specs_tell_of_the_file_that_they_share(document: Document) -> None:
    client = document.client
    used, user = Document(client, "used.mlspec"), Document(client, "user.mlspec")
    used.path.write_text("param region: text\n")
    assert await user.open('use "used.mlspec" as u {\n  region = "x"\n}\n') == []
    assert await used.open("param region: text\n") == []
    used.change("text", "txt")
    assert [one.code for one in await used.told()] != []
    used.close()
    user.close()


@SESSION
async def test_what_is_no_spec_and_what_is_closed_gets_no_answer(client: LanguageClient) -> None:
    nobody = types.TextDocumentIdentifier((Path(client.root) / "nobody.mlspec").as_uri())  # type: ignore[attr-defined]
    place = types.Position(3, 3)
    assert await client.text_document_hover_async(types.HoverParams(nobody, place)) is None
    assert await client.text_document_completion_async(types.CompletionParams(nobody, place)) is None
    unsaved = Document(client, "main.mlspec")
    unsaved.uri = "untitled:Untitled-1.mlspec"
    assert [one.code for one in await unsaved.open("data x from y\n")] != []
    unsaved.close()


@SESSION
async def test_broken_and_strange_texts_are_survived(client: LanguageClient) -> None:
    document = Document(client, "strange.mlspec")
    for text in (
        "",
        "\ufeff",
        "\x00\x0c\u2028",
        '"""',
        "data " * 2000,
        "{" * 500,
        "# 🎈\r\r\n",
        SPEC[: len(SPEC) // 2],
    ):
        await document.open(text)
        end = document.position(len(text))
        await client.text_document_completion_async(types.CompletionParams(document.identifier, end))
        await client.text_document_hover_async(types.HoverParams(document.identifier, types.Position(99, 99)))
        await client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(document.identifier))
        await client.text_document_formatting_async(
            types.DocumentFormattingParams(document.identifier, types.FormattingOptions(2, True))
        )
        document.close()
