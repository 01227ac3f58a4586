"""A connection to an editor: its open files and their state."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from lsprotocol import types
from msgspec import Struct
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer
from pygls.workspace import PositionCodec

from aiosqlc.lsp.known import Entry, State
from aiosqlc.lsp.places import path_of, uri_of
from aiosqlc.lsp.problems import by_file
from aiosqlc.lsp.protocol import Protocol
from aiosqlc.lsp.python_text import python_text
from aiosqlc.lsp.views import View
from aiosqlc.lsp.workspace import Workspace
from aiosqlc.source import SourceFile


class RequestFailedError(JsonRpcException):
    """A request that fails with a message for the user.

    The language server itself continues to work.
    """

    CODE = types.LSPErrorCodes.RequestFailed


class About(Struct, frozen=True):
    """A file that is open in the editor, with the project that contains the file."""

    path: Path
    view: View
    entry: Entry
    config: Path
    state: State

    @property
    def file(self) -> SourceFile:
        """Return the SQL of the file."""
        return self.view.file

    @property
    def root(self) -> Path:
        """Return the project's folder."""
        return self.state.root


class Server(LanguageServer):
    """Answers the editor's requests about the SQL files of its workspace."""

    def __init__(self) -> None:
        super().__init__("aiosqlc", metadata.version("aiosqlc"), protocol_cls=Protocol)
        self.analysis = Workspace(self._show, self._trouble)
        self._shown: dict[Path, dict[str, list[types.Diagnostic]]] = {}

    @property
    def codec(self) -> PositionCodec:
        """Return the editor's encoding of positions."""
        return self.workspace.position_codec

    def about(self, uri: str) -> About | None:
        """Return the current text of a file, with the last analysis of its project."""
        path = path_of(uri)
        owner = self.analysis.owner(path) if path else None
        file = self.analysis.text(path) if path else None
        if path is None or owner is None or file is None:
            return None
        config, state, entry = owner
        return About(path, self._view(path, file, entry, state), entry, config, state)

    def asked(self, uri: str, position: types.Position) -> tuple[About, int] | None:
        """Return a file, and a position's offset in the file's SQL; return None outside SQL."""
        found = self.about(uri)
        at = found.view.at(position) if found else None
        return (found, at) if found and at is not None else None

    def _view(self, path: Path, file: SourceFile, entry: Entry, state: State) -> View:
        python = entry.settings.python
        if python is None or str(path) not in state.documents:
            return View(self.codec, file)
        found = python_text(path, file.text, python.out.name, entry.dialect)
        return View(self.codec, found.queries.source, found)

    def queries(self, uri: str) -> About | None:
        """Return a query file or the literals of a Python file, or None for a migration."""
        found = self.about(uri)
        return found if found and str(found.path) in found.entry.files else None

    def query_file(self, uri: str) -> About | None:
        """Return a query file, or None for other files."""
        found = self.queries(uri)
        return found if found and found.view.python is None else None

    def roots(self) -> list[Path]:
        """Return the folders that are open in the editor."""
        folders = [path_of(uri) for uri in self.workspace.folders]
        roots = [folder for folder in folders if folder]
        if not roots and self.workspace.root_path:
            roots = [Path(self.workspace.root_path)]
        return roots

    def _show(self, config: Path, state: State, versions: dict[str, int | None]) -> None:
        """Publish changed diagnostics.

        A file that belongs to several projects gets the diagnostics of all these projects.
        """
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
