"""A connection or session of SQLAlchemy's as the executor that the generated functions ask for."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from aiosqlc.drivers.written.psycopg_adapter import PsycopgExecutor


class SqlalchemyExecutor(PsycopgExecutor):
    """Runs queries on the psycopg connection below SQLAlchemy's, in the transaction it is in.

    The engine is one of `postgresql+psycopg`. Where no transaction has begun, one begins, as with
    any statement of SQLAlchemy's: the caller commits. What a session has not written yet it must
    flush first. Errors are the driver's.
    """

    __slots__ = ("_owner",)

    def __init__(self, owner: AsyncConnection | AsyncSession) -> None:
        not_yet: Any = None
        super().__init__(not_yet)
        self._owner = owner

    async def _lent(self) -> Any:
        """Return the connection that is below now: a session has another after a commit."""
        owner = self._owner
        connection = owner if isinstance(owner, AsyncConnection) else await owner.connection()
        if connection.dialect.driver != "psycopg":
            raise TypeError(f"postgresql+psycopg is wanted, not {connection.dialect.driver}")
        if not connection.in_transaction():
            await connection.begin()
        return (await connection.get_raw_connection()).driver_connection
