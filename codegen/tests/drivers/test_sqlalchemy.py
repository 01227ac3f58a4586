"""Generated functions run in the transaction that SQLAlchemy has begun."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from tests.drivers import connecting, connecting_mysql
from tests.drivers.running import Engine, Subject, package_of

COUNT, ADDED = text("SELECT count(*) FROM author"), text("SELECT added FROM book")
ON_POSTGRES = [("postgres", driver) for driver in connecting.SQLALCHEMY]
ON_MYSQL = [("mysql", driver) for driver in connecting_mysql.BELOW]
DIALECTS = ({"postgresql+asyncpg", "postgresql+psycopg"}, {"mysql+aiomysql", "mysql+asyncmy"})
MOMENT = datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC)


def engine_of(driver: str, url: str) -> Any:
    """Return SQLAlchemy's engine for a driver, created as users do."""
    make = create_engine if driver == "sqlalchemy-sync" else create_async_engine
    if url.startswith("mysql"):
        return make(
            connecting_mysql.sqlalchemy_url(driver, url), connect_args=connecting_mysql.IN_UTC
        )
    return make(connecting.sqlalchemy_url(driver, url))


@pytest.fixture(params=[*ON_POSTGRES, *ON_MYSQL], ids="-".join)
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """A connection without autocommit: only the test commits."""
    name, driver = request.param
    engine: Engine = request.getfixturevalue(name)
    package = package_of(request.getfixturevalue(f"{name}_package"), driver, engine.drivers)
    with engine.database() as url, asyncio.Runner() as runner:
        opened = engine_of(driver, url)
        yield Subject(driver, package, None, runner, opened, on_mysql=name == "mysql")


@contextmanager
def lent(subject: Subject, owner: Any = None) -> Iterator[Any]:
    """Lend a connection or a session of the engine; calls in the block use it."""
    opened = owner or subject.wait(subject.connection.connect())
    subject.db = subject.module("session").SqlalchemyExecutor(opened)
    try:
        yield opened
    finally:
        subject.wait(opened.close())
        subject.wait(subject.connection.dispose())


def names(subject: Subject) -> Sequence[str]:
    return [row.name for row in subject.call("list_authors")]


def book(subject: Subject, author: int, *ids: int) -> list[Any]:
    params = subject.module().CopyBooksParams
    return [params(id=n, author_id=author, title="old", price=None, added=MOMENT) for n in ids]


def count(subject: Subject, owner: Any) -> Any:
    return subject.wait(owner.execute(COUNT)).scalar_one()


def test_what_is_rolled_back_was_never_there_and_what_is_committed_stays(subject: Subject) -> None:
    with lent(subject) as owner:
        author = subject.add("gone")
        assert owner.in_transaction()
        subject.call("copy_books", book(subject, author, 1, 2))
        subject.call("retitle", [])
        assert count(subject, owner) == 1
        subject.wait(owner.rollback())
        assert count(subject, owner) == 0
        assert subject.call("title_of", [1]) == [None]
        subject.wait(owner.rollback())
        subject.add("kept")
        subject.wait(owner.commit())
        subject.add("gone")
    with lent(subject):
        assert names(subject) == ["kept"]


def test_a_session_is_one_transaction_and_after_its_commit_another(subject: Subject) -> None:
    kind = Session if subject.driver == "sqlalchemy-sync" else AsyncSession
    with lent(subject, kind(subject.connection)) as owner:
        author = subject.add("kept")
        assert subject.call("get_author", id=author).name == "kept"
        assert subject.call("stream_books", author_id=author) == []
        assert count(subject, owner) == 1
        subject.wait(owner.commit())
        subject.add("gone")
        subject.wait(owner.rollback())
        assert names(subject) == ["kept"]


def test_of_many_that_fail_nothing_is_left_and_of_the_transaction_all(subject: Subject) -> None:
    params, errors = subject.module().RetitleParams, subject.module("errors")
    with lent(subject) as owner:
        author = subject.add()
        subject.call("copy_books", book(subject, author, 1, 2))
        if not subject.on_mysql:  # there a statement that fails ends its transaction
            subject.wait(owner.commit())
        else:
            with pytest.raises(errors.DatabaseError):
                subject.call("retitle", [params(title="new", id=1), params(title="x" * 100, id=2)])
        with pytest.raises(errors.BookPkey):
            subject.call("copy_books", book(subject, author, 3, 1))
        if not subject.on_mysql:
            subject.wait(owner.rollback())
        assert subject.call("title_of", [1, 2, 3]) == ["old", "old", None]
        subject.wait(owner.commit())
        assert subject.call("title_of", [1, 2, 3]) == ["old", "old", None]


def test_other_code_on_the_connection_reads_as_before(subject: Subject) -> None:
    with lent(subject) as owner:
        subject.call("copy_books", book(subject, subject.add(), 1))
        for _ in range(2):
            assert [row.added for row in subject.call("prices")] == [MOMENT]
            assert [row.added for row in subject.call("stream_books", author_id=1)] == [MOMENT]
            other = subject.wait(owner.execute(ADDED)).scalar_one()
            assert other == (MOMENT.replace(tzinfo=None) if subject.on_mysql else MOMENT)


def test_another_dialect_is_refused_by_name(subject: Subject) -> None:
    engine: Any = create_engine("sqlite://")
    if subject.driver != "sqlalchemy-sync":
        url = subject.connection.url
        [other] = DIALECTS[subject.on_mysql] - {url.drivername}
        engine = create_async_engine(url.set(drivername=other))
    subject.connection = engine
    with lent(subject), pytest.raises(TypeError, match=r"(mysql|postgresql)\+\w+ is required, not"):
        subject.call("count_authors")


OVERRIDE = "overrides: [{db_type: jsonb, type: 'dict[str, int]'}], models: msgspec"
TABLE = "CREATE TABLE kept (note jsonb);"
KEEP = "-- name: Keep :one\nINSERT INTO kept (note) VALUES (@note) RETURNING note;\n"


@pytest.mark.parametrize("driver", ["sqlalchemy", "sqlalchemy-psycopg"])
async def test_an_override_takes_json_as_the_driver_hands_it_over(
    postgres: Engine, driver: str, tmp_path: Path
) -> None:
    compiled = postgres.compiled(tmp_path, driver, texts=(TABLE, KEEP), options=OVERRIDE)
    with postgres.database(TABLE) as url, compiled as package:
        engine = engine_of(driver, url)
        async with engine.connect() as owner:
            db = importlib.import_module(f"{package}.session").SqlalchemyExecutor(owner)
            queries = importlib.import_module(f"{package}.queries")
            assert await queries.keep(db, note={"a": 1}) == {"a": 1}
            assert await queries.keep(db, note=None) is None
        await engine.dispose()
