"""Transactions on a pool of a MySQL driver, with retries after a deadlock."""

from __future__ import annotations

from aiosqlc.drivers.port import Helpers

_IMPORTS = """\
from pymysql.err import DatabaseError  # type: ignore[import-untyped, unused-ignore]
"""
_TRANSACTION = '''\
# Record changed since the last read, lock wait timeout, deadlock.
_LOST = frozenset({1020, 1205, 1213})


class Pool(Protocol):
    """Lends connections. Pass an aiomysql pool."""

    def acquire(self) -> AbstractAsyncContextManager[Any]:
        """Return a context manager that lends a connection."""
        ...


class Connection(Protocol):
    """Begins and ends transactions. Pass an aiomysql connection."""

    def begin(self) -> Awaitable[Any]:
        """Begin a transaction."""
        ...

    def commit(self) -> Awaitable[Any]:
        """Commit the transaction."""
        ...

    def rollback(self) -> Awaitable[Any]:
        """Roll back the transaction."""
        ...


async def in_transaction(
    source: Pool | Connection,
    work: Callable[[AiomysqlExecutor], Awaitable[T]],
    *,
    isolation: Isolation = "read_committed",
    attempts: int = 3,
) -> T:
    """Run `work(executor)` in a transaction and return its result.

    `source` is an aiomysql pool, or a connection outside a transaction.
    After a deadlock, a lock wait timeout or a record changed since the last read, `work` runs
    again in a new transaction, after a short random pause. `attempts` limits the runs. `work`
    must not have effects outside the database.
    """
    level = isolation.replace("_", " ").upper()
    for attempt in range(1, attempts + 1):
        try:
            async with _lent(source) as connection:
                db = AiomysqlExecutor(connection)
                await db.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
                await connection.begin()
                try:
                    result = await work(db)
                    await connection.commit()
                except BaseException:
                    with suppress(Exception):  # the first error is the one to report
                        await connection.rollback()
                    raise
                return result
        except DatabaseError as error:
            if attempt == attempts or (*error.args, 0)[0] not in _LOST:
                raise
        await asyncio.sleep(random.uniform(0, 0.05 * attempt))
    raise ValueError("attempts must be at least 1")


def _lent(source: Any) -> AbstractAsyncContextManager[Any]:
    return source.acquire() if hasattr(source, "acquire") else nullcontext(source)


'''
OF_AIOMYSQL = Helpers(_IMPORTS, _TRANSACTION, "AbstractAsyncContextManager, nullcontext, suppress")
OF_ASYNCMY = Helpers(
    "from asyncmy.errors import DatabaseError\n",
    _TRANSACTION.replace("Aiomysql", "Asyncmy").replace("aiomysql", "asyncmy"),
    OF_AIOMYSQL.contextlib,
)
# PyMySQL has no pool of its own.
_POOL = _TRANSACTION[_TRANSACTION.index("class Pool") : _TRANSACTION.index("class Connection")]
OF_PYMYSQL = Helpers(
    _IMPORTS,
    _TRANSACTION.replace(_POOL, "")
    .replace("Aiomysql", "Pymysql")
    .replace("source: Pool | Connection,", "source: Callable[[], Any] | Connection,")
    .replace("Pass an aiomysql connection", "Pass a PyMySQL connection")
    .replace(
        "    `source` is an aiomysql pool, or a connection outside a transaction.\n",
        "    `source` is a connection outside a transaction, or a function that returns one. The\n"
        "    connection of a function is closed at the end. Examples: `raw_connection` of\n"
        "    a SQLAlchemy engine, or a function that calls `pymysql.connect`.\n",
    )
    .replace(
        'source.acquire() if hasattr(source, "acquire") else nullcontext(source)',
        "closing(source()) if callable(source) else nullcontext(source)",
    ),
    "AbstractAsyncContextManager, closing, nullcontext, suppress",
)
