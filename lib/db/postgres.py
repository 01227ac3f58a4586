"""A pool of PostgreSQL connections as a `Database`. The pool reconnects and has time limits."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from math import inf
from time import perf_counter
from typing import Any, ClassVar

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from lib.config import DatabaseSettings, Pooler
from lib.database_url import each_host
from lib.db.driver_errors import BROKEN_CONNECTION, DRIVER_FAILURES, raise_translated
from lib.db.errors import DatabaseClosedError, DatabaseUnavailableError
from lib.db.executor import Executor, before_commit
from lib.db.observe import PoolState, ServerCertificate, Timings
from lib.db.open_tls import warn_of_open_tls
from lib.db.statements import Statements
from lib.errors import StartError
from lib.log import get_logger

log = get_logger(__name__)

# A method of a pooled connection: (connection, query, *args) → result.
_Method = Callable[..., Awaitable[Any]]
CONNECT_WAITS = (1.0, 2.0, 3.0, 4.0)
_CLOSE_SECONDS = 5.0
_STATEMENTS = 100  # prepared ones a connection keeps, the driver's default


class _CleanConnection(asyncpg.Connection):  # type: ignore[misc] # the driver ships no types
    """A connection that skips the clean-up round trip on release.

    Compiled statements leave nothing in the session, so there is nothing to reset. The driver still
    rolls back an open transaction, without the clean-up query.
    """

    __slots__ = ("is_read_only", "opened_at")

    def opened(self) -> None:
        """Record when the session started, and whether it is writable."""
        self.opened_at = perf_counter()
        settings = self.get_settings()
        # Servers before 14, and poolers, do not say so.
        self.is_read_only = "on" in (
            getattr(settings, "default_transaction_read_only", "off"),
            getattr(settings, "in_hot_standby", "off"),
        )

    def get_reset_query(self) -> str:
        return ""

    def show_certificate(self, to: ServerCertificate) -> None:
        """Record the server's certificate in `to`."""
        to.look(self._transport)


class _Statements(Statements):
    __slots__ = ()
    _driver: ClassVar[Any] = PoolConnectionProxy


class _Transaction(_Statements):
    """One connection inside an open transaction."""

    __slots__ = ("_connection", "_timings")

    def __init__(self, connection: Any, timings: Timings | None) -> None:
        self._connection = connection
        self._timings = timings

    async def _run(self, method: _Method, query: str, args: tuple[object, ...]) -> Any:
        started = perf_counter()
        try:
            return await method(self._connection, query, *args)
        except DRIVER_FAILURES as error:
            raise_translated(error)
        finally:
            if self._timings is not None:
                self._timings[query].observe(perf_counter() - started)


