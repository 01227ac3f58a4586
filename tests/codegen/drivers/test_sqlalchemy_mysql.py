"""On MySQL, too, generated functions are part of what SQLAlchemy has begun, and change nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pymysql
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

from devstack.testing.mysql_databases import MysqlDatabases
from tests.codegen.drivers.connecting_mysql import BELOW, IN_UTC, arguments_of, sqlalchemy_url
from tests.codegen.drivers.running import (
    HERE,
    Subject,
    analyzer_on_mysql,
    compiled,
    package_of,
)

COUNT, ADDED = text("SELECT count(*) FROM author"), text("SELECT added FROM book")
DRIVERS = tuple(BELOW)
MOMENT = datetime(2024, 2, 29, 1, 2, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def url(mysql_server: MysqlDatabases) -> Iterator[str]:
    found = mysql_server.create_empty()
    with pymysql.connect(**arguments_of(found)) as connection, connection.cursor() as cursor:
        for statement in (HERE / "mysql.sql").read_text().split(";\n"):
            if statement.strip():
                cursor.execute(statement)
    yield found
    mysql_server.drop(found)


@pytest.fixture(scope="module")
def package(
    mysql_server: MysqlDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    compiling = mysql_server.create_empty()
    with compiled(
        tmp_path_factory.mktemp("own"),
        f"[{', '.join(DRIVERS)}]",
        analyzer_on_mysql(compiling),
        engine="mysql",
        files=("mysql.sql", "mysql_queries.sql"),
    ) as found:
        yield found
    mysql_server.drop(compiling)


@pytest.fixture(params=DRIVERS)
def subject(request: pytest.FixtureRequest, package: str, url: str) -> Iterator[Subject]:
    """As one would open it: nothing is committed that the test does not commit."""
    driver = request.param
    make = create_engine if driver == "sqlalchemy-sync" else create_async_engine
    engine: Any = make(sqlalchemy_url(driver, url), connect_args=IN_UTC)
    with asyncio.Runner() as runner:
        yield Subject(driver, package_of(package, driver, DRIVERS), None, runner, engine)
    with pymysql.connect(**arguments_of(url)) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM author")
        cursor.execute("DELETE FROM book")


@contextmanager
def lent(subject: Subject, owner: Any = None) -> Iterator[Any]:
    """Lend a connection of the engine's, or a session; what is called meanwhile runs on it."""
    opened = owner or subject.wait(subject.connection.connect())
    subject.db = subject.module("session").SqlalchemyExecutor(opened)
    try:
        yield opened
    finally:
        subject.wait(opened.close())
        subject.wait(subject.connection.dispose())


def add(subject: Subject, name: str) -> None:
    mood = subject.module("models").AuthorMood.SAD
    subject.call("add_author", name=name, bio=None, mood=mood, score=None)


def book(subject: Subject, *ids: int) -> list[Any]:
    params = subject.module().CopyBooksParams
    return [params(id=n, author_id=1, title="old", price=None, added=MOMENT) for n in ids]


def count(subject: Subject, owner: Any) -> Any:
    return subject.wait(owner.execute(COUNT)).scalar_one()


def test_what_is_rolled_back_was_never_there_and_what_is_committed_stays(subject: Subject) -> None:
    with lent(subject) as owner:
        add(subject, "gone")
        assert owner.in_transaction()
        subject.call("copy_books", book(subject, 1, 2))
        assert count(subject, owner) == 1
        subject.wait(owner.rollback())
        assert count(subject, owner) == 0
        assert subject.call("title_of", [1]) == [None]
        subject.wait(owner.rollback())
        add(subject, "kept")
        subject.wait(owner.commit())
        add(subject, "gone")
    with lent(subject):
        assert [row.name for row in subject.call("list_authors")] == ["kept"]


def test_a_session_is_one_transaction_and_after_its_commit_another(subject: Subject) -> None:
    kind = Session if subject.driver == "sqlalchemy-sync" else AsyncSession
    with lent(subject, kind(subject.connection)) as owner:
        add(subject, "kept")
        assert count(subject, owner) == 1
        subject.wait(owner.commit())
        add(subject, "gone")
        subject.wait(owner.rollback())
        assert [row.name for row in subject.call("list_authors")] == ["kept"]


def test_of_many_that_fail_nothing_is_left_and_of_the_transaction_all(subject: Subject) -> None:
    params, errors = subject.module().RetitleParams, subject.module("errors")
    with lent(subject) as owner:
        subject.call("copy_books", book(subject, 1, 2))
        with pytest.raises(errors.DatabaseError):
            subject.call("retitle", [params(title="new", id=1), params(title="x" * 100, id=2)])
        with pytest.raises(errors.BookPkey):
            subject.call("copy_books", book(subject, 3, 1))
        assert subject.call("title_of", [1, 2, 3]) == ["old", "old", None]
        subject.wait(owner.commit())
        assert subject.call("title_of", [1, 2, 3]) == ["old", "old", None]


def test_other_code_on_the_connection_reads_as_before(subject: Subject) -> None:
    with lent(subject) as owner:
        subject.call("copy_books", book(subject, 1))
        for _ in range(2):
            assert [row.added for row in subject.call("prices")] == [MOMENT]
            assert [row.added for row in subject.call("stream_books", author_id=1)] == [MOMENT]
            other = subject.wait(owner.execute(ADDED)).scalar_one()
            assert other == MOMENT.replace(tzinfo=None)


def test_another_dialect_is_refused_by_name(subject: Subject, url: str) -> None:
    engine: Any = create_engine("sqlite://")
    if subject.driver != "sqlalchemy-sync":
        [other] = {"sqlalchemy", "sqlalchemy-asyncmy"} - {subject.driver}
        engine = create_async_engine(sqlalchemy_url(other, url))
    subject.connection = engine
    with lent(subject), pytest.raises(TypeError, match=r"mysql\+\w+ is wanted, not"):
        subject.call("count_authors")
