"""Each PostgreSQL driver through PgBouncer in transaction mode, configured as in the manual.

200 connections share 20 sessions, so every statement may run in another session. If the pooler
supports prepared statements, drivers prepare as usual; otherwise they are configured to prepare
none.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import asyncpg
import psycopg
import pytest
import sqlalchemy.exc
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from tests.conftest import Full
from tests.drivers.connecting import POSTGRES, SQLALCHEMY, sqlalchemy_url
from tests.drivers.running import Engine, package_of
from tests.servers import pgbouncer
from tests.servers.pgbouncer import TestPgBouncer
from tests.servers.processes import until

TALLY = "CREATE TABLE tally (client int, number int, PRIMARY KEY (client, number));"
QUERIES = """
-- name: Tell :exec
INSERT INTO tally (client, number) VALUES (@client, @number) ON CONFLICT DO NOTHING;

-- name: Told :one
SELECT coalesce(max(number), 0)::int AS number FROM tally WHERE client = @client;
"""
BROKEN = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    psycopg.OperationalError,
    sqlalchemy.exc.DBAPIError,
)
CALLS = 40_000


@pytest.fixture(scope="module")
def package(postgres: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, texts = tmp_path_factory.mktemp("pooled"), (TALLY, QUERIES)
    with postgres.compiled(folder, POSTGRES, texts=texts, options="") as package:
        yield package


def opening(driver: str, url: str, *, prepares: bool) -> Callable[[], Any]:
    """Return a function that opens a connection, blocking or async, with autocommit."""
    given: dict[str, Any] = {}
    if not prepares:
        of_asyncpg = driver in {"asyncpg", "sqlalchemy"}
        given = {"statement_cache_size": 0} if of_asyncpg else {"prepare_threshold": None}
    if driver == "asyncpg":
        return partial(asyncpg.connect, url, **given)
    if driver not in SQLALCHEMY:
        kind: Any = psycopg.Connection if driver == "psycopg-sync" else psycopg.AsyncConnection
        return partial(kind.connect, url, autocommit=True, **given)
    engine: Any = create_engine if driver == "sqlalchemy-sync" else create_async_engine
    more = {"isolation_level": "AUTOCOMMIT", "poolclass": NullPool, "connect_args": given}
    return partial(engine(sqlalchemy_url(driver, url), **more).connect)


async def waited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


class Client:
    """Call generated functions on its own connection, which is opened again after a failure."""

    def __init__(self, number: int, package: str, open_: Callable[[], Any]) -> None:
        self._number, self._package, self._open = number, package, open_
        self._queries = importlib.import_module(f"{package}.queries")
        self._owner: Any = None
        self.done, self.away = 0, 0

    async def run(self, turns: int) -> None:
        """Write, and read the written value, repeatedly."""
        for turn in range(1, turns + 1):
            await self._certainly("tell", client=self._number, number=turn)
            assert await self._certainly("told", client=self._number) == turn
        await self._close()

    async def _certainly(self, name: str, **given: int) -> Any:
        """Call until the outcome is known, as the caller of an idempotent call can."""
        while True:
            try:
                if self._owner is None:
                    await self._connect()
                value = await waited(getattr(self._queries, name)(self._db, **given))
            except BROKEN as error:
                state = getattr(getattr(error, "orig", error), "sqlstate", None)
                if state and not state.startswith("08"):
                    raise  # the server's answer, not a connection that broke
                await self._close()
                self.away += 1
                await asyncio.sleep(0.05)
            else:
                self.done += 1
                return value

    async def _connect(self) -> None:
        owner = self._owner = await waited(self._open())
        self._db = owner
        if isinstance(owner, AsyncConnection | Connection):
            self._db = importlib.import_module(f"{self._package}.session").SqlalchemyExecutor(owner)
        elif not isinstance(owner, asyncpg.Connection):
            self._db = importlib.import_module(f"{self._package}.adapter").PsycopgExecutor(owner)

    async def _close(self) -> None:
        owner, self._owner = self._owner, None
        if isinstance(owner, AsyncConnection | Connection):
            await waited(owner.invalidate())  # what is broken cannot be given back
        if owner is not None:
            await waited(owner.close())


async def together(clients: Iterable[Client], turns: int) -> None:
    await asyncio.gather(*(client.run(turns) for client in clients))


def restarted_among(
    clients: list[Client], turns: int, restarts: int, pooler: TestPgBouncer, *, blocking: bool
) -> float:
    """Let all clients run, and restart the pooler meanwhile; return the seconds."""
    calls = 2 * turns * len(clients)
    # Those that block have a thread each.
    groups = [[client] for client in clients] if blocking else [clients]
    started = time.monotonic()
    with ThreadPoolExecutor(len(groups)) as threads:
        running = [threads.submit(asyncio.run, together(group, turns)) for group in groups]
        for number in range(1, restarts + 1):
            due = calls * number // (restarts + 3)  # the last one well before the end
            until(
                lambda due=due: (
                    sum(client.done for client in clients) >= due
                    or any(future.done() for future in running)
                ),
                f"call {due}",
                within=3600,
            )
            pooler.kill()
            pooler.start()
        for future in running:
            future.result()
    return time.monotonic() - started


@pytest.mark.parametrize("driver", POSTGRES)
def test_a_pooler_is_restarted_among_calls_and_none_fails_or_is_lost(
    driver: str, postgres: Engine, package: str, full: Full
) -> None:
    calls, many, restarts = full(CALLS, sample=4_000), full(200, sample=20), full(10, sample=1)
    each = calls // many // 2
    with postgres.database(TALLY) as url:
        with pgbouncer.running(url, servers=full(20, sample=4)) as pooler:
            open_ = opening(driver, pooler.through(url), prepares=pooler.prepares)
            own = package_of(package, driver, POSTGRES)
            clients = [Client(number, own, open_) for number in range(many)]
            seconds = restarted_among(clients, each, restarts, pooler, blocking="-sync" in driver)
        with psycopg.connect(url) as connection:
            kept = connection.execute("SELECT count(*) FROM tally").fetchone()
    away = sum(client.away for client in clients)
    print(f"{driver}: {calls} calls, {restarts} restarts, {away} made again, {seconds:.0f} s")
    assert kept == (each * many,)
    assert away > 0, "the restarts fell beside the calls"
