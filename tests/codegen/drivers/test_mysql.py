"""One suite for every MySQL driver: the generated functions, called on a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pymysql
import pytest

from devstack.testing.mysql_databases import MysqlDatabases
from tests.codegen.drivers.connecting_mysql import MYSQL, arguments_of, connected, on
from tests.codegen.drivers.running import (
    HERE,
    Subject,
    analyzer_on_mysql,
    compiled,
    complaints,
    package_of,
)

STRAY = "`a``b.c'd`"
FILES = ("mysql.sql", "mysql_queries.sql")
BLOCKING = ("pymysql", "sqlalchemy-sync")


@pytest.fixture(scope="module")
def package(
    mysql_server: MysqlDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Compile the suite's queries once, for every driver beside the others."""
    url = mysql_server.create_empty()
    with compiled(
        tmp_path_factory.mktemp("my"),
        f"[{', '.join(MYSQL)}]",
        analyzer_on_mysql(url),
        engine="mysql",
        files=FILES,
        options="models: dataclass, emit_exceptions: true, emit_helpers: true",
        named=False,
    ) as package:
        yield package
    mysql_server.drop(url)


@pytest.fixture(scope="module", params=MYSQL)
def subject(
    request: pytest.FixtureRequest, mysql_server: MysqlDatabases, package: str
) -> Iterator[Subject]:
    driver, url = request.param, mysql_server.create_empty()
    with pymysql.connect(**arguments_of(url)) as connection, connection.cursor() as cursor:
        for statement in (HERE / "mysql.sql").read_text().split(";\n"):
            if statement.strip():
                cursor.execute(statement)
    with connected(driver, package_of(package, driver, MYSQL), url) as found:
        yield found
    mysql_server.drop(url)


@pytest.fixture(autouse=True)
def empty(subject: Subject) -> None:
    """Each test starts with nothing in the tables."""
    subject.wait(subject.db.execute("SET foreign_key_checks = 0"))
    for table in ("author", "book", "born", STRAY, "noted", "logged"):
        subject.wait(subject.db.execute(f"TRUNCATE {table}"))
    subject.wait(subject.db.execute("SET foreign_key_checks = 1"))


def add(subject: Subject, name: str = "ann", **more: Any) -> int:
    mood = subject.module("models").AuthorMood
    given = {"bio": None, "mood": mood.SAD, "score": None, **more}
    made: int = subject.call("add_author", name=name, **given)
    return made


def test_a_row_comes_back_as_its_class(subject: Subject) -> None:
    mood = subject.module("models").AuthorMood
    text = 'it\'s \\ 100% "ok" \n\0 é'
    assert add(subject, bio=text, mood=mood.VERY_HAPPY, score=7) == 1
    found = subject.call("get_author", id=1)
    assert found == subject.module("models").Author(1, "ann", text, mood.VERY_HAPPY, 7)
    assert type(found.mood) is mood
    assert subject.call("get_author", id=9) is None
    assert subject.call("name_of", id=9) is None


def test_a_percent_sign_and_a_colon_mean_themselves(subject: Subject) -> None:
    for name in ("ann", "50%", "500", ":n", "n"):
        add(subject, name)
    assert subject.call("count_authors") == 3


def test_lists_may_be_of_enums_empty_and_any_sequence(subject: Subject) -> None:
    mood = subject.module("models").AuthorMood
    for name in ("a", "b"):
        add(subject, name)
    assert subject.call("names", ids=[1, 2, 2**40], moods=[mood.SAD]) == ["a", "b"]
    assert subject.call("names", ids=(2,), moods=(mood.SAD, mood.VERY_HAPPY)) == ["b"]
    assert subject.call("names", ids=[], moods=[mood.SAD]) == []


