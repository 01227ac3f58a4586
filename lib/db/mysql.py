"""A pool of MySQL or MariaDB connections as a `Database`. The pool reconnects by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from time import perf_counter
from typing import Any, ClassVar, NoReturn
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from lib.config import DatabaseSettings
from lib.db import mysql_session as session
from lib.db.errors import DatabaseClosedError, DatabaseUnavailableError, SerializationFailureError
from lib.db.executor import Executor
from lib.db.mysql_errors import DRIVER_FAILURES, translate
from lib.db.mysql_tls import open_pool
from lib.db.mysql_values import NoDateError
from lib.db.observe import PoolState, Timings
from lib.db.open_tls import warn_of_open_tls
from lib.db.statements import Statements
from lib.errors import StartError
from lib.log import get_logger

log = get_logger(__name__)

CONNECT_WAITS = (1.0, 2.0, 3.0, 4.0)
DEADLOCK_ATTEMPTS = 3
# A connection unused for longer is asked whether it still lives before it is trusted.
_PING_AFTER = 5.0
# An idle connection is replaced after this long, before a firewall forgets it.
_IDLE_SECONDS = 300
_ISOLATIONS = {
    "read_committed": "",
    "repeatable_read": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "serializable": "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
}
# A statement on a connection: (connection, query, arguments) → result.
_Method = Callable[[Any, str, tuple[Any, ...]], Awaitable[Any]]


class _Statements(Statements):
    """An `Executor` that supports the query commands `:copyfrom`, `:batch…` and `:execlastid`."""

    __slots__ = ()
    _driver: ClassVar[Any] = session
    _timings: Timings | None
    engine = "mysql"  # for `lib.db.engine.engine_of`

    async def execute_lastid(self, query: str, /, *args: object) -> int:
        """Execute a statement. Return the AUTO_INCREMENT ID of the first new row, or 0."""
        last: int = await self._run(session.execute_lastid, query, args)
        return last

    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None:
        """Execute a statement once per set of arguments, atomically."""
        await self._run(session.executemany, command, (args,))

    async def copy_records_to_table(
        self,
        table_name: str,
        *,
        records: Iterable[Sequence[Any]],
        columns: Sequence[str] | None = None,
        schema_name: str | None = None,
    ) -> str:
        """Insert rows in multi-row statements, atomically. Return a status, such as `COPY 3`."""
        head = session.insert_head(table_name, columns, schema_name)
        if self._timings is not None:
            self._timings.name_copy(head, table_name)
        status: str = await self._run(session.insert_rows, head, (records,))
        return status


class _Transaction(_Statements):
    """One connection inside an open transaction."""

    __slots__ = ("_connection", "_cursors", "_seconds", "_timings")

    def __init__(self, connection: Any, seconds: float, timings: Timings | None) -> None:
        self._connection = connection
        self._seconds = seconds
        self._timings = timings
        self._cursors: list[session.Cursor] = []

    async def cursor(self, query: str, /, *args: object) -> session.Cursor:
        """Open a streaming cursor.

        The transaction can run no other statement until all rows of the cursor are read.
        """
        cursor: session.Cursor = await self._run(session.open_cursor, query, args)
        self._cursors.append(cursor)
        return cursor

    async def close_cursors(self) -> None:
        """Read open cursors to the end, so that the transaction can end."""
        for cursor in self._cursors:
            await cursor.close()

    async def _run(self, method: _Method, query: str, args: tuple[Any, ...]) -> Any:
        return await _timed(self._connection, method, query, args, self._seconds, self._timings)


class MysqlDatabase(_Statements):
    """A `Database` with a pool of connections. Driver failures are raised as `AppError`."""

    __slots__ = (
        "_acquire_seconds", "_born", "_lifetime", "_pool", "_statement_seconds", "_timings"
    )  # fmt: skip

    def __init__(
        self,
        pool: Any,
        *,
        acquire_seconds: float = 2.0,
        statement_seconds: float = 5.0,
        lifetime: float = 1800.0,
        timings: Timings | None = None,
    ) -> None:
        self._pool = pool
        self._lifetime = lifetime
        self._born: WeakKeyDictionary[Any, float] = WeakKeyDictionary()
        self._acquire_seconds = acquire_seconds
        # The server cancels first and says so; this catches a server that no longer answers.
        self._statement_seconds = statement_seconds + 1.0
        self._timings = timings

    async def ping(self) -> None:
        """Check that the server responds.

        Raises:
            DatabaseUnavailableError: if the server does not respond.
        """
        await self.fetchval("SELECT 1")

    @asynccontextmanager
    async def transaction(self, *, isolation: str = "read_committed") -> AsyncIterator[Executor]:
        """Enter a transaction.

        The transaction commits on normal exit and rolls back on an exception.

        Args:
            isolation: `read_committed`, `repeatable_read` or `serializable`.
        """
        async with self._open(isolation) as transaction:
            yield transaction

    @asynccontextmanager
    async def _open(self, isolation: str = "read_committed") -> AsyncIterator[_Transaction]:
        level = _ISOLATIONS[isolation]
        async with self._connection() as connection:
            try:
                if level:
                    await connection.query(level)
                await connection.begin()
                transaction = _Transaction(connection, self._statement_seconds, self._timings)
                yield transaction
                await transaction.close_cursors()
                await connection.commit()
            except DRIVER_FAILURES as error:
                await _roll_back(connection)
                _raise_translated(error)
            except asyncio.CancelledError:
                raise  # the connection is closed, and the server undoes by itself
            except BaseException:
                await _roll_back(connection)
                raise

    async def _run(self, method: _Method, query: str, args: tuple[Any, ...]) -> Any:
        if method in _MANY:
            async with self._open() as transaction:
                return await transaction._run(method, query, args)  # noqa: SLF001 - of this module
        for attempt in range(1, DEADLOCK_ATTEMPTS + 1):
            try:
                async with self._connection() as connection:
                    return await _timed(
                        connection, method, query, args, self._statement_seconds, self._timings
                    )
            except SerializationFailureError:
                # The server has undone the whole statement, which was all of its transaction.
                if attempt == DEADLOCK_ATTEMPTS:
                    raise
        raise AssertionError("unreachable: the loop above returns or raises")

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        connection = await self._acquire()
        try:
            yield connection
        except asyncio.CancelledError:
            # A part of the result may be in flight; the next query must not read it as its own.
            connection.close()
            raise
        finally:
            with suppress(*DRIVER_FAILURES, RuntimeError):
                self._pool.release(connection)

    async def _acquire(self) -> Any:
        try:
            async with asyncio.timeout(self._acquire_seconds):
                while True:
                    connection = await self._pool.acquire()
                    if not self._is_old(connection) and await _lives(connection):
                        return connection
                    connection.close()
                    self._pool.release(connection)
        except DRIVER_FAILURES as error:
            raise DatabaseUnavailableError from error
        except RuntimeError as error:  # so the driver says that the pool is closing
            raise DatabaseClosedError from error

    def _is_old(self, connection: Any) -> bool:
        """Return whether a connection exceeds the maximum age and must be replaced.

        Because of the maximum age, connections move to a new primary.
        """
        now = asyncio.get_running_loop().time()
        return now - self._born.setdefault(connection, now) > self._lifetime


# What takes several statements runs in a transaction.
_MANY = frozenset({session.executemany, session.insert_rows})


async def _timed(
    connection: Any,
    method: _Method,
    query: str,
    args: tuple[Any, ...],
    seconds: float,
    timings: Timings | None,
) -> Any:
    started = perf_counter()
    try:
        async with asyncio.timeout(seconds):
            return await method(connection, query, args)
    except TimeoutError as error:
        connection.close()
        raise translate(error) from error
    except NoDateError:
        connection.close()  # the next query must not read the rest as its own result
        raise
    except DRIVER_FAILURES as error:
        _raise_translated(error)
    finally:
        if timings is not None:
            timings[query].observe(perf_counter() - started)


def _raise_translated(error: BaseException) -> NoReturn:
    translated = translate(error)
    if translated is error:
        raise error
    raise translated from error


async def _lives(connection: Any) -> bool:
    idle = asyncio.get_running_loop().time() - connection.last_usage
    if idle < _PING_AFTER:
        return not connection.closed
    try:
        await connection.ping(reconnect=False)
    except DRIVER_FAILURES:
        return False
    return True


async def _roll_back(connection: Any) -> None:
    """Roll back. If the roll-back fails, close the connection, so that the server rolls back."""
    try:
        async with asyncio.timeout(2.0):
            await connection.rollback()
    except (*DRIVER_FAILURES, RuntimeError):
        connection.close()


class _PoolSizes:
    """The numbers of connections of the pool, under the method names that `PoolState` calls."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    def get_idle_size(self) -> int:
        return int(self._pool.freesize)

    def get_size(self) -> int:
        return int(self._pool.size)

    def get_max_size(self) -> int:
        return int(self._pool.maxsize)


