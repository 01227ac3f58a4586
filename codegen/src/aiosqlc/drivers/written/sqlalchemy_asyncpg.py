"""A connection or session of SQLAlchemy's as the executor that the generated functions ask for."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession


class SqlalchemyExecutor:
    """Runs queries on the asyncpg connection below SQLAlchemy's, in the transaction it is in.

    The engine is one of `postgresql+asyncpg`. Where no transaction has begun, one begins, as with
    any statement of SQLAlchemy's: the caller commits. What a session has not written yet it must
    flush first. Errors are the driver's.
    """

    __slots__ = ("_owner",)

    def __init__(self, owner: AsyncConnection | AsyncSession) -> None:
        self._owner = owner

    async def fetch(self, query: str, /, *args: Any) -> Sequence[Iterable[Any]]:
        """Return every row."""
        rows: Sequence[Iterable[Any]] = await (await self._driver()).fetch(query, *args)
        return rows

    async def fetchrow(self, query: str, /, *args: Any) -> Iterable[Any] | None:
        """Return the first row, or None where there is none."""
        row: Iterable[Any] | None = await (await self._driver()).fetchrow(query, *args)
        return row

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        """Return the first value of the first row, or None where there is no row."""
        return await (await self._driver()).fetchval(query, *args)

    async def execute(self, query: str, /, *args: Any) -> str:
        """Run a statement and return the server's status, such as `UPDATE 3`."""
        status: str = await (await self._driver()).execute(query, *args)
        return status

    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each set of arguments, all or none."""
        await (await self._driver()).executemany(command, args)

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
        status: str = await driver.copy_records_to_table(
            table_name, records=records, columns=columns, schema_name=schema_name
        )
        return status

    async def cursor(self, query: str, /, *args: Any) -> Any:
        """Open a cursor on the server, which lives as long as the transaction."""
        return await (await self._driver()).cursor(query, *args)

    async def _driver(self) -> Any:
        owner = self._owner
        connection = owner if isinstance(owner, AsyncConnection) else await owner.connection()
        if connection.dialect.driver != "asyncpg":
            raise TypeError(f"postgresql+asyncpg is wanted, not {connection.dialect.driver}")
        driver: Any = (await connection.get_raw_connection()).driver_connection
        if not driver.is_in_transaction():
            await connection.exec_driver_sql("SELECT 1")  # SQLAlchemy begins with a statement
        return driver
