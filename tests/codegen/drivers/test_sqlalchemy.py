"""Whose transaction it is: what SQLAlchemy has begun, generated functions are part of."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from devstack.testing.postgres import TestPostgres
from tests.codegen.drivers.connecting import sqlalchemy_url
from tests.codegen.drivers.running import HERE, compiled
from tests.codegen.golden import analyzer_on

COUNT = text("SELECT count(*) FROM author")


@pytest.fixture(scope="module")
def url(postgres_server: TestPostgres) -> Iterator[str]:
    found = postgres_server.create_empty()
    with psycopg.connect(found, autocommit=True) as connection:
        connection.execute((HERE / "postgres.sql").read_text())
    yield found
    postgres_server.drop(found)


@pytest.fixture(scope="module", params=["sqlalchemy", "sqlalchemy-psycopg"])
def waiting(
    request: pytest.FixtureRequest,
    postgres_server: TestPostgres,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, str]]:
    yield from _package(request.param, postgres_server, tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def blocking(
    postgres_server: TestPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    yield from _package("sqlalchemy-sync", postgres_server, tmp_path_factory.mktemp("own"))


def _package(driver: str, server: TestPostgres, folder: Path) -> Iterator[tuple[str, str]]:
    compiling = server.create_empty()
    with compiled(folder, driver, analyzer_on(compiling)) as package:
        yield driver, package
    server.drop(compiling)


def modules(package: str) -> tuple[ModuleType, ModuleType, ModuleType]:
    names = ("queries", "models", "session")
    queries, models, session = (importlib.import_module(f"{package}.{name}") for name in names)
    return queries, models, session


async def test_what_is_rolled_back_was_never_there_and_what_is_committed_stays(
    waiting: tuple[str, str], url: str
) -> None:
    driver, package = waiting
    queries, models, session = modules(package)
    given = {"bio": None, "mood": models.Mood.SAD, "score": None}
    engine = create_async_engine(sqlalchemy_url(driver, url))
    async with engine.connect() as connection:
        db = session.SqlalchemyExecutor(connection)
        gone = await queries.add_author(db, name="gone", **given)
        assert connection.in_transaction()
        params = queries.InsertBooksParams
        await queries.insert_books(db, [params(id=1, author_id=gone.id, title="gone")])
        await connection.rollback()
        await queries.insert_books(db, [])
        assert (await connection.execute(COUNT)).scalar_one() == 0
        assert await queries.title_of(db, [1]) == [None]
        await connection.rollback()
        made = await queries.add_author(db, name="kept", **given)
        assert (await connection.execute(COUNT)).scalar_one() == 1
        await connection.commit()
        await connection.execute(text("DELETE FROM author"))
        await connection.commit()
    async with AsyncSession(engine) as owner, owner.begin():
        db = session.SqlalchemyExecutor(owner)
        made = await queries.add_author(db, name="in a session", **given)
        assert await queries.get_author(db, id=made.id) == made
        assert [row.title async for row in queries.stream_books(db, author_id=made.id)] == []
        assert (await owner.execute(COUNT)).scalar_one() == 1
        await owner.rollback()
    async with engine.connect() as connection:
        assert (await connection.execute(COUNT)).scalar_one() == 0
    await engine.dispose()


def test_the_same_holds_of_connections_that_block(blocking: tuple[str, str], url: str) -> None:
    driver, package = blocking
    queries, models, session = modules(package)
    given = {"bio": None, "mood": models.Mood.SAD, "score": None}
    engine = create_engine(sqlalchemy_url(driver, url))
    with engine.connect() as connection:
        db = session.SqlalchemyExecutor(connection)
        params = queries.InsertBooksParams
        with pytest.raises(importlib.import_module(f"{package}.errors").BookAuthorIdFkey):
            queries.insert_books(db, [params(id=1, author_id=1, title="gone")])
        connection.rollback()
        queries.add_author(db, name="gone", **given)
        connection.rollback()
        assert connection.execute(COUNT).scalar_one() == 0
    with Session(engine) as owner:
        db = session.SqlalchemyExecutor(owner)
        queries.add_author(db, name="kept", **given)
        owner.commit()
        assert owner.execute(COUNT).scalar_one() == 1
        owner.execute(text("DELETE FROM author"))
        owner.commit()
    engine.dispose()


async def test_another_dialect_is_refused_by_name(url: str, waiting: tuple[str, str]) -> None:
    driver, package = waiting
    queries, _, session = modules(package)
    other = "sqlalchemy" if driver != "sqlalchemy" else "sqlalchemy-psycopg"
    engine = create_async_engine(sqlalchemy_url(other, url))
    async with engine.connect() as connection:
        with pytest.raises(TypeError, match=r"is wanted, not"):
            await queries.count_authors(session.SqlalchemyExecutor(connection))
    await engine.dispose()


OVERRIDE = "overrides: [{db_type: jsonb, type: 'dict[str, int]'}], models: msgspec"
KEPT = "-- name: Keep :one\nINSERT INTO kept (note) VALUES (@note) RETURNING note;\n"


async def test_an_override_takes_json_as_the_driver_hands_it_over(
    postgres_server: TestPostgres, tmp_path: Path
) -> None:
    compiling, url = postgres_server.create_empty(), postgres_server.create_empty()
    texts = {"postgres.sql": "CREATE TABLE kept (note jsonb);", "postgres_queries.sql": KEPT}
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (note jsonb)")
    with ExitStack() as stack:
        for driver in ("sqlalchemy", "sqlalchemy-psycopg"):
            analyze = analyzer_on(compiling)
            package = stack.enter_context(
                compiled(tmp_path, driver, analyze, texts=texts, options=OVERRIDE)
            )
            engine = create_async_engine(sqlalchemy_url(driver, url))
            async with engine.connect() as owner:
                db = importlib.import_module(f"{package}.session").SqlalchemyExecutor(owner)
                queries = importlib.import_module(f"{package}.queries")
                assert await queries.keep(db, note={"a": 1}) == {"a": 1}
                assert await queries.keep(db, note=None) is None
            await engine.dispose()
