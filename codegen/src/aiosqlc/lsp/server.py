"""The language server: handlers of the protocol's messages."""

from __future__ import annotations

from lsprotocol import types

from aiosqlc.lsp import naming, writing
from aiosqlc.lsp.answers import fixes, hints, symbols
from aiosqlc.lsp.completion import complete
from aiosqlc.lsp.definition import definition
from aiosqlc.lsp.hover import hover, whole_at
from aiosqlc.lsp.known import Entry
from aiosqlc.lsp.places import path_of, span_range, uri_of
from aiosqlc.lsp.session import Server
from aiosqlc.lsp.text import block_at
from aiosqlc.source import SourceFile


def create() -> Server:
    """Return a server with all handlers."""
    server = Server()

    @server.feature(types.INITIALIZED)
    async def initialized(ls: Server, _: types.InitializedParams) -> None:
        await ls.analysis.look_around(ls.roots())

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
        await _put(ls, params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
        await _put(ls, params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
        if path := path_of(params.text_document.uri):
            await ls.analysis.drop(path)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
        if path := path_of(params.text_document.uri):
            await ls.analysis.written([path])

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def on_disk(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
        paths = [path_of(change.uri) for change in params.changes]
        await ls.analysis.written([path for path in paths if path])

    @server.feature(types.SHUTDOWN)
    def shutdown(ls: Server, *_: object) -> None:
        ls.analysis.close()

    @server.feature(types.EXIT)
    def left(ls: Server, *_: object) -> None:
        ls.analysis.left = True

    _answers(server)
    naming.register(server)
    writing.register(server)
    return server


def _answers(server: Server) -> None:
    """Register the handlers for hover, completion, definitions, outlines, hints and fixes."""

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hovered(ls: Server, params: types.HoverParams) -> types.Hover | None:
        asked = ls.asked(params.text_document.uri, params.position)
        if asked is None:
            return None
        found, at = asked
        entry = await ls.analysis.explained(found.file, found.entry, at)
        plan = await _query_plan(ls, found.file, entry, at)
        said = hover(found.file, entry, at, plan)
        if said is None or not said[0]:
            return None
        markdown = types.MarkupContent(types.MarkupKind.Markdown, said[0])
        return types.Hover(markdown, found.view.range(said[1]))

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=list(".@: "))
    )
    def completed(ls: Server, params: types.CompletionParams) -> types.CompletionList:
        asked = ls.asked(params.text_document.uri, params.position)
        offers = complete(asked[0].file, asked[0].entry, asked[1]) if asked else []
        return types.CompletionList(
            is_incomplete=False,
            items=[
                types.CompletionItem(
                    offer.label,
                    kind=offer.sort,
                    detail=offer.detail or None,
                    insert_text=offer.insert or None,
                )
                for offer in offers
            ],
        )

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def defined(ls: Server, params: types.DefinitionParams) -> types.Location | None:
        asked = ls.asked(params.text_document.uri, params.position)
        if asked is None:
            return None
        found, at = asked
        place = definition(found.file, found.entry, found.root, at)
        if place is None:
            return None
        return types.Location(uri_of(place[0]), span_range(ls.codec, place[1], place[2]))

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def outlined(ls: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        found = ls.about(params.text_document.uri)
        if found is None or found.view.python:  # the outline of a Python file has no SQL
            return []
        return symbols(ls.codec, found.file, found.entry)

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    def hinted(ls: Server, params: types.InlayHintParams) -> list[types.InlayHint]:
        found = ls.about(params.text_document.uri)
        if found is None:
            return []
        return list(hints(found.view, found.entry, found.view.within(params.range)))

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix]),
    )
    def fixed(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
        uri = params.text_document.uri
        path = path_of(uri)
        file = ls.analysis.text(path) if path else None
        return list(fixes(ls.codec, file, uri, params.context.diagnostics)) if file else []


async def _query_plan(ls: Server, file: SourceFile, entry: Entry, at: int) -> list[str]:
    """Return the database server's plan if a query's name or first keyword is at an offset."""
    block = block_at(file, entry.dialect, at)
    query = entry.queries.get(block.name)
    if query is None or whole_at(block, at) is None:
        return []
    return await ls.analysis.run(lambda worker: worker.query_plan(entry, query))


async def _put(ls: Server, uri: str) -> None:
    if path := path_of(uri):
        document = ls.workspace.get_text_document(uri)
        await ls.analysis.put(path, document.source, document.version)
