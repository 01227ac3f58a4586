"""What the compiler says only reads is answered by a hot standby, which refuses all else."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import asyncpg
import psycopg
import pytest

from devstack.testing import containers
from devstack.testing.postgres import TestPostgres
from devstack.testing.standby import Standby
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
REFUSED = asyncpg.ReadOnlySQLTransactionError


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


def _database(url: str) -> str:
    return urlsplit(url).path.lstrip("/")


async def _asked(
    store: str, url: str, *, only: frozenset[str]
) -> tuple[set[str], dict[str, object]]:
    """Call the functions whose texts are among these; return the texts, and what was refused."""
    asked: set[str] = set()
    wrong: dict[str, object] = {}
    connection = await asyncpg.connect(url)
    try:
        for name, function in functions_of(store).items():
            row: Arguments = {}
            for arguments in calls(function, row):
                recording = Recording(_Only(connection, only))
                try:
                    await function(recording, **arguments)
                except REFUSED as error:
                    wrong[name] = error
                except (_NotAskedError, asyncpg.PostgresError) as error:
                    if isinstance(error, asyncpg.ObjectNotInPrerequisiteStateError):
                        wrong[name] = error
                    continue
                finally:
                    asked |= recording.texts & only
    finally:
        await connection.close()
    return asked, wrong


class _NotAskedError(Exception):
    """The text is none of those that are asked for."""


class _Only:
    """An executor for some texts."""

    def __init__(self, connection: asyncpg.Connection, texts: frozenset[str]) -> None:
        self._connection = connection
        self._texts = texts

    async def fetch(self, query: str, /, *args: object) -> list[asyncpg.Record]:
        self._check(query)
        return list(await self._connection.fetch(query, *args))

    async def fetchrow(self, query: str, /, *args: object) -> asyncpg.Record | None:
        self._check(query)
        return await self._connection.fetchrow(query, *args)

    async def fetchval(self, query: str, /, *args: object) -> object:
        self._check(query)
        return await self._connection.fetchval(query, *args)

    async def execute(self, query: str, /, *args: object) -> str:
        self._check(query)
        return str(await self._connection.execute(query, *args))

    def _check(self, query: str) -> None:
        if query not in self._texts:
            raise _NotAskedError
