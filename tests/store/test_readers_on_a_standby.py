"""What the compiler says only reads is answered by a hot standby, which refuses all else."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import psycopg
import pytest

from devstack.settings import ROOT
from devstack.testing import containers, mysql_replica
from devstack.testing.postgres import TestPostgres
from devstack.testing.roles import as_service
from devstack.testing.standby import Standby
from lib.db.errors import DatabaseUnavailableError
from tests.lib.db.test_promotion import asked
from tests.services.calling import by_hand
from tests.store.test_functions import (
    Arguments,
    Recording,
    calls,
    engine_of,
    functions_of,
    service_of,
    stores,
)

pytestmark = pytest.mark.repo

STORES = [name for name in stores() if engine_of(name) == "postgres"]
ON_MARIADB = [name for name in stores() if engine_of(name) == "mysql"]
REFUSED = (asyncpg.ReadOnlySQLTransactionError, asyncpg.ObjectNotInPrerequisiteStateError)


@pytest.fixture(scope="module")
def urls(postgres_server: TestPostgres) -> Iterator[dict[str, str]]:
    """A database for each store, with demo data."""
    made = {name: postgres_server.create(service_of(name), demo=True) for name in STORES}
    yield made
    for url in made.values():
        postgres_server.give_back(url)


@pytest.fixture(scope="module")
def standby(postgres_server: TestPostgres, urls: dict[str, str]) -> Iterator[Standby]:
    if containers.wanted():
        pytest.skip("a standby is made of the embedded server: unset TEST_CONTAINERS")
    with postgres_server.standby() as standby:
        with psycopg.connect(next(iter(urls.values()))) as connection:
            row = connection.execute("SELECT pg_current_wal_lsn()::text").fetchone()
        assert row is not None
        deadline = time.monotonic() + 30
        while _position(standby.replayed()) < _position(row[0]) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield standby


def _position(lsn: str) -> tuple[int, ...]:
    return tuple(int(part, 16) for part in lsn.split("/"))


@pytest.mark.parametrize("store", STORES)
async def test_a_hot_standby_answers_every_reader(
    store: str, urls: dict[str, str], standby: Standby
) -> None:
    package = importlib.import_module(store)
    reads, names = package.READS, package.QUERY_NAMES
    url = standby.url(_database(urls[store]))
    asked, wrong = await _asked(store, url, only=reads)
    assert wrong == {}
    assert len(asked) >= len({name for text, name in names.items() if text in reads})
    connection = await asyncpg.connect(url)
    try:
        for text in reads - asked:  # other variants
            statement = await connection.prepare(text)
            await statement.fetch(*(None for _ in statement.get_parameters()))
    finally:
        await connection.close()


async def test_a_hot_standby_refuses_what_is_not_proved(
    urls: dict[str, str], standby: Standby
) -> None:
    """Of the account's writers, those that reach a row to write or lock."""
    store = "services.user.store"
    package = importlib.import_module(store)
    others = frozenset(package.QUERY_NAMES) - package.READS
    asked, wrong = await _asked(store, standby.url(_database(urls[store])), only=others)
    names = {package.QUERY_NAMES[text] for text in asked}
    assert len(wrong) == len(names)


@pytest.fixture(scope="module")
def replica(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The URL of each store's service on a replica of MariaDB, which has got to the end."""
    with mysql_replica.running(ROOT / "migrations") as (primary, replica):
        made = {name: primary.create(service_of(name), demo=True) for name in ON_MARIADB}
        ((written,),) = asked(next(iter(made.values())), "SELECT @@gtid_current_pos")
        any_url = replica.url("mysql")
        assert asked(any_url, f"SELECT MASTER_GTID_WAIT('{written}', 30)") == [(0,)]
        yield {
            name: as_service(url).replace(f":{primary.port}/", f":{urlsplit(any_url).port}/")
            for name, url in made.items()
        }


@pytest.mark.parametrize("store", ON_MARIADB)
async def test_a_replica_of_mariadb_answers_every_reader_and_refuses_every_writer(
    store: str, replica: dict[str, str]
) -> None:
    package = importlib.import_module(store)
    reads, names = package.READS, package.QUERY_NAMES
    async with by_hand(replica[store], db_pool_max=2) as db:
        asked, wrong = await _asked_by(db, store, only=reads)
        assert wrong == {}
        assert len(asked) >= len({name for text, name in names.items() if text in reads})
        for text in reads - asked:  # other variants
            await db.fetch(text, *([1] * text.count("%s")))
        asked, wrong = await _asked_by(db, store, only=frozenset(names) - reads)
        assert len(wrong) == len({names[text] for text in asked})


def _database(url: str) -> str:
    return urlsplit(url).path.lstrip("/")


async def _asked(
    store: str, url: str, *, only: frozenset[str]
) -> tuple[set[str], dict[str, object]]:
    connection = await asyncpg.connect(url)
    try:
        return await _asked_by(connection, store, only=only)
    finally:
        await connection.close()


async def _asked_by(
    executor: Any, store: str, *, only: frozenset[str]
) -> tuple[set[str], dict[str, object]]:
    """Call the functions whose texts are among these; return the texts, and what was refused."""
    asked: set[str] = set()
    wrong: dict[str, object] = {}
    for name, function in functions_of(store).items():
        row: Arguments = {}
        for arguments in calls(function, row):
            recording = Recording(_Only(executor, only))
            try:
                await function(recording, **arguments)
            except (*REFUSED, DatabaseUnavailableError) as error:  # so a read-only MariaDB is told
                wrong[name] = error
            except (_NotAskedError, asyncpg.PostgresError):
                continue
            finally:
                asked |= recording.texts & only
    return asked, wrong


class _NotAskedError(Exception):
    """The text is none of those that are asked for."""


class _Only:
    """An executor for some texts."""

    def __init__(self, executor: Any, texts: frozenset[str]) -> None:
        self._executor = executor
        self._texts = texts

    def __getattr__(self, method: str) -> Callable[..., Any]:
        async def run(query: str, /, *args: object) -> Any:
            if query not in self._texts:
                raise _NotAskedError
            return await getattr(self._executor, method)(query, *args)

        return run
