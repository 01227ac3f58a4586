"""The executor that runs generated functions on a SQLAlchemy connection or session."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession


class SqlalchemyExecutor:
    """Runs queries on SQLAlchemy's asyncpg connection, in the current transaction.

    The URL of the engine starts with `postgresql+asyncpg`. If no transaction has begun, SQLAlchemy
    begins a transaction, and the caller commits. Flush a session before a query that needs the
    session's changes. Errors are exceptions of the driver.
    """

    __slots__ = ("__weakref__", "_owner")

    def __init__(self, owner: AsyncConnection | AsyncSession) -> None:
        self._owner = owner

    async def fetch(self, query: str, /, *args: Any) -> Sequence[Iterable[Any]]:
        """Return all rows."""
        rows: Sequence[Iterable[Any]] = await (await self._driver()).fetch(query, *args)
        return rows

    async def fetchrow(self, query: str, /, *args: Any) -> Iterable[Any] | None:
        """Return the first row, or None if there are no rows."""
        row: Iterable[Any] | None = await (await self._driver()).fetchrow(query, *args)
        return row

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        """Return the first value of the first row, or None if there are no rows."""
        return await (await self._driver()).fetchval(query, *args)

    async def execute(self, query: str, /, *args: Any) -> str:
        """Run a statement and return the server's status such as `UPDATE 3`."""
        status: str = await (await self._driver()).execute(query, *args)
        return status

    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each set of arguments. An error undoes all runs."""
        await (await self._driver()).executemany(command, args)

    async def copy_records_to_table(
        self,
        table_name: str,
        *,
        records: Iterable[Sequence[Any]],
        columns: Sequence[str] | None = None,
        schema_name: str | None = None,
    ) -> str:
        """Copy rows and return the server's status such as `COPY 3`."""
        driver = await self._driver()
        status: str = await driver.copy_records_to_table(
            table_name, records=records, columns=columns, schema_name=schema_name
        )
        return status

    async def cursor(self, query: str, /, *args: Any) -> Any:
        """Open a cursor on the server. The end of the transaction closes the cursor."""
        return await (await self._driver()).cursor(query, *args)

    async def _driver(self) -> Any:
        owner = self._owner
        connection = owner if isinstance(owner, AsyncConnection) else await owner.connection()
        if connection.dialect.driver != "asyncpg":
            raise TypeError(f"postgresql+asyncpg is required, not {connection.dialect.driver}")
        driver: Any = (await connection.get_raw_connection()).driver_connection
        if not driver.is_in_transaction():
            # The first statement makes SQLAlchemy begin the transaction.
            await connection.exec_driver_sql("SELECT 1")
        return driver
