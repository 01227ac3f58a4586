"""Generated code from the user's view: compiled to a package, called through its adapter."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, get_type_hints

import aiomysql
import pytest
from aiosqlc.contract.conforms import unlike

from tests.drivers.connecting_mysql import engine_on
from tests.servers.mysql import TestMysql, connect_arguments


@dataclass(frozen=True)
class Store:
    """A compiled project and a database with its schema."""

    url: str
    package: str

    def module(self, name: str = "queries") -> ModuleType:
        """Return one of the generated modules."""
        return importlib.import_module(f"{self.package}.{name}")

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Any]:
        """Open a connection in a transaction that is rolled back, behind the generated adapter."""
        arguments = connect_arguments(self.url, seconds=5)
        connection = await aiomysql.connect(**{**arguments, "autocommit": False})
        try:
            yield self.module("adapter").AiomysqlExecutor(connection)
            await connection.rollback()
        finally:
            connection.close()


Generate = Callable[..., Store]


def judged(function: Callable[..., Any], value: object) -> str:
    """Return the differences between a function's result and its signature."""
    return unlike(value, get_type_hints(function)["return"])


@pytest.fixture(scope="module")
def generate(
    mysql_server: TestMysql, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Generate]:
    """Compile the projects of one module's tests without errors, and fill a database for each."""
    engine = engine_on(mysql_server)
    with ExitStack() as stack:

        def made(schema: str, queries: str, *, rows: str = "", mode: str = "") -> Store:
            """Compile a project; `mode` is the SQL mode in which the rows are inserted."""
            folder, texts = tmp_path_factory.mktemp("generated"), (schema, queries)
            compiled = engine.compiled(
                folder, "aiomysql", texts=texts, options="models: dataclass", warned=True
            )
            store = Store(
                stack.enter_context(engine.database(schema)), stack.enter_context(compiled)
            )
            engine.run(store.url, f"SET sql_mode = '{mode}';\n{rows}" if mode else rows)
            return store

        yield made
