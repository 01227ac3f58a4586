"""Transactions on a pool of a MySQL driver, with retries after a deadlock."""

from __future__ import annotations

from aiosqlc.drivers.port import Helpers

_IMPORTS = """\
from pymysql.err import DatabaseError  # type: ignore[import-untyped, unused-ignore]
"""
_TRANSACTION = '''\
# Changed since it was read, waited for a lock too long, deadlock.
_LOST = frozenset({1020, 1205, 1213})


class Pool(Protocol):
    """Lends connections; a pool of aiomysql's fits as it is."""

    def acquire(self) -> AbstractAsyncContextManager[Any]:
        """Lend a connection."""
        ...


class Connection(Protocol):
    """Begins and ends transactions; an aiomysql connection fits as it is."""

    def begin(self) -> Awaitable[Any]:
        """Begin a transaction."""
        ...

    def commit(self) -> Awaitable[Any]:
        """Keep what the transaction did."""
        ...

    def rollback(self) -> Awaitable[Any]:
        """Undo what the transaction did."""
        ...


async def in_transaction(
    source: Pool | Connection,
    work: Callable[[AiomysqlExecutor], Awaitable[T]],
    *,
    isolation: Isolation = "read_committed",
    attempts: int = 3,
) -> T:
    """Run `work(executor)` in a transaction and return its result.

    `source` is an aiomysql pool, or a connection that is in no transaction yet.
    After a deadlock, or another race lost, the whole of it runs again, at most `attempts` times,
    with a short random pause between: `work` must not have effects outside the database.
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
                    with suppress(Exception):  # what is to be told is why
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
    .replace("an aiomysql connection fits", "a PyMySQL connection fits")
    .replace(
        "    `source` is an aiomysql pool, or a connection that is in no transaction yet.\n",
        "    `source` is a connection that is in no transaction yet, or lends one that `close`\n"
        "    gives back or ends: the `raw_connection` of an engine of SQLAlchemy's, or a function\n"
        "    of yours that calls `pymysql.connect`.\n",
    )
    .replace(
        'source.acquire() if hasattr(source, "acquire") else nullcontext(source)',
        "closing(source()) if callable(source) else nullcontext(source)",
    ),
    "AbstractAsyncContextManager, closing, nullcontext, suppress",
)
