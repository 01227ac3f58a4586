# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""What type checkers know of the helpers: an ignored line is one that they must refuse."""

from collections.abc import Awaitable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, assert_type

from helpers_retry_transactions_and_report_queries import queries
from helpers_retry_transactions_and_report_queries.executor import Cursor
from helpers_retry_transactions_and_report_queries.helpers import (
    Observed,
    Pool,
    in_transaction,
)
from helpers_retry_transactions_and_report_queries.models import Counter


class Lent:
    """What a pool and a connection of it both do."""

    async def fetch(self, query: str, /, *args: Any) -> Sequence[Iterable[Any]]:
        raise NotImplementedError

    async def fetchrow(self, query: str, /, *args: Any) -> Iterable[Any] | None:
        raise NotImplementedError

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        raise NotImplementedError

    async def execute(self, query: str, /, *args: Any) -> str:
        raise NotImplementedError

    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None:
        raise NotImplementedError


class Connection(Lent):
    def transaction(self, *, isolation: Any = None) -> AbstractAsyncContextManager[Any]:
        raise NotImplementedError

    def cursor(self, query: str, /, *args: Any) -> Awaitable[Cursor]:
        raise NotImplementedError


class ConnectionPool(Lent):
    def acquire(self) -> AbstractAsyncContextManager[Connection]:
        raise NotImplementedError


async def transactions(
    pool: ConnectionPool, connection: Connection, untyped: Any
) -> None:
    assert_type(await in_transaction(pool, queries.list_counters), list[Counter])
    assert_type(await in_transaction(untyped, queries.list_counters), list[Counter])
    assert_type(
        await in_transaction(pool, lambda db: queries.get_value(db, id=1)), int | None
    )
    await in_transaction(pool, lambda db: queries.get_value(db, id="1"))  # type: ignore[arg-type] # refused on purpose
    await in_transaction(pool, queries.copy_counters)  # type: ignore[arg-type] # refused on purpose
    await in_transaction(pool, queries.list_counters, isolation="serialisable")  # type: ignore[call-overload] # refused on purpose
    assert_type(await in_transaction(connection, queries.list_counters), list[Counter])
    assert_type(
        await in_transaction(connection, lambda db: queries.get_value(db, id=1)),
        int | None,
    )
    await in_transaction(connection, lambda db: queries.get_value(db, id="1"))  # type: ignore[arg-type] # refused on purpose
    await in_transaction(connection, queries.copy_counters)  # type: ignore[arg-type] # refused on purpose
    await in_transaction("pool", queries.list_counters)  # type: ignore[call-overload] # refused on purpose
    lent: Pool[Connection] = pool
    wrong: Pool[str] = pool  # type: ignore[assignment]
    print(lent, wrong)


def hear(
    name: str, seconds: float, rows: int | None, error: BaseException | None
) -> None:
    print(name, seconds, rows, error)


async def observed(pool: ConnectionPool, connection: Connection) -> None:
    assert_type(await queries.list_counters(Observed(pool, hear)), list[Counter])
    await queries.raise_all(Observed(pool, hear), [1, 2])
    async for counter in queries.stream_counters(Observed(connection, hear)):
        assert_type(counter, Counter)
    # mypy looks past the `self` of a method here.
    queries.stream_counters(Observed(pool, hear))  # pyright: ignore[reportArgumentType]
    await queries.copy_counters(Observed(pool, hear), [])  # pyright: ignore[reportArgumentType]
