"""The executor that runs generated functions on a SQLAlchemy connection or session."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from aiosqlc.drivers.written.psycopg_adapter import PsycopgExecutor


class SqlalchemyExecutor(PsycopgExecutor):
    """Runs queries on SQLAlchemy's psycopg connection, in the current transaction.

    The URL of the engine starts with `postgresql+psycopg`. If no transaction has begun, SQLAlchemy
    begins a transaction, and the caller commits. Flush a session before a query that needs the
    session's changes. Errors are exceptions of the driver.
    """

    __slots__ = ("_owner",)

    def __init__(self, owner: AsyncConnection | AsyncSession) -> None:
        not_yet: Any = None
        super().__init__(not_yet)
        self._owner = owner

    async def _lent(self) -> Any:
        """Return the current driver connection, which a commit of a session can change."""
        owner = self._owner
        connection = owner if isinstance(owner, AsyncConnection) else await owner.connection()
        if connection.dialect.driver != "psycopg":
            raise TypeError(f"postgresql+psycopg is required, not {connection.dialect.driver}")
        if not connection.in_transaction():
            await connection.begin()
        return (await connection.get_raw_connection()).driver_connection
