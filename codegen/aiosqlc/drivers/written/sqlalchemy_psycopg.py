"""A connection or session of SQLAlchemy's as the executor that the generated functions ask for."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from aiosqlc.drivers.written.psycopg_adapter import PsycopgCursor, PsycopgExecutor


class SqlalchemyExecutor:
    """Runs queries on the psycopg connection below SQLAlchemy's, in the transaction it is in.

    The engine is one of `postgresql+psycopg`. Where no transaction has begun, one begins, as with
    any statement of SQLAlchemy's: the caller commits. What a session has not written yet it must
    flush first. Errors are the driver's.
    """

    __slots__ = ("_executor", "_owner", "_raw")

    def __init__(self, owner: AsyncConnection | AsyncSession) -> None:
        self._owner = owner
        self._raw: Any = None
        self._executor: PsycopgExecutor | None = None

    async def fetch(self, query: str, /, *args: Any) -> Sequence[Iterable[Any]]:
        """Return every row."""
        return await (await self._driver()).fetch(query, *args)

    async def fetchrow(self, query: str, /, *args: Any) -> Iterable[Any] | None:
        """Return the first row, or None where there is none."""
        return await (await self._driver()).fetchrow(query, *args)

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        """Return the first value of the first row, or None where there is no row."""
        return await (await self._driver()).fetchval(query, *args)

    async def execute(self, query: str, /, *args: Any) -> str:
        """Run a statement and return the server's status, such as `UPDATE 3`."""
        return await (await self._driver()).execute(query, *args)

    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each set of arguments, all or none."""
        await (await self._driver()).executemany(command, args)

    async def fetchmany(
        self, query: str, args: Iterable[Sequence[Any]]
    ) -> Sequence[Sequence[Iterable[Any]]]:
        """Return the rows for each set of arguments, all asked for in one round trip."""
        return await (await self._driver()).fetchmany(query, args)

    async def copy_records_to_table(
        self,
        table_name: str,
        *,
        records: Iterable[Sequence[Any]],
        columns: Sequence[str] | None = None,
        schema_name: str | None = None,
    ) -> str:
        """Copy rows and return the server's status, such as `COPY 3`."""
        driver = await self._driver()
        return await driver.copy_records_to_table(
            table_name, records=records, columns=columns, schema_name=schema_name
        )

    async def cursor(self, query: str, /, *args: Any) -> PsycopgCursor:
        """Open a cursor on the server, which lives as long as the transaction."""
        return await (await self._driver()).cursor(query, *args)

    async def _driver(self) -> PsycopgExecutor:
        owner = self._owner
        connection = owner if isinstance(owner, AsyncConnection) else await owner.connection()
        if connection.dialect.driver != "psycopg":
            raise TypeError(f"postgresql+psycopg is wanted, not {connection.dialect.driver}")
        if not connection.in_transaction():
            await connection.begin()
        raw: Any = (await connection.get_raw_connection()).driver_connection
        if self._executor is None or raw is not self._raw:
            self._raw, self._executor = raw, PsycopgExecutor(raw)
        return self._executor