class PostgresDatabase(_Statements):
    """A `Database` with a pool of connections. Driver failures are raised as `AppError`.

    Between two statements, this class keeps a connection and does not return it to the driver's
    pool: a release and an acquire together cost as much as the statement. A connection returns to
    the driver's pool after an error and when it is old.
    """

    __slots__ = (
        "_acquire_seconds",
        "_closed",
        "_free",
        "_idle",
        "_open_seconds",
        "_pool",
        "_releasing",
        "_renewed_at",
        "_suspects",
        "_timings",
        "_waiters",
        "_writes",
    )

    def __init__(
        self,
        pool: Any,
        *,
        writes: bool = True,
        acquire_seconds: float = 2.0,
        open_seconds: float = 5.0,
        timings: Timings | None = None,
    ) -> None:
        self._pool = pool
        self._closed = False
        self._idle: list[Any] = []
        self._waiters: deque[asyncio.Future[Any]] = deque()
        # What the driver's pool could still give, opened or not.
        self._free: int = pool.get_max_size()
        self._acquire_seconds = acquire_seconds
        self._open_seconds = open_seconds
        self._timings = timings
        self._releasing: set[asyncio.Task[None]] = set()
        self._renewed_at = 0.0
        # How many connections in use are to be looked at when they come back: as a rule none, and
        # that costs nothing.
        self._suspects = 0
        self._writes = writes

    async def ping(self) -> None:
        """Check that the server responds.

        Raises:
            DatabaseUnavailableError: if the server does not respond.
        """
        await self.fetchval("SELECT 1")

    def get_idle_size(self) -> int:
        """Return the number of idle connections.

        This method and the next two have the names of the driver's methods.
        """
        return int(self._pool.get_idle_size()) + len(self._idle)

    def get_size(self) -> int:
        """Return the number of open connections."""
        return int(self._pool.get_size())

    def get_max_size(self) -> int:
        """Return the maximum number of connections."""
        return int(self._pool.get_max_size())

    async def renew(self) -> None:
        """Replace every connection at its next use. Running statements finish."""
        self._renewed_at = perf_counter()
        # Those in use come back older than this.
        self._suspects = self.get_max_size() - self._free - len(self._idle)
        await self._pool.expire_connections()
        while self._idle:
            await self._release(self._idle.pop())

    async def close(self) -> None:
        """Refuse new calls, wait some seconds for running statements, then close connections."""
        self._closed = True
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(DatabaseClosedError())
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                while self._idle:
                    await self._release(self._idle.pop())
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def transaction(self, *, isolation: str = "read_committed") -> AsyncIterator[Executor]:
        """Enter a transaction.

        The transaction commits on normal exit and rolls back on an exception.

        Args:
            isolation: `read_committed`, `repeatable_read` or `serializable`.
        """
        connection = await self._acquire()
        try:
            async with connection.transaction(isolation=isolation):
                tx = _Transaction(connection, self._timings)
                yield tx
                if (last_word := before_commit.get()) is not None:
                    await last_word(tx)
        except BaseException as error:
            await self._release_after(error, connection)
            raise
        self._keep(connection)

    async def _run(self, method: _Method, query: str, args: tuple[object, ...]) -> Any:
        started = perf_counter()
        connection = await self._acquire()
        try:
            result = await method(connection, query, *args)
        except BaseException as error:
            await self._release_after(error, connection)
            raise
        finally:
            if self._timings is not None:
                self._timings[query].observe(perf_counter() - started)
        self._keep(connection)
        return result

    async def _acquire(self) -> Any:
        while True:
            if self._closed:
                raise DatabaseClosedError
            if self._idle:
                connection = self._idle.pop()
            elif self._free > 0:
                return await self._open_another()
            else:
                connection = await self._next_returned()
            if connection is not None:
                if _is_open(connection):
                    return connection
                await self._release(connection)

    async def _open_another(self) -> Any:
        self._free -= 1
        try:
            async with asyncio.timeout(self._open_seconds):
                started = perf_counter()
                connection = await self._pool.acquire()
                while getattr(connection, "opened_at", inf) < started and self._is_over(connection):
                    # It is old, or the server was read-only when it was opened. A new connection
                    # has the present state.
                    await self._pool.release(connection)
                    connection = await self._pool.acquire()
                if self._writes and getattr(connection, "is_read_only", False):
                    self._suspects += 1
                return connection
        except BaseException as error:
            self._free += 1
            self._hand_over(None)
            if isinstance(error, DRIVER_FAILURES):
                unavailable = DatabaseClosedError if self._closed else DatabaseUnavailableError
                raise unavailable from error
            raise

    async def _next_returned(self) -> Any:
        """Wait until another caller returns its connection to the pool.

        Return None if the driver's pool has a free connection again.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Any] = loop.create_future()
        self._waiters.append(waiter)
        # Not `asyncio.timeout`, which costs several times what there is to do here.
        timer = loop.call_later(self._acquire_seconds, _give_up, waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                # It arrived too late for us: pass it on.
                self._keep(waiter.result())
            raise
        except TimeoutError as error:
            raise DatabaseUnavailableError from error
        finally:
            timer.cancel()

    def _hand_over(self, connection: Any) -> bool:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return True
        return False

    async def _release_after(self, error: BaseException, connection: Any) -> None:
        """Release the connection after a failure, and raise the application error."""
        if isinstance(error, BROKEN_CONNECTION):
            # The next caller must get a new one.
            with suppress(*DRIVER_FAILURES):
                connection.terminate()
        if self._writes and _is_read_only_refusal(error):
            # The server leads no more, so neither do those of our other sessions.
            await self.renew()
        release = self._start_release(connection)
        if isinstance(error, DRIVER_FAILURES):
            await release
            raise_translated(error)
        # Cancelled, for instance: no time to wait for the server's word on the open statement.

    def _keep(self, connection: Any) -> None:
        if self._suspects > 0 and connection is not None and self._is_over(connection):
            self._suspects -= 1
            # Not for the next one who waits: the driver's pool opens another.
            self._start_release(connection)
            return
        if self._hand_over(connection) or connection is None:
            return
        if self._closed:
            # `close` waits for this release; no later caller needs the connection.
            self._start_release(connection)
        else:
            self._idle.append(connection)

    def _is_over(self, connection: Any) -> bool:
        """Return whether a connection is older than the last renewal or was opened read-only.

        A read-only session stays read-only, even if the database accepts writes again.
        """
        try:
            # A pool that a test has made has connections that do not say this.
            if getattr(connection, "opened_at", inf) < self._renewed_at:
                return True
            if self._writes and getattr(connection, "is_read_only", False):
                connection.terminate()
                return True
        except asyncpg.InterfaceError:
            pass  # it broke while it was idle: `_acquire` sees that
        return False

    def _start_release(self, connection: Any) -> asyncio.Task[None]:
        release = asyncio.create_task(self._release(connection, limit=self._acquire_seconds))
        self._releasing.add(release)
        release.add_done_callback(self._releasing.discard)
        return release

    async def _release(self, connection: Any, *, limit: float | None = None) -> None:
        try:
            await self._pool.release(connection, timeout=limit)
        except DRIVER_FAILURES as error:
            # The pool has dropped the connection; the outcome of the statement is known already.
            log.warning("database_release_failed", error=error)
        finally:
            self._free += 1
            self._hand_over(None)


def _is_read_only_refusal(error: BaseException) -> bool:
    """Return whether the error, translated or not, means that the server is read-only."""
    refusal = asyncpg.ReadOnlySQLTransactionError
    return isinstance(error, refusal) or isinstance(error.__cause__, refusal)


def _give_up(waiter: asyncio.Future[Any]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())


def _is_open(connection: Any) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:
        # It broke while it was idle, and the driver's pool has taken it back already.
        return False


@asynccontextmanager
async def open_database(
    settings: DatabaseSettings,
    *,
    application: str,
    registry: CollectorRegistry | None = None,
    query_names: Mapping[str, str] | None = None,
) -> AsyncIterator[PostgresDatabase]:
    """Open the pool, with five attempts and growing waits, and close it at the end.

    Args:
        settings: the URL (whose `sslmode` selects TLS), sizes and limits.
        application: the name that the server shows for the connections.
        registry: the registry for the metrics of the pool and of each query; None disables the
            metrics.
        query_names: the query's name for each SQL text; it is the label of
            `db_query_duration_seconds`.

    Raises:
        StartError: if the server does not respond or refuses the connection; the message does not
            contain the password.
    """
    warn_of_open_tls(settings)
    certificate = ServerCertificate()
    pool = await _connect(settings, application, certificate)
    timings = Timings(registry, query_names or {}) if registry is not None else None
    db = PostgresDatabase(
        pool,
        acquire_seconds=settings.db_acquire_seconds,
        open_seconds=settings.db_connect_seconds,
        timings=timings,
    )
    renewal = asyncio.create_task(_renew(db, settings.db_lifetime_seconds))
    try:
        if registry is not None:
            PoolState(db, registry)
            registry.register(certificate)
        yield db
    finally:
        renewal.cancel()
        await db.close()


@asynccontextmanager
async def open_replica(
    settings: DatabaseSettings, url: SecretStr, application: str
) -> AsyncIterator[PostgresDatabase]:
    """Open the pool of a replica. The pool connects at first use, because a replica may be down."""
    followed = settings.model_copy(update={"database_url": url, "db_pool_min": 0})
    warn_of_open_tls(followed)
    pool = await _create_pool(followed, application, ServerCertificate())
    db = PostgresDatabase(
        pool,
        writes=False,
        acquire_seconds=settings.db_acquire_seconds,
        open_seconds=settings.db_connect_seconds,
    )
    renewal = asyncio.create_task(_renew(db, settings.db_lifetime_seconds))
    try:
        yield db
    finally:
        renewal.cancel()
        await db.close()


async def _connect(
    settings: DatabaseSettings, application: str, certificate: ServerCertificate
) -> Any:
    for wait in (*CONNECT_WAITS, None):
        try:
            return await _create_pool(settings, application, certificate)
        except DRIVER_FAILURES as error:
            if wait is None:
                raise StartError(
                    f"cannot connect to the database of {application}: {error}"
                ) from error
            log.warning("database_connect_failed", error=str(error), retry_seconds=wait)
            await asyncio.sleep(wait)
    raise AssertionError("unreachable: the loop above returns or raises")


async def _create_pool(
    settings: DatabaseSettings, application: str, certificate: ServerCertificate
) -> Any:
    async def opened(connection: Any) -> None:
        connection.opened()
        connection.show_certificate(certificate)

    pooled = settings.database_pooler is Pooler.TRANSACTION
    url = settings.database_url.get_secret_value()
    return await asyncpg.create_pool(
        url,
        connect=_Hosts(url),
        min_size=min(settings.db_pool_min, settings.db_pool_max),
        max_size=settings.db_pool_max,
        # `_renew` gives connections an end.
        max_inactive_connection_lifetime=0.0,
        connection_class=_CleanConnection,
        init=opened,
        timeout=settings.db_connect_seconds,
        # The server cancels first and says so; this catches a server that no longer answers.
        command_timeout=settings.db_statement_seconds + 1.0,
        # The next statement may come to another session, which knows nothing of those prepared.
        statement_cache_size=0 if pooled else _STATEMENTS,
        server_settings={
            "application_name": application,
            "timezone": "UTC",
            **({} if pooled else _limits(settings)),
        },
    )


class _Hosts:
    """Connect to one of the URL's hosts, starting with the host that worked last.

    The driver has one time limit for all hosts together. If a host accepts the connection and then
    sends nothing (for example a machine without network), the driver would not reach the next
    hosts. Here each host has its own part of the time.
    """

    def __init__(self, url: str) -> None:
        self._urls = deque(each_host(url))

    async def __call__(self, _url: str, *, timeout: float, **more: Any) -> Any:  # noqa: ASYNC109 - the driver's
        count = len(self._urls)
        for left in reversed(range(count)):
            url = self._urls[0]
            try:
                return await asyncpg.connect(url, timeout=timeout / count, **more)
            except DRIVER_FAILURES:
                if url == self._urls[0]:  # no concurrent call has rotated the list
                    self._urls.rotate(-1)
                if not left:
                    raise
        raise AssertionError("a URL must name a host")


def _limits(settings: DatabaseSettings) -> dict[str, str]:
    """Return the session settings that limit statements, locks and idle transactions.

    Behind a pooler, set these limits on the database role.
    """
    statement_ms = int(settings.db_statement_seconds * 1000)
    return {
        "statement_timeout": str(statement_ms),
        "lock_timeout": str(statement_ms),
        "idle_in_transaction_session_timeout": str(statement_ms * 2),
    }


async def _renew(db: PostgresDatabase, lifetime: float) -> None:
    """Replace all connections every `lifetime` seconds, to reach a new primary and free memory."""
    while True:
        await asyncio.sleep(lifetime)
        await db.renew()
