"""Transactions on a pool of a MySQL driver's, run again where the server says so."""

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


async def in_transaction(
    pool: Pool,
    work: Callable[[AiomysqlExecutor], Awaitable[T]],
    *,
    isolation: Isolation = "read_committed",
    attempts: int = 3,
) -> T:
    """Run `work(executor)` in a transaction of an aiomysql pool and return its result.

    After a deadlock, or another race lost, the whole of it runs again, at most `attempts` times,
    with a short random pause between: `work` must not have effects outside the database.
    """
    level = isolation.replace("_", " ").upper()
    for attempt in range(1, attempts + 1):
        try:
            async with pool.acquire() as connection:
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


'''
OF_AIOMYSQL = Helpers(_IMPORTS, _TRANSACTION, "AbstractAsyncContextManager, suppress")
OF_ASYNCMY = Helpers(
    "from asyncmy.errors import DatabaseError\n",
    _TRANSACTION.replace("Aiomysql", "Asyncmy").replace("aiomysql", "asyncmy"),
    OF_AIOMYSQL.contextlib,
)
# PyMySQL has no pool of its own.
_POOL = _TRANSACTION[_TRANSACTION.index("class Pool") : _TRANSACTION.index("async def")]
OF_PYMYSQL = Helpers(
    _IMPORTS,
    _TRANSACTION.replace(_POOL, "")
    .replace("Aiomysql", "Pymysql")
    .replace("pool: Pool,", "connect: Callable[[], Any],")
    .replace("an aiomysql pool", "a PyMySQL connection")
    .replace(
        "    After a deadlock",
        "    `connect` lends one that `close` gives back or ends: the `raw_connection` of an\n"
        "    engine of SQLAlchemy's, or a function of yours that calls `pymysql.connect`.\n\n"
        "    After a deadlock",
    )
    .replace("async with pool.acquire()", "with closing(connect())"),
    "closing, suppress",
)
