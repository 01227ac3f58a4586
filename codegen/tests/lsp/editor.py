"""An editor for tests: a real client of the protocol that uses the real command."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiosqlc.lsp.places import path_of, uri_of
from lsprotocol import types
from pygls.lsp.client import LanguageClient

DEADLINE = 90
SERVER = (sys.executable, "-m", "aiosqlc", "lsp")


class Editor:
    """Open files, change them, and wait for the server's diagnostics of each version."""

    def __init__(self, client: LanguageClient) -> None:
        self.client = client
        self.versions: dict[Path, int] = {}
        self.texts: dict[Path, str] = {}
        self.said: defaultdict[Path, list[types.Diagnostic]] = defaultdict(list)
        self.messages: list[str] = []
        self.notes: list[str] = []
        self.shown: list[types.ShowDocumentParams] = []
        self._about: dict[Path, int] = {}
        self._heard = asyncio.Condition()

        @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        async def published(params: types.PublishDiagnosticsParams) -> None:
            await self._published(params)

        @client.feature(types.WINDOW_SHOW_MESSAGE)
        async def told(params: types.ShowMessageParams) -> None:
            serious = params.type is types.MessageType.Error
            async with self._heard:
                (self.messages if serious else self.notes).append(params.message)
                self._heard.notify_all()

        @client.feature(types.WINDOW_SHOW_DOCUMENT)
        def asked_to_show(params: types.ShowDocumentParams) -> types.ShowDocumentResult:
            self.shown.append(params)
            return types.ShowDocumentResult(success=True)

    @property
    def process(self) -> int:
        """Return the server's process ID."""
        assert self.client._server
        return self.client._server.pid

    async def _published(self, params: types.PublishDiagnosticsParams) -> None:
        path = path_of(params.uri)
        assert path
        async with self._heard:
            self.said[path] = list(params.diagnostics)
            if params.version is not None:
                self._about[path] = params.version
            self._heard.notify_all()

    async def open(self, path: Path) -> list[types.Diagnostic]:
        self.versions[path], self.texts[path] = 1, path.read_text()
        language = "python" if path.suffix == ".py" else "sql"
        item = types.TextDocumentItem(uri_of(path), language, 1, self.texts[path])
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return await self.settled(path)

    def close(self, path: Path) -> None:
        self.client.text_document_did_close(
            types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri_of(path)))
        )
        self._about.pop(path, None)

    def type(self, path: Path, text: str, at: types.Range | None = None) -> None:
        """Replace the whole text or a range; only a whole text is stored in `texts`."""
        self.versions[path] += 1
        change: Any = types.TextDocumentContentChangeWholeDocument(text)
        if at:
            change = types.TextDocumentContentChangePartial(range=at, text=text)
        else:
            self.texts[path] = text
        where = types.VersionedTextDocumentIdentifier(self.versions[path], uri_of(path))
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(where, [change]))

    async def settled(self, path: Path) -> list[types.Diagnostic]:
        """Wait until the server has published diagnostics of the newest version."""

        def spoken() -> bool:
            return self._about.get(path, 0) >= self.versions[path]

        async with asyncio.timeout(DEADLINE), self._heard:
            await self._heard.wait_for(spoken)
            return self.said[path]

    async def until(self, path: Path, codes: list[str]) -> None:
        """Wait until exactly these codes are published for a file that another edit affects."""
        async with asyncio.timeout(DEADLINE), self._heard:
            await self._heard.wait_for(lambda: [item.code for item in self.said[path]] == codes)

    async def reported(self) -> None:
        """Wait until the server has shown an error message."""
        async with asyncio.timeout(DEADLINE), self._heard:
            await self._heard.wait_for(lambda: self.messages)

    def where(self, path: Path, marked: str) -> types.TextDocumentPositionParams:
        """Return the position of the `|` in a piece of the file's text."""
        before, _, after = marked.partition("|")
        assert self.texts[path].count(before + after) == 1, marked
        at = self.texts[path].index(before + after) + len(before)
        lines = self.texts[path][:at].split("\n")
        place = types.Position(len(lines) - 1, len(lines[-1].encode("utf-16-le")) // 2)
        return types.TextDocumentPositionParams(types.TextDocumentIdentifier(uri_of(path)), place)


def generate(root: Path) -> Path:
    """Compile a project; return its folder."""
    command = [sys.executable, "-m", "aiosqlc", "generate", "-f", str(root)]
    subprocess.run(command, check=True, capture_output=True)
    return root


@asynccontextmanager
async def editor(
    root: Path, *, command: Sequence[str] = SERVER, **environ: str
) -> AsyncIterator[Editor]:
    """Start the server on a folder; it must end by itself without a reported error."""
    client = LanguageClient("tests", "1")
    desk = Editor(client)
    await client.start_io(*command, env={**os.environ, **environ})
    folder = types.WorkspaceFolder(uri_of(root), root.name)
    await client.initialize_async(
        types.InitializeParams(
            capabilities=types.ClientCapabilities(),
            root_uri=folder.uri,
            workspace_folders=[folder],
        )
    )
    client.initialized(types.InitializedParams())
    try:
        yield desk
        assert not desk.messages
    finally:
        await client.shutdown_async(None)
        client.exit(None)
        async with asyncio.timeout(DEADLINE):
            await client.stop()
