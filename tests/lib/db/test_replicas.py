"""Replicas serve read-only queries, but never without the caller's own writes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import cast

import psycopg
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from devstack.settings import ROOT
from devstack.testing import containers, mysql_replica
from devstack.testing.mysql_replica import MysqlReplica
from devstack.testing.postgres import TestPostgres
from devstack.testing.standby import Standby
from devstack.testing.wait import DEADLINE, eventually
from lib import positions
from lib.config import DatabaseSettings
from lib.db import Database
from lib.db.executor import Executor
from lib.db.log_position import MARIADB, log_position_of
from lib.db.replicated import open_replicated
from lib.errors import StartError
from lib.http.app import DATABASE, METRICS, new_app
from lib.http.components import add_database
from lib.positions import Scope, Signer
from tests.conftest import Full
from tests.lib.db.test_promotion import asked

ROWS = 8
# What a thread starts ends with it, and those of `asyncio.to_thread` end with a test.
STARTER = ThreadPoolExecutor(max_workers=1)


@dataclass
class World:
    """A database with counters, its standby, and functions to open, read and write them."""

    url: str
    standby: Standby | MysqlReplica
    read: str = "SELECT n FROM counter WHERE id = $1"
    write: str = "UPDATE counter SET n = n + 1 WHERE id = $1 RETURNING n"
    start: str = "UPDATE counter SET n = 0 WHERE id = $1"
    histories: int = 100_000

    def settings(self, **changed: float) -> DatabaseSettings:
        return DatabaseSettings(
            _env_file=None,
            database_url=SecretStr(self.url),
            db_replica_urls=self.standby.url(self.url.rpartition("/")[2]),
            db_pool_min=1,
            **changed,
        )

    @asynccontextmanager
    async def opened(self, **changed: float) -> AsyncIterator[tuple[Database, CollectorRegistry]]:
        registry = CollectorRegistry()
        opening = open_replicated(
            self.settings(**changed), application="test", registry=registry, reads={self.read}
        )
        async with opening as db:
            await eventually(lambda: in_rotation(registry) == 1)
            yield db, registry


@pytest.fixture(scope="module", params=["postgres", "mariadb"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "mariadb":
        yield from _on_mariadb()
    else:
        yield from _on_postgres(request.getfixturevalue("postgres_server"))


def _on_postgres(server: TestPostgres) -> Iterator[World]:
    if containers.wanted():
        pytest.skip("a standby is made of the embedded server: unset TEST_CONTAINERS")
    url = server.create_empty("replicated")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE counter (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)")
        connection.execute(f"INSERT INTO counter SELECT generate_series(1, {ROWS})".encode())
    with server.standby() as standby:
        yield World(url, standby)
    server.drop(url)


def _on_mariadb() -> Iterator[World]:
    with mysql_replica.running(ROOT / "migrations") as (primary, replica):
        url = primary.create_empty("replicated")
        asked(url, "CREATE TABLE counter (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)")
        asked(url, f"INSERT INTO counter (id) SELECT seq FROM seq_1_to_{ROWS}")
        yield World(
            url,
            replica,
            read="SELECT n FROM counter WHERE id = %s",
            write="INSERT INTO counter (id) VALUES (%s)"
            " ON DUPLICATE KEY UPDATE n = n + 1 RETURNING n",
            start="UPDATE counter SET n = 0 WHERE id = %s",
            histories=10_000,  # its client is slower: as many take ten minutes
        )


def in_rotation(registry: CollectorRegistry) -> float:
    (metric,) = (m for m in registry.collect() if m.name == "db_replica_in_rotation")
    return metric.samples[0].value


def answered(registry: CollectorRegistry) -> tuple[float, float]:
    """Return how many reads the primary and the replica have executed."""
    (metric,) = (m for m in registry.collect() if m.name == "db_reads")
    found = {s.labels["server"]: s.value for s in metric.samples if s.name == "db_reads_total"}
    primary = found.pop("primary", 0.0)
    return primary, sum(found.values())


async def request(work: Awaitable[int], *, reads: bool, known: str = "") -> tuple[int, str]:
    """Run code as a request does, with the client's position header; return the new header."""
    token = positions.scope.set(scope := Scope(reads=reads, header=known))
    try:
        return await work, await scope.answer() or known
    finally:
        positions.scope.reset(token)