def test_a_dynamic_query_takes_what_its_text_has(subject: Subject) -> None:
    for name in ("anna", "bob", "hanna"):
        add(subject, name)
    search = lambda **more: [row.name for row in subject.call("search", page_size=9, **more)]  # noqa: E731 - a name for the call
    assert search() == ["anna", "bob", "hanna"]
    assert search(pattern="%nn%") == ["anna", "hanna"]
    assert search(pattern="%nn%", sort="name desc") == ["hanna", "anna"]
    with pytest.raises(ValueError, match="no such sort"):
        search(sort="name; DROP TABLE author")


def test_updates_count_the_rows_they_find_and_may_set_null(subject: Subject) -> None:
    add(subject, bio="old", score=3)
    assert subject.call("patch", id=1, bio=None) == 1
    assert subject.call("patch", id=1, bio=None) == 1
    found = subject.call("get_author", id=1)
    assert (found.bio, found.score) == (None, 3)
    assert subject.call("patch", id=2, score=1) == 0
    assert subject.call("rename", name="x", id=1) == "UPDATE 1"
    assert subject.call("forget", id=1) is None
    assert subject.call("list_authors") == []


def books(subject: Subject, count: int = 7) -> list[datetime]:
    params = subject.module().CopyBooksParams
    moments = [datetime(2024, 2, 29, 1, 2, 3, 4, UTC), datetime(1999, 1, 1, tzinfo=UTC)]
    prices = [None, Decimal("1.50"), Decimal("-99999999.99")]
    rows = [
        params(id=n, author_id=1, title=f"t'{n}\\", price=prices[n % 3], added=moments[n % 2])
        for n in range(count)
    ]
    assert subject.call("copy_books", rows) == count
    return moments


def test_rows_are_copied_with_nulls_and_instants(subject: Subject) -> None:
    moments = books(subject, 3)
    found = subject.call("prices")
    assert [row.added for row in found] == [moments[0], moments[1], moments[0]]
    assert [row.price for row in found] == [None, Decimal("1.50"), Decimal("-99999999.99")]
    assert subject.call("copy_books", []) == 0


def test_rows_are_streamed_in_chunks(subject: Subject) -> None:
    moments = books(subject)
    found = subject.call("stream_books", author_id=1, chunk=3)
    assert [(row.id, row.title) for row in found] == [(n, f"t'{n}\\") for n in range(7)]
    assert found[1].added == moments[1]
    assert subject.call("stream_books", author_id=2) == []
    assert subject.call("count_authors") == 0  # the connection is free again


def test_a_batch_answers_each_of_its_arguments(subject: Subject) -> None:
    books(subject, 3)
    params = subject.module().RetitleParams
    subject.call("retitle", [params(title="new", id=n) for n in (0, 2)])
    assert subject.call("title_of", [2, 9, 0]) == ["new", None, "new"]
    assert [[row.id for row in part] for part in subject.call("books_of", [1, 2])] == [
        [0, 1, 2],
        [],
    ]


def titles_of(subject: Subject) -> list[str]:
    return [row.title for row in subject.call("books_of", [1])[0]]


def spoil(subject: Subject) -> None:
    """Run a batch whose second part the server refuses."""
    params = subject.module().RetitleParams
    with pytest.raises(subject.module("errors").DatabaseError):
        subject.call("retitle", [params(title="new", id=0), params(title="x" * 100, id=1)])


def test_of_a_batch_that_fails_nothing_is_written(subject: Subject) -> None:
    books(subject, 2)
    spoil(subject)
    assert titles_of(subject) == ["t'0\\", "t'1\\"]
    subject.call("retitle", [subject.module().RetitleParams(title="new", id=n) for n in (0, 1)])
    subject.wait(subject.db.execute("ROLLBACK"))  # what succeeded is committed
    assert titles_of(subject) == ["new", "new"]


