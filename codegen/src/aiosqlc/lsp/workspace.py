"""Manage open files and their analyses. One analysis runs at a time, with the newest texts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from aiosqlc.inline.find import FUNCTION
from aiosqlc.inline.package import package_of
from aiosqlc.ir import TypedQuery
from aiosqlc.lsp.known import Entry, State, absolute
from aiosqlc.lsp.projects import above, configurations
from aiosqlc.lsp.text import block_at
from aiosqlc.lsp.worker import AnalysisWorker, sources_of
from aiosqlc.messages.extras import not_installed
from aiosqlc.source import SourceFile

R = TypeVar("R")

log = logging.getLogger(__name__)
_QUIET = 0.005  # seconds without a change before an analysis starts
_MOST_EXPLAINED = 500
_MOST_PUT_OFF = 10  # consecutive changes that can delay an analysis


class Workspace:
    """Manages the open files of the editor.

    `show` is called after each analysis, with the state and the versions of the open files.
    """

    def __init__(
        self,
        show: Callable[[Path, State, dict[str, int | None]], None],
        trouble: Callable[[str], None],
    ) -> None:
        self._show = show
        self._trouble = trouble
        self.closed = self.left = False
        self._worker = AnalysisWorker()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="aiosqlc")
        self._texts: dict[str, str] = {}
        self._versions: dict[str, int | None] = {}
        self._sources: dict[Path, frozenset[str]] = {}
        self._served: dict[Path, frozenset[str]] = {}  # Python files in the last analysis
        self._waiting: set[Path] = set()
        self._changes = 0
        self._task: asyncio.Task[None] | None = None
        self._explained: dict[str, tuple[TypedQuery, TypedQuery]] = {}
        self.states: dict[Path, State] = {}

    # --- notifications of the editor ---

    async def look_around(self, roots: list[Path]) -> None:
        """Find the configurations below the given folders."""
        for config in await self._off_the_loop(lambda: list(configurations(roots))):
            self._sources.setdefault(config, frozenset())
        await self._read_sources()
        for name in list(self._texts):
            self._changed(name)

    async def put(self, path: Path, text: str, version: int | None) -> None:
        """Use the editor's text for a file instead of the file on disk."""
        name, text = str(path), text.removeprefix("\ufeff")
        opened = name not in self._texts
        self._texts[name], self._versions[name] = text, version
        if opened and not self._owners(name) and (path.suffix != ".py" or package_of(path, text)):
            for config in above(path):
                self._sources.setdefault(config, frozenset())
            await self._read_sources()
        self._changed(name)

    async def drop(self, path: Path) -> None:
        """Use the file on disk again instead of the editor's text."""
        owners = self._owners(str(path))
        self._texts.pop(str(path), None)
        self._versions.pop(str(path), None)
        self._queue(owners)

    async def written(self, paths: list[Path]) -> None:
        """Analyse the projects whose files changed on disk; find added files and projects."""
        for path in paths:
            if path.suffix in {".yaml", ".yml", ".json"} and path.is_file():
                self._sources.setdefault(path, frozenset())
        if any(path.suffix != ".py" for path in paths):
            await self._read_sources()
        names = [str(path) for path in paths]
        if any(path.name == f"{FUNCTION}.py" for path in paths):  # a package for literals is new
            names += [name for name in self._texts if name.endswith(".py")]
        for name in names:
            self._changed(name)

    # --- what it asks ---

    def owner(self, path: Path) -> tuple[Path, State, Entry] | None:
        """Return the project and the configuration entry that read a query file or schema file."""
        name = str(path)
        schema: tuple[Path, State, Entry] | None = None
        for config, state in self.states.items():
            if document := state.documents.get(name):
                return config, state, document.entry
            for entry in state.entries:
                if name in entry.files:
                    return config, state, entry
                if schema is None and any(
                    absolute(state.root, part.file.path) == name for part in entry.schema
                ):
                    schema = (config, state, entry)
        return schema

    def text(self, path: Path) -> SourceFile | None:
        """Return the editor's text of a file, or the text on disk if the file is not open."""
        text = self._texts.get(str(path))
        if text is None:
            try:
                text = path.read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError):
                return None
        return SourceFile(path, text.removeprefix("\ufeff").replace("\r\n", "\n"))

    async def explained(self, file: SourceFile, entry: Entry, at: int) -> Entry:
        """Return the entry with the reasons for the inferred types of the query at an offset."""
        name = block_at(file, entry.dialect, at).name
        query = entry.queries.get(name)
        if query is None or _is_explained(query):
            return entry
        known = self._explained.get(name)
        if known is None or known[0] is not query:
            known = (query, await self.run(lambda worker: worker.explained(entry, query)))
            if len(self._explained) > _MOST_EXPLAINED:
                self._explained.clear()
            self._explained[name] = known
        return replace(entry, queries={**entry.queries, name: known[1]})

    async def as_if(self, config: Path, path: Path, text: str) -> State:
        """Analyse the project with another text for one file, and return the state."""
        texts = {**self._encoded(), str(path): text.encode("utf-8", "surrogatepass")}
        before = self.states.get(config)
        try:
            return await self.run(lambda worker: worker.analyse(config, texts, before))
        finally:
            await self._off_the_loop(self._worker.tidy_up)

    async def run(self, ask: Callable[[AnalysisWorker], R]) -> R:
        """Run a function on the analysis worker, after the worker has finished its current job."""
        return await self._off_the_loop(lambda: ask(self._worker))

    async def settled(self) -> None:
        """Wait until every change is analysed."""
        while self._task and not self._task.done():
            await asyncio.wait([self._task])

    def close(self) -> None:
        """Stop the database servers. A second call has no effect."""
        if self.closed:
            return
        self.closed = True
        if self._task:
            self._task.cancel()
        self._thread.submit(self._worker.close)
        self._thread.shutdown(wait=True)

    # --- analyses ---

    def _owners(self, name: str) -> list[Path]:
        """Return the projects that read a file, or else the nearest project, even if it is invalid.

        A Python file belongs to the project of the package that it imports, and to a project that
        has published diagnostics for an earlier text of the file.
        """
        if name.endswith(".py"):
            return [
                config
                for config in self._sources
                if name in self._served.get(config, ()) or self._is_served(config, name)
            ]
        found = [config for config, sources in self._sources.items() if name in sources]
        return found or [config for config in above(Path(name)) if config in self._sources][:1]

    def _is_served(self, config: Path, name: str) -> bool:
        package = package_of(Path(name), self._texts.get(name, ""))
        return package is not None and package.is_of(config)

    async def _read_sources(self) -> None:
        names = list(self._sources)
        found = await self._off_the_loop(lambda: [sources_of(config) for config in names])
        self._sources.update(zip(names, found, strict=True))

    def _changed(self, name: str) -> None:
        self._queue(self._owners(name))

    def _queue(self, configs: Iterable[Path]) -> None:
        self._changes += 1
        self._waiting |= set(configs)
        if self._waiting and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._work())

    async def _work(self) -> None:
        while self._waiting:
            for _ in range(_MOST_PUT_OFF):
                before = self._changes
                await asyncio.sleep(_QUIET)
                if self._changes == before:
                    break
            config = self._waiting.pop()
            try:
                await self._analyse(config)
            except ModuleNotFoundError as error:
                self._trouble(f"aiosqlc: {not_installed(error) or error}")
            except Exception as error:  # after any exception, the next edit is analysed again
                log.exception("analysis of %s", config)
                self._trouble(f"aiosqlc: {type(error).__name__}: {error}")

    async def _analyse(self, config: Path) -> None:
        texts = self._encoded()
        own = [name for name in self._versions if config in self._owners(name)]
        self._served[config] = frozenset(
            name for name in own if name.endswith(".py") and self._is_served(config, name)
        )
        versions, before = {name: self._versions[name] for name in own}, self.states.get(config)
        try:
            state = await self._off_the_loop(lambda: self._worker.analyse(config, texts, before))
            self.states[config] = state
            self._show(config, state, versions)
        finally:
            await self._off_the_loop(self._worker.tidy_up)

    def _encoded(self) -> dict[str, bytes]:
        return {name: text.encode("utf-8", "surrogatepass") for name, text in self._texts.items()}

    def _off_the_loop(self, ask: Callable[[], R]) -> asyncio.Future[R]:
        return asyncio.get_running_loop().run_in_executor(self._thread, ask)


def _is_explained(query: TypedQuery) -> bool:
    columns, params = query.columns, query.params
    return any(item.reasons for item in columns) or any(item.reasons for item in params)
