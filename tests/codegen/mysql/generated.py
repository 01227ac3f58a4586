"""Generated code as a user has it: compiled by the command, called through its adapter."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

import aiomysql
import pymysql
import pytest
from aiosqlc.cli.main import main
from aiosqlc.contract.conforms import unlike
from aiosqlc.parse.scanner import Dialect, split_statements

from devstack.testing.mysql_databases import MysqlDatabases
from lib.db.mysql_session import connect_arguments
from tests.codegen.mysql.conftest import SERVER_URL

_CONFIG = """
version: "2"
sql:
  - engine: mysql
    schema: schema.sql
    queries: q.sql
    server: {server}{database}
    gen: {{python: {{out: {package}, package: {package}, models: dataclass}}}}
"""
_numbers = itertools.count()


@dataclass(frozen=True)
class Store:
    """A compiled project and a database with its schema."""

    url: str
    package: str

    def module(self, name: str = "q") -> ModuleType:
        """Return one of the generated modules."""
        return importlib.import_module(f"{self.package}.{name}")

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Any]:
        """Open a connection in a transaction that is rolled back, behind the generated adapter."""
        arguments = connect_arguments(self.url, connect_seconds=5, statement_seconds=5)
        del arguments["conv"]  # a user's connection has the driver's own
        connection = await aiomysql.connect(**{**arguments, "autocommit": False})
        try:
            yield self.module("adapter").AiomysqlExecutor(connection)
            await connection.rollback()
        finally:
            connection.close()


class Generator:
    """Compiles projects and makes their databases."""

    def __init__(self, root: Path, server: MysqlDatabases) -> None:
        self._root = root
        self._server = server
        self._made: list[str] = []

    def __call__(self, schema: str, queries: str, *, rows: str = "", mode: str = "") -> Store:
        """Compile a project, which must succeed, and fill a database for it.

        `mode` is the SQL mode in which the rows are inserted.
        """
        package = f"generated_{next(_numbers)}"
        folder = self._root / package
        folder.mkdir()
        (folder / "schema.sql").write_text(schema)
        (folder / "q.sql").write_text(queries)
        database = f"\n    database: {{uri: '{SERVER_URL}'}}" if SERVER_URL else ""
        kin = "mysql" if SERVER_URL else "mariadb"
        config = _CONFIG.format(package=package, database=database, server=kin)
        (folder / "sqlc.yaml").write_text(config)
        assert main(["generate", "-f", str(folder / "sqlc.yaml")]) == 0
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
        url = self._server.create_empty()
        self._made.append(url)
        self._fill(url, schema, rows, mode)
        return Store(url, package)

    def _fill(self, url: str, schema: str, rows: str, mode: str) -> None:
        arguments = connect_arguments(url, connect_seconds=5, statement_seconds=60)
        arguments["database"] = arguments.pop("db")
        connection = pymysql.connect(**arguments)
        with connection, connection.cursor() as cursor:
            for text, before in ((schema, ""), (rows, mode)):
                if before or text is rows:
                    cursor.execute("SET sql_mode = %s", (before,)) if before else None
                for span in split_statements(text, Dialect.MYSQL):
                    cursor.execute(text[span.start : span.end])

    def close(self) -> None:
        """Drop the databases."""
        for url in self._made:
            self._server.drop(url)


Generate = Callable[..., Store]


def judged(function: Callable[..., Any], value: object) -> str:
    """Return where a function's result is not what its signature says."""
    return unlike(value, get_type_hints(function)["return"])


@pytest.fixture(scope="module")
def generate(
    mysql_cache: Path, mysql_server: MysqlDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """Compile projects of one module's tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(mysql_cache))
        generator = Generator(tmp_path_factory.mktemp("generated"), mysql_server)
        yield generator
        generator.close()