@asynccontextmanager
async def open_database(
    settings: DatabaseSettings,
    *,
    application: str,
    registry: CollectorRegistry | None = None,
    query_names: Mapping[str, str] | None = None,
) -> AsyncIterator[MysqlDatabase]:
    """Open the pool, with five attempts and growing waits, and close it at the end.

    Args:
        settings: the URL (whose `ssl-mode` selects TLS), sizes and limits.
        application: the name of the service, for messages.
        registry: the registry for the metrics of the pool and of each query; None disables the
            metrics.
        query_names: the query's name for each SQL text; it is the label of
            `db_query_duration_seconds`.

    Raises:
        StartError: if the server does not respond or refuses the connection; the message does not
            contain the password.
    """
    warn_of_open_tls(settings)
    pool = await _connect(settings, application)
    try:
        timings = None
        if registry is not None:
            PoolState(_PoolSizes(pool), registry)
            registry.register(pool.certificate)
            timings = Timings(registry, query_names or {})
        yield MysqlDatabase(
            pool,
            acquire_seconds=settings.db_acquire_seconds,
            statement_seconds=settings.db_statement_seconds,
            lifetime=settings.db_lifetime_seconds,
            timings=timings,
        )
    finally:
        await _close(pool)


@asynccontextmanager
async def open_replica(
    settings: DatabaseSettings, url: SecretStr, application: str
) -> AsyncIterator[MysqlDatabase]:
    """Open the pool of a replica. The pool connects at first use, because a replica may be down.

    Raises:
        StartError: if the URL is invalid.
    """
    followed = settings.model_copy(update={"database_url": url, "db_pool_min": 0})
    warn_of_open_tls(followed)
    pool = await _open_pool(followed, application)
    try:
        yield MysqlDatabase(
            pool,
            acquire_seconds=settings.db_acquire_seconds,
            statement_seconds=settings.db_statement_seconds,
            lifetime=settings.db_lifetime_seconds,
        )
    finally:
        await _close(pool)