async def test_nobody_misses_what_they_have_written_while_the_standby_is_behind(
    world: World, full: Full
) -> None:
    rounds = full(world.histories, sample=320)
    stale, behind = 0, 100  # milliseconds: a write and the read behind it take less

    async def person(id_: int) -> None:
        nonlocal stale
        dice, mine, known = random.Random(id_), 0, ""
        for _ in range(rounds // ROWS):
            if dice.random() < 0.3:
                mine, known = await request(db.fetchval(world.write, id_), reads=False, known=known)
            seen, known = await request(db.fetchval(world.read, id_), reads=True, known=known)
            stale += seen != mine
            if dice.random() < 0.03:
                await asyncio.sleep(2 * behind / 1000)  # so that the standby is up with this one

    with world.standby.behind(behind):
        async with world.opened(db_replica_wait_seconds=0.01) as (db, registry):
            await asyncio.gather(*(db.execute(world.start, n) for n in range(1, ROWS + 1)))
            await asyncio.gather(*(person(n) for n in range(1, ROWS + 1)))
            primary, replica = answered(registry)
    assert stale == 0
    assert primary > 0, "the standby was never behind"
    assert replica > 0, "the standby was never asked"


async def test_without_the_header_or_with_a_forged_one_a_reader_may_see_the_past(
    world: World,
) -> None:
    """So the header selects the server, and strangers cannot send readers to the primary."""
    async with world.opened() as (db, _):
        before, known = await request(db.fetchval(world.write, 1), reads=False)
        await until_replayed(world, db, before)
        world.standby.pause()
        try:
            after, known = await request(db.fetchval(world.write, 1), reads=False, known=known)
            forged = ",".join(part.rpartition(".")[0] + "." + "A" * 22 for part in known.split(","))
            seen = [
                (await request(db.fetchval(world.read, 1), reads=True, known=sent))[0]
                for sent in (known, "", forged, "x" * 5000)
            ]
        finally:
            world.standby.resume()
    assert seen == [after, before, before, before]


async def until_replayed(world: World, db: Database, value: int) -> None:
    async with asyncio.timeout(DEADLINE):
        while (await request(db.fetchval(world.read, 1), reads=True))[0] != value:
            await asyncio.sleep(0.02)


async def test_a_write_in_a_request_that_reads_is_seen_by_its_next_read(world: World) -> None:
    async with world.opened() as (db, _):
        world.standby.pause()
        try:

            async def both() -> int:
                written = await db.fetchval(world.write, 2)
                return int(written - await db.fetchval(world.read, 2))

            difference, known = await request(both(), reads=True)
        finally:
            world.standby.resume()
    assert difference == 0
    assert known.startswith("test=")


async def test_a_request_that_changes_things_reads_from_the_primary(world: World) -> None:
    async with world.opened() as (db, registry):
        before = answered(registry)
        await request(db.fetchval(world.read, 1), reads=False)
        await db.fetchval(world.read, 1)  # in no request at all
        after = answered(registry)
    assert (after[0] - before[0], after[1] - before[1]) == (2, 0)


async def test_a_standby_that_lags_too_far_leaves_the_rotation_and_comes_back(
    world: World,
) -> None:
    async with world.opened(db_replica_lag_seconds=0.2) as (db, registry):
        world.standby.pause()
        try:
            await db.fetchval(world.write, 3)
            await eventually(lambda: in_rotation(registry) == 0)
        finally:
            world.standby.resume()
        await eventually(lambda: in_rotation(registry) == 1)


async def test_no_request_fails_when_the_standby_is_killed(world: World) -> None:
    async with world.opened() as (db, registry):
        failed, done, going = 0, 0, True

        async def reader() -> None:
            nonlocal failed, done
            while going:
                try:
                    await request(db.fetchval(world.read, 4), reads=True)
                    done += 1
                except Exception:
                    failed += 1
                await asyncio.sleep(0.002)

        readers = [asyncio.create_task(reader()) for _ in range(4)]
        await eventually(lambda: done > 20)
        await asyncio.to_thread(world.standby.kill)
        await eventually(lambda: in_rotation(registry) == 0)
        since = done
        await eventually(lambda: done > since + 20)
        await asyncio.get_running_loop().run_in_executor(STARTER, world.standby.start)
        await eventually(lambda: in_rotation(registry) == 1)
        going = False
        await asyncio.gather(*readers)
    assert failed == 0


async def test_over_http_the_answer_to_a_write_says_what_the_next_request_must_see(
    world: World,
) -> None:
    settings = world.settings()

    async def read(request: web.Request) -> web.Response:
        return web.json_response(await request.app[DATABASE].fetchval(world.read, 5))

    async def write(request: web.Request) -> web.Response:
        return web.json_response(await request.app[DATABASE].fetchval(world.write, 5))

    app = new_app("test", settings, [web.get("/n", read), web.post("/n", write)])
    queries = SimpleNamespace(
        QUERY_NAMES={world.read: "Read", world.write: "Write"}, READS={world.read}
    )
    add_database(app, settings, queries)
    async with TestClient(TestServer(app)) as client:
        await eventually(lambda: in_rotation(app[METRICS]) == 1)
        assert positions.HEADER not in (await client.get("/n")).headers
        world.standby.pause()
        try:
            written = await client.post("/n")
            known = written.headers[positions.HEADER]
            seen = await client.get("/n", headers={positions.HEADER: known})
            assert await seen.json() == await written.json()
        finally:
            world.standby.resume()


class _Mysql:
    engine = "mysql"

    async def fetchval(self, query: str, /, *args: object) -> str:
        assert query == "SELECT VERSION()"
        return "8.4.3"


async def test_replicas_of_a_mysql_are_refused_at_the_start() -> None:
    with pytest.raises(StartError, match=r"of shop is MySQL 8.4.3: replicas are supported"):
        await log_position_of(cast("Executor", _Mysql()), "shop")


def test_a_position_in_several_replication_domains_is_not_understood() -> None:
    assert MARIADB.number("0-1-17") == 17
    for several in ("0-1-17,1-1-3", ""):
        with pytest.raises(ValueError, match="unpack"):
            MARIADB.number(several)


def test_each_database_believes_its_own_entries_only_and_passes_on_the_others() -> None:
    ours, theirs = Signer("user", b"a"), Signer("order", b"b")
    scope = Scope(reads=True)
    for signer, position in ((ours, 10), (theirs, 7), (ours, 3)):
        at, signature = signer.entry(position)
        scope.learn(f"{signer.name}={at:x}.{signature}")
    passed = Scope(reads=True, header=scope.header)
    assert asyncio.run(_needed(passed, ours)) == 10
    assert asyncio.run(_needed(passed, theirs)) == 7
    assert asyncio.run(_needed(passed, Signer("user", b"another"))) == 0


async def _needed(scope: Scope, signer: Signer) -> int:
    return await scope.needs(signer)