@pytest.mark.parametrize("begin", ["BEGIN", "SET autocommit = 0"])
def test_a_batch_that_fails_leaves_the_caller_s_transaction(subject: Subject, begin: str) -> None:
    books(subject, 2)
    subject.wait(subject.db.execute(begin))
    try:
        params = subject.module().RetitleParams
        subject.call("retitle", [params(title="mine", id=1)])
        spoil(subject)
        assert titles_of(subject) == ["t'0\\", "mine"]
        subject.wait(subject.db.execute("ROLLBACK"))
        assert titles_of(subject) == ["t'0\\", "t'1\\"]
    finally:
        subject.wait(subject.db.execute("SET autocommit = 1"))


def test_of_a_copy_that_fails_nothing_is_written(subject: Subject) -> None:
    params = subject.module().CopyBooksParams
    rows = [
        params(id=n % 1500, author_id=1, title="t", price=None, added=datetime(2024, 1, 1))  # noqa: DTZ001 - UTC, as the server keeps it
        for n in range(1501)
    ]
    with pytest.raises(subject.module("errors").BookPkey):
        subject.call("copy_books", rows)
    assert titles_of(subject) == []
    assert subject.call("copy_books", rows[:-1]) == 1500
    assert len(titles_of(subject)) == 1500


def test_embeds_are_rows_of_their_own_or_none(subject: Subject) -> None:
    add(subject, "ann")
    add(subject, "alone")
    books(subject, 1)
    found = subject.call("joined")
    assert [(row.author.name, row.book and row.book.id) for row in found] == [
        ("ann", 0),
        ("alone", None),
    ]


def test_an_embed_is_there_only_if_it_is_in_every_text_of_its_query(subject: Subject) -> None:
    add(subject, "ann")
    add(subject, "alone", bio="x")
    books(subject, 1)
    found = subject.call("joined_to")
    assert [row.author.name for row in found] == ["ann", "alone"]
    assert (found[0].book.id, found[1].book) == (0, None)
    assert [row.book.id for row in subject.call("joined_to", book_id=0)] == [0]
    assert [row.other.other_id for row in subject.call("described")] == [1, 2]
    assert [row.other.bio for row in subject.call("described", name="ann")] == [None]
    assert [row.other and row.other.bio for row in subject.call("described", bio="x")] == [
        None,
        "x",
    ]


def test_a_violated_constraint_has_its_own_class(subject: Subject) -> None:
    errors = subject.module("errors")
    add(subject)
    with pytest.raises(errors.AuthorNameKey, match=r"'.*name'") as raised:
        add(subject)
    assert isinstance(raised.value, errors.IntegrityError)
    assert (raised.value.args[0], raised.value.sqlstate) == (1062, "23000")
    with pytest.raises(errors.AuthorScoreCheck):
        add(subject, "b", score=-1)
    with pytest.raises(errors.AuthorScoreCheck):
        subject.call("rescore", id=1, score=-1)
    assert subject.call("list_authors")[0].score is None
    with pytest.raises(errors.AuthorNameNotNull, match="'name'") as raised:
        add(subject, None)  # type: ignore[arg-type]  # as one without a type checker may
    assert (raised.value.args[0], raised.value.sqlstate) == (1048, "23000")


def test_names_are_told_from_what_surrounds_them_whatever_is_in_them(subject: Subject) -> None:
    errors = subject.module("errors")
    stray = {"n": 1, "parent": None, "author_id": None}
    subject.call("add_stray", id=1, **stray)
    with pytest.raises(errors.ABCDPkey):
        subject.call("add_stray", id=1, **{**stray, "n": 2})
    with pytest.raises(errors.ABCDUQXKey):
        subject.call("add_stray", id=2, **stray)
    with pytest.raises(errors.ABCDFKXFkey):
        subject.call("add_stray", id=2, **{**stray, "n": 2, "parent": 9})
    with pytest.raises(errors.ABCDStrayAuthorFkey):
        subject.call("add_stray", id=2, **{**stray, "n": 2, "author_id": 9})
    with pytest.raises(errors.ABCDStrayCheck):
        subject.call("add_stray", id=2, **{**stray, "n": 10})
    with pytest.raises(errors.ABCDNMNotNull):
        subject.call("add_stray", id=2, **{**stray, "n": None})