async def _connect(settings: DatabaseSettings, application: str) -> Any:
    for wait in (*CONNECT_WAITS, None):
        try:
            return await _open_pool(settings, application)
        except DRIVER_FAILURES as error:
            # The driver names the host; why it could not connect is behind that.
            why = f"{error}: {error.__cause__}" if error.__cause__ else str(error)
            if wait is None:
                raise StartError(
                    f"cannot connect to the database of {application}: {why}"
                ) from error
            log.warning("database_connect_failed", error=why, retry_seconds=wait)
            await asyncio.sleep(wait)
    raise AssertionError("unreachable: the loop above returns or raises")


async def _open_pool(settings: DatabaseSettings, application: str) -> Any:
    try:
        arguments = session.connect_arguments(
            settings.database_url.get_secret_value(),
            connect_seconds=settings.db_connect_seconds,
            statement_seconds=settings.db_statement_seconds,
        )
    except ValueError as error:
        raise StartError(f"the database URL of {application} {error}") from error
    return await open_pool(
        minsize=min(settings.db_pool_min, settings.db_pool_max),
        maxsize=settings.db_pool_max,
        recycle=_IDLE_SECONDS,
        **arguments,
    )


async def _close(pool: Any) -> None:
    pool.close()
    try:
        async with asyncio.timeout(5.0):
            await pool.wait_closed()
    except TimeoutError:
        pool.terminate()
