"""The server: which message asks for what."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from aiosqlc.lsp.desk import Desk
from aiosqlc.lsp.known import State
from aiosqlc.lsp.places import path_of, uri_of
from aiosqlc.lsp.problems import by_file


class Server(LanguageServer):
    """Answers an editor about the SQL of its workspace."""

    def __init__(self) -> None:
        super().__init__("aiosqlc", metadata.version("aiosqlc"))
        self.desk = Desk(self._show, self._trouble)
        self._shown: dict[Path, dict[str, list[types.Diagnostic]]] = {}

    def _show(self, config: Path, state: State, versions: dict[str, int | None]) -> None:
        """Publish what has changed; a file in several projects shows what each says of it."""
        now = by_file(state.diagnostics, config, self.workspace.position_codec)
        before = self._shown.get(config, {})
        self._shown[config] = now
        for path in sorted({*now, *before, *versions}, key=lambda path: (path in versions, path)):
            if path in versions or now.get(path) != before.get(path):
                self._publish(path, versions.get(path))

    def _publish(self, path: str, version: int | None) -> None:
        said: list[types.Diagnostic] = []
        for found in self._shown.values():
            said += [item for item in found.get(path, []) if item not in said]
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri_of(Path(path)), said, version)
        )

    def _trouble(self, text: str) -> None:
        self.window_show_message(types.ShowMessageParams(types.MessageType.Error, text))


def create() -> Server:
    """Return a server with everything registered."""
    server = Server()

    @server.feature(types.INITIALIZED)
    async def initialized(ls: Server, _: types.InitializedParams) -> None:
        folders = [path_of(uri) for uri in ls.workspace.folders]
        roots = [folder for folder in folders if folder]
        if not roots and ls.workspace.root_path:
            roots = [Path(ls.workspace.root_path)]
        await ls.desk.look_around(roots)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
        await _put(ls, params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
        await _put(ls, params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
        if path := path_of(params.text_document.uri):
            await ls.desk.drop(path)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
        if path := path_of(params.text_document.uri):
            await ls.desk.written([path])

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def on_disk(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
        paths = [path_of(change.uri) for change in params.changes]
        await ls.desk.written([path for path in paths if path])

    @server.feature(types.SHUTDOWN)
    def shutdown(ls: Server, *_: object) -> None:
        ls.desk.close()

    return server


async def _put(ls: Server, uri: str) -> None:
    if path := path_of(uri):
        document = ls.workspace.get_text_document(uri)
        await ls.desk.put(path, document.source, document.version)