def test_a_row_that_is_referred_to_has_the_class_of_what_refers(subject: Subject) -> None:
    errors = subject.module("errors")
    add(subject)
    subject.call("add_stray", id=1, n=1, parent=None, author_id=1)
    subject.call("add_stray", id=2, n=2, parent=1, author_id=None)
    with pytest.raises(errors.ABCDStrayAuthorFkey):
        subject.call("forget", id=1)
    with pytest.raises(errors.ABCDFKXFkey):
        subject.call("replace_stray", id=1, n=1)


def test_many_rows_violate_as_one_does(subject: Subject) -> None:
    errors, queries = subject.module("errors"), subject.module()
    with pytest.raises(errors.ABCDPkey):
        subject.call("add_strays", [queries.AddStraysParams(1, n) for n in (1, 2)])
    with pytest.raises(errors.ABCDUQXKey):
        subject.call("copy_strays", [queries.CopyStraysParams(n, 5) for n in (7, 8)])


def test_of_two_tables_that_a_statement_writes_the_violated_one_is_told(subject: Subject) -> None:
    add(subject)
    add(subject, "b")
    subject.call("add_stray", id=1, n=1, parent=None, author_id=1)
    with pytest.raises(subject.module("errors").AuthorNameKey):
        subject.call("join", id=1, n=2, name="b")
    with pytest.raises(subject.module("errors").AuthorNameNotNull):
        subject.call("join", id=1, n=2, name=None)


def test_a_key_that_a_trigger_violates_is_not_taken_for_the_table_s_own(subject: Subject) -> None:
    errors = subject.module("errors")
    subject.call("note", id=1, said="y")
    with pytest.raises(errors.IntegrityError, match=r"'.*said'") as raised:
        subject.call("note", id=2, said="z")
    assert type(raised.value) is errors.IntegrityError
    with pytest.raises(errors.LoggedSaidKey):
        subject.call("log", id=3, said="x")
    assert (hasattr(errors, "NotedSaidNotNull"), hasattr(errors, "LoggedSaidNotNull")) == (
        False,
        True,
    )


def test_what_mysql_says_is_understood_as_what_mariadb_says(subject: Subject) -> None:
    """MySQL names the table of a key, and of a check the name alone."""
    errors = subject.module("errors")
    said = {
        (1062, "Duplicate entry 'x' for key 'author.name'"): errors.AuthorNameKey,
        (1062, "Duplicate entry '1' for key 'author.PRIMARY'"): errors.AuthorPkey,
        (1062, "Duplicate entry 'author.name' for key 'other.name'"): errors.IntegrityError,
        (1062, "Duplicate entry '1' for key 'PRIMARY'"): errors.IntegrityError,
        (3819, "Check constraint 'stray_check' is violated."): errors.ABCDStrayCheck,
        (3819, "Check constraint 'other' is violated."): errors.IntegrityError,
    }
    found = {args: type(errors.constraint_error(errors.IntegrityError(*args))) for args in said}
    assert found == said


def test_what_violates_nothing_comes_as_it_came(subject: Subject) -> None:
    errors = subject.module("errors")
    with pytest.raises(errors.DatabaseError) as raised:
        add(subject, "x" * 51)
    assert type(raised.value).__module__ == errors.DatabaseError.__module__
    assert raised.value.args[0] == 1406


