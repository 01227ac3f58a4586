"""Connect to a database with the driver that an entry's functions use."""

from __future__ import annotations

import contextlib
import importlib
import traceback
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from msgspec import Struct
from psycopg.conninfo import conninfo_to_dict

from aiosqlc.analysis.grants import plain_or
from aiosqlc.ir import ColumnRef

_DECODER = "pgproto/codecs/datetime.pyx"  # of asyncpg
# Functions for these drivers are called on the asynchronous driver of the same family.
_ON_PSYCOPG: Final = frozenset({"psycopg", "psycopg-sync", "sqlalchemy-psycopg", "sqlalchemy-sync"})


def called_on(driver: str) -> str:
    """Return the name of the driver for which `selfcheck` generates the functions that it calls."""
    return "psycopg" if driver in _ON_PSYCOPG else "asyncpg"


class Opened(Struct, frozen=True):
    """A connection, the executor for functions, and the driver's exceptions.

    `refusals` are the driver's exceptions if the server refuses a statement, or is disconnected.
    """

    connection: Any
    executor: Any
    refusals: tuple[type[Exception], ...]

    async def run(self, sql: str) -> None:
        """Run statements without parameters."""
        await self.connection.execute(sql)

    async def values(self, origin: ColumnRef, most: int) -> Sequence[Any]:
        """Return at most `most` values of a table's column."""
        column, schema, table = map(_quoted, (origin.column, origin.schema, origin.table))
        sql = f"select {column} from {schema}.{table} limit {most}"  # noqa: S608 - quoted names
        return [value for (value,) in await self.executor.fetch(sql)]


_quoted = plain_or('"', frozenset())


@contextlib.asynccontextmanager
async def opened(conninfo: str, package: str, driver: str) -> AsyncIterator[Opened]:
    """Connect with a driver, or raise if the driver is not installed."""
    if called_on(driver) == "psycopg":
        import psycopg

        adapter = importlib.import_module(f"{package}.adapter")
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
            executor = adapter.PsycopgExecutor(connection)
            yield Opened(connection, executor, (psycopg.Error, TimeoutError))
        return
    import asyncpg

    parts = conninfo_to_dict(conninfo)
    connection = await asyncpg.connect(
        host=parts.get("host"),
        port=parts.get("port"),
        user=parts.get("user"),
        password=parts.get("password"),
        database=parts.get("dbname"),
    )
    try:
        refusals = (asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError)
        yield Opened(connection, connection, refusals)
    finally:
        await connection.close()


def has_no_value(error: Exception) -> bool:
    """Return whether an error means that Python cannot represent a value, such as a year BC."""
    if type(error).__module__.partition(".")[0] == "psycopg":
        return type(error).__name__ == "DataError" and getattr(error, "sqlstate", "") is None
    frames = traceback.extract_tb(error.__traceback__)
    return isinstance(error, ValueError | OverflowError) and frames[-1].filename.endswith(_DECODER)
