"""Generated code of one driver, imported, with a connection of this driver.

An `Engine` is the only part that the tests for both engines need to know of an engine.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from aiosqlc.analysis.port import Analyze
from aiosqlc.config.load import load_project
from aiosqlc.messages.render import render_all
from aiosqlc.pipeline.compile import compile_project
from hypothesis import HealthCheck, settings
from ruff.__main__ import find_ruff_bin

HERE = Path(__file__).parent


def package_of(package: str, driver: str, drivers: Sequence[str]) -> str:
    """Return the package of the functions for one of several drivers of an entry."""
    return package if driver == drivers[0] else f"{package}.on_{driver.replace('-', '_')}"


@dataclass
class Subject:
    """The package for one driver, and an executor on a real server."""

    driver: str
    package: str
    db: Any
    runner: asyncio.Runner
    connection: Any
    emptying: tuple[str, ...] = ()
    """The statements that empty the tables."""
    on_mysql: bool = False

    @property
    def blocking(self) -> bool:
        """Return whether its functions block their thread."""
        return self.driver == "pymysql" or self.driver.endswith("-sync")

    @property
    def mood(self) -> Any:
        """The class of an author's moods, whose name differs between the engines."""
        return getattr(self.module("models"), "AuthorMood" if self.on_mysql else "Mood")

    def empty(self) -> None:
        """Empty the tables."""
        for statement in self.emptying:
            self.wait(self.db.execute(statement))

    def add(self, name: str | None = "ann", **more: Any) -> int:
        """Add an author; return the ID."""
        given = {"bio": None, "mood": self.mood.SAD, "score": None, **more}
        made = self.call("add_author", name=name, **given)
        return int(getattr(made, "id", made))

    @contextmanager
    def streaming(self) -> Iterator[None]:
        """Start what a stream needs: on PostgreSQL, a transaction."""
        if self.on_mysql:
            yield
        else:
            self.wait(self.connection.execute("BEGIN"))
            try:
                yield
            finally:
                self.wait(self.connection.execute("ROLLBACK"))

    def module(self, name: str = "queries") -> ModuleType:
        """Return one of the generated modules; drivers of one entry share the models."""
        package = self.package.partition(".")[0] if name == "models" else self.package
        return importlib.import_module(f"{package}.{name}")

    def call(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call a generated function, async or not, and return its result."""
        return self.wait(getattr(self.module(), name)(self.db, *args, **kwargs))

    def wait(self, value: Any) -> Any:
        """Return the result of a call, or the rows of a stream."""
        if inspect.isasyncgen(value):

            async def rows() -> list[Any]:
                return [row async for row in value]

            return self.runner.run(rows())
        if inspect.isgenerator(value):
            return list(value)
        if inspect.isawaitable(value):
            return self.runner.run(_awaited(value))
        return value


async def _awaited(value: Any) -> Any:
    return await value


class Pool:
    """The part of a pool that `in_transaction` uses: it lends one connection."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.given_back = 0

    @contextmanager
    def _lent(self) -> Iterator[Any]:
        try:
            yield self.subject.connection
        finally:
            self.given_back += 1

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        """Lend the connection as asyncpg, aiomysql and asyncmy do."""
        with self._lent() as connection:
            yield connection

    def connection(self) -> Any:
        """Lend the connection as psycopg does."""
        return self._lent() if self.subject.blocking else self.acquire()

    def __call__(self) -> _Lent:
        """Lend the connection like a function that creates PyMySQL connections."""
        return _Lent(self)


class _Lent:
    """A connection whose `close` returns it; attributes that are set stay on this object."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool.subject.connection, name)

    def close(self) -> None:
        self._pool.given_back += 1


CONFIG = """\
version: "2"
sql:
  - engine: {engine}
    schema: schema.sql
    queries: queries.sql
    strict: true
    gen:
      python: {{out: {package}, package: {imported}, driver: {driver}, {options}}}
"""


@dataclass(frozen=True)
class Engine:
    """The part of an engine that the tests use, on a running server."""

    name: str
    files: tuple[str, str]
    drivers: tuple[str, ...]
    server: Any
    analyzer: Callable[[str], Analyze]
    run: Callable[[str, str], None]
    """Run a script on a database."""
    connected: Callable[[str, str, str], AbstractContextManager[Subject]]

    @contextmanager
    def database(self, schema: str | None = None) -> Iterator[str]:
        """Yield the URL of a database with a schema, by default the common one."""
        url = self.server.create_empty()
        self.run(url, (HERE / self.files[0]).read_text() if schema is None else schema)
        yield url
        self.server.drop(url)

    @contextmanager
    def compiled(
        self,
        folder: Path,
        driver: str | Sequence[str],
        *,
        options: str = "emit_exceptions: true, emit_helpers: true",
        texts: tuple[str, str] | None = None,
        named: bool = True,
        warned: bool = False,
    ) -> Iterator[str]:
        """Compile the common queries, or other texts, for one or several drivers.

        Yield the name of the importable package. With `named`, the compiler also gets this name.
        `warned` is true if warnings are allowed.
        """
        listed = driver if isinstance(driver, str) else f"[{', '.join(driver)}]"
        package = "_".join(re.findall(r"\w+", f"p {listed} {folder.name}"))
        written = texts or [(HERE / name).read_text() for name in self.files]
        for target, text in zip(("schema.sql", "queries.sql"), written, strict=True):
            (folder / target).write_text(text)
        config = folder / "sqlc.yaml"
        config.write_text(
            CONFIG.format(
                engine=self.name, package=package, driver=listed, options=options,
                imported=package if named else "",
            )
        )  # fmt: skip
        project, problems = load_project(config, environ={})
        assert project is not None, render_all(problems)
        with self.database("") as url:
            done = compile_project(project, self.analyzer(url))
        found = [*problems, *done.diagnostics]
        assert not (done.failed if warned else found), render_all(found)
        for file in done.files:
            file.path.parent.mkdir(parents=True, exist_ok=True)
            file.path.write_text(file.text)
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
        try:
            yield package
        finally:
            sys.path.remove(str(folder))
            for name in [name for name in sys.modules if name.partition(".")[0] == package]:
                del sys.modules[name]

    @contextmanager
    def subject(self, driver: str, package: str, schema: str | None = None) -> Iterator[Subject]:
        """Yield the package of one driver and a connection to its own database."""
        package = package_of(package, driver, self.drivers)
        with self.database(schema) as url, self.connected(driver, package, url) as found:
            yield found


def complaints(folder: Path) -> str:
    """Return the output of the formatter and the linter for generated code."""
    said = ""
    for words in (["format", "--check"], ["check", "--select", "F,I,UP,B"]):
        command = [find_ruff_bin(), *words, "--isolated", "--no-cache", "-q", "."]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        said += done.stdout + done.stderr
    return said


def trying(examples: int) -> settings:
    """Disable time limits, because many values are tried on a server."""
    return settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