def test_the_hook_hears_of_every_call(subject: Subject) -> None:
    heard: list[tuple[str, int | None, bool]] = []
    hook = lambda name, _, rows, error: heard.append((name, rows, error is None))  # noqa: E731 - a name for the call
    observed = subject.module("helpers").Observed(subject.db, hook)
    queries, mood = subject.module(), subject.module("models").AuthorMood.SAD
    given = {"name": "ann", "bio": None, "mood": mood, "score": None}
    assert subject.wait(queries.add_author(observed, **given)) == 1
    subject.wait(queries.list_authors(observed))
    subject.wait(queries.get_author(observed, id=9))
    subject.wait(queries.rename(observed, name="x", id=1))
    assert subject.wait(queries.copy_strays(observed, [queries.CopyStraysParams(1, 1)])) == 1
    assert heard == [
        ("AddAuthor", None, True),
        ("ListAuthors", 1, True),
        ("GetAuthor", 0, True),
        ("Rename", 1, True),
        ("CopyStrays", 1, True),
    ]
    with pytest.raises(subject.module("errors").AuthorNameKey):
        subject.wait(queries.add_author(observed, **{**given, "name": "x"}))
    assert heard[-1] == ("AddAuthor", None, False)
    assert subject.wait(queries.stream_books(observed, author_id=1)) == []
    assert heard[-1] == ("StreamBooks", 0, True)


class _Pool:
    """As much of a pool as `in_transaction` asks for: it lends one connection."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.given_back = 0

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        try:
            yield self.subject.connection
        finally:
            self.given_back += 1

    @property
    def of_driver(self) -> Any:
        return (lambda: _Lent(self)) if self.subject.driver in BLOCKING else self


class _Lent:
    """A connection whose `close` gives it back; what is assigned to it stays here."""

    def __init__(self, pool: _Pool) -> None:
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool.subject.connection, name)

    def close(self) -> None:
        self._pool.given_back += 1


def test_a_transaction_that_lost_a_race_is_run_again_and_no_more_than_it_may(
    subject: Subject,
) -> None:
    tried: list[int] = []
    pool = _Pool(subject)
    lost = "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'a deadlock'"
    mood = subject.module("models").AuthorMood.SAD
    once = {"name": "once", "bio": None, "mood": mood, "score": None}

    def blocking(wins_at: int) -> Callable[[Any], int]:
        def work(db: Any) -> int:
            tried.append(len(tried))
            subject.module().add_author(db, **once)
            if len(tried) < wins_at:
                db.execute(lost)
            return len(tried)

        return work

    def waiting(wins_at: int) -> Callable[[Any], Awaitable[int]]:
        async def work(db: Any) -> int:
            tried.append(len(tried))
            await subject.module().add_author(db, **once)
            if len(tried) < wins_at:
                await db.execute(lost)
            return len(tried)

        return work

    work = blocking if subject.driver in BLOCKING else waiting
    run = subject.module("helpers").in_transaction
    assert subject.wait(run(pool.of_driver, work(3), isolation="serializable")) == 3
    assert [row.name for row in subject.call("list_authors")] == ["once"]
    assert pool.given_back == 3
    subject.call("forget", id=subject.call("list_authors")[0].id)
    tried.clear()
    with pytest.raises(Exception, match="a deadlock"):
        subject.wait(run(pool.of_driver, work(9), attempts=2))
    assert len(tried) == 2
    assert subject.call("list_authors") == []


def test_a_pool_s_connection_reads_as_any_other(subject: Subject) -> None:
    moments = books(subject, 1)
    run, prices = subject.module("helpers").in_transaction, subject.module().prices
    pool = _Pool(subject)
    assert subject.wait(run(pool.of_driver, prices))[0].added == moments[0]


def test_a_date_that_is_none_is_an_error_and_the_connection_lives_on(subject: Subject) -> None:
    subject.wait(subject.db.execute("INSERT INTO born VALUES (1, '2024-02-29')"))
    assert subject.call("days") == [date(2024, 2, 29)]
    subject.wait(subject.db.execute("SET sql_mode = ''"))
    subject.wait(subject.db.execute("INSERT INTO born VALUES (2, '0000-00-00')"))
    for db in (subject.db, on(subject), subject.db):
        with pytest.raises(ValueError, match="0000-00-00"):
            subject.wait(subject.module().days(db))
    assert subject.call("count_authors") == 0


def test_the_code_is_formatted_and_imports_what_it_uses(subject: Subject) -> None:
    assert complaints(Path(subject.module().__file__ or "").parent) == ""
