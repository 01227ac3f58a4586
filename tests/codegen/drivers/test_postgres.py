"""One suite for every PostgreSQL driver: the generated functions, called on a real server."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from devstack.testing.postgres import TestPostgres
from tests.codegen.drivers.connecting import POSTGRES, connected, in_transaction
from tests.codegen.drivers.running import HERE, Subject, compiled, complaints, package_of
from tests.codegen.golden import analyzer_on


@pytest.fixture(scope="module")
def package(
    postgres_server: TestPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Compile the suite's queries once, for every driver beside the others."""
    url = postgres_server.create_empty()
    drivers = f"[{', '.join(POSTGRES)}]"
    with compiled(tmp_path_factory.mktemp("pg"), drivers, analyzer_on(url)) as package:
        yield package
    postgres_server.drop(url)


@pytest.fixture(scope="module", params=POSTGRES)
def subject(
    request: pytest.FixtureRequest, postgres_server: TestPostgres, package: str
) -> Iterator[Subject]:
    driver, url = request.param, postgres_server.create_empty()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((HERE / "postgres.sql").read_text())
    with connected(driver, package_of(package, driver, POSTGRES), url) as found:
        yield found
    postgres_server.drop(url)


@pytest.fixture(autouse=True)
def empty(subject: Subject) -> None:
    """Each test starts with nothing in the tables."""
    subject.wait(subject.connection.execute("TRUNCATE author, book, shape RESTART IDENTITY"))


def add(subject: Subject, name: str = "ann", **more: Any) -> Any:
    mood = subject.module("models").Mood
    given = {"bio": None, "mood": mood.SAD, "score": None, **more}
    return subject.call("add_author", name=name, **given)


@pytest.fixture
def far_from_the_server(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Our clock shows New York's time, the session's Kolkata's."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "America/New_York")
        time.tzset()
        subject.wait(subject.connection.execute("SET TIME ZONE 'Asia/Kolkata'"))
        yield
        subject.wait(subject.connection.execute("RESET TIME ZONE"))
    time.tzset()


def test_a_row_comes_back_as_its_class(subject: Subject) -> None:
    mood = subject.module("models").Mood
    made = add(subject, bio='it\'s \\ 100% "ok"', mood=mood.VERY_HAPPY, score=7)
    assert made == subject.module("models").Author(1, "ann", made.bio, mood.VERY_HAPPY, 7)
    assert made.bio == 'it\'s \\ 100% "ok"'
    assert subject.call("get_author", id=1) == made
    assert type(subject.call("get_author", id=1).mood) is mood


def test_a_row_that_is_not_there_is_none(subject: Subject) -> None:
    assert subject.call("get_author", id=9) is None
    assert subject.call("name_of", id=9) is None
    assert subject.call("mood_of", id=9) is None


def test_one_value_comes_as_itself(subject: Subject) -> None:
    add(subject)
    assert subject.call("count_authors") == 1
    assert subject.call("name_of", id=1) == "ann"
    assert subject.call("mood_of", id=1) is subject.module("models").Mood.SAD


def test_many_rows_are_a_list_and_none_an_empty_one(subject: Subject) -> None:
    assert subject.call("list_authors") == []
    made = [add(subject, name) for name in ("a", "b", "c")]
    assert subject.call("list_authors") == made


def test_arrays_may_be_of_enums_empty_and_any_sequence(subject: Subject) -> None:
    mood = subject.module("models").Mood
    for name in ("a", "b"):
        add(subject, name)
    assert subject.call("names", ids=[1, 2, 2**40], moods=[mood.SAD]) == ["a", "b"]
    assert subject.call("names", ids=(2,), moods=(mood.SAD, mood.VERY_HAPPY)) == ["b"]
    assert subject.call("names", ids=[], moods=[mood.SAD]) == []


def test_a_dynamic_query_takes_what_its_text_has(subject: Subject) -> None:
    mood = subject.module("models").Mood
    for name, how in (("anna", mood.SAD), ("bob", mood.SAD), ("hanna", mood.VERY_HAPPY)):
        add(subject, name, mood=how)
    search = lambda **more: [row.name for row in subject.call("search", page_size=9, **more)]  # noqa: E731 - a name for the call
    assert search() == ["anna", "bob", "hanna"]
    assert search(pattern="%nn%") == ["anna", "hanna"]
    assert search(pattern="%nn%", mood=mood.SAD) == ["anna"]
    assert search(sort="name desc") == ["hanna", "bob", "anna"]
    with pytest.raises(ValueError, match="no such sort"):
        search(sort="name; DROP TABLE author")


def test_a_sparse_update_counts_and_may_set_null(subject: Subject) -> None:
    add(subject, bio="old", score=3)
    assert subject.call("patch", id=1, bio=None) == 1
    found = subject.call("get_author", id=1)
    assert (found.bio, found.score) == (None, 3)
    assert subject.call("patch", id=2, score=1) == 0


def test_a_status_is_the_servers(subject: Subject) -> None:
    add(subject)
    assert subject.call("rename", name="x", id=1) == "UPDATE 1"
    assert subject.call("forget", id=1) is None
    assert subject.call("count_authors") == 0
    assert subject.call("sleep") is None


def test_rows_are_copied_with_nulls_and_instants(subject: Subject) -> None:
    add(subject)
    params = subject.module().CopyBooksParams
    moments = [datetime(2024, 2, 29, 1, 2, 3, 4, UTC), datetime.max]  # noqa: DTZ901 - infinity
    rows = [
        params(id=n, author_id=1, title=f"t\t{n}\\", price=price, added=moments[n % 2])
        for n, price in enumerate([None, Decimal("1.50"), Decimal("1e20"), Decimal("NaN")])
    ]
    assert subject.call("copy_books", rows) == 4
    found = subject.call("prices")
    assert [row.added for row in found] == [moments[n % 2] for n in range(4)]
    assert [row.price for row in found[:3]] == [None, Decimal("1.50"), Decimal("1e20")]
    assert found[3].price.is_nan()
    infinite = "SELECT count(*) FROM book WHERE NOT isfinite(added)"
    assert _count(subject, infinite) == 2
    assert subject.call("copy_books", []) == 0


def _count(subject: Subject, sql: str) -> int:
    return int(subject.wait(subject.db.fetchval(sql)))


def test_rows_with_arrays_of_enums_are_copied(subject: Subject) -> None:
    add(subject)
    mood = subject.module("models").Mood
    params = subject.module().CopyMoodsParams
    rows = [params(id=n, author_id=1, title="t", moods=list(mood)[:n]) for n in range(3)]
    assert subject.call("copy_moods", rows) == 3
    assert [row.moods for row in subject.call("prices")] == [[], [mood.SAD], list(mood)]


def test_copying_is_all_or_nothing(subject: Subject) -> None:
    add(subject)
    params = subject.module().CopyMoodsParams
    rows = [params(id=n % 2, author_id=1, title="t", moods=[]) for n in range(3)]
    with pytest.raises(subject.module("errors").BookPkey):
        subject.call("copy_moods", rows)
    assert subject.call("prices") == []


def test_many_rows_go_in_by_one_statement(subject: Subject) -> None:
    add(subject)
    params = subject.module().AddBooksParams
    assert subject.call("add_books", [params(n, 1, "t") for n in range(5)]) == [0, 1, 2, 3, 4]


def books(subject: Subject, count: int = 7) -> None:
    add(subject)
    params = subject.module().InsertBooksParams
    subject.call("insert_books", [params(id=n, author_id=1, title=f"t{n}") for n in range(count)])


def test_rows_are_streamed_in_chunks_of_a_cursor_on_the_server(subject: Subject) -> None:
    books(subject)
    with in_transaction(subject):
        found = subject.call("stream_books", author_id=1, chunk=3)
        assert [(row.id, row.title) for row in found] == [(n, f"t{n}") for n in range(7)]
        assert found[0].added == datetime(2024, 1, 1, tzinfo=UTC)
        assert subject.call("stream_titles", chunk=2) == [f"t{n}" for n in range(7)]
        assert subject.call("stream_books", author_id=2) == []


def test_a_batch_is_run_whole_or_not_at_all(subject: Subject) -> None:
    books(subject, 3)
    params = subject.module().RetitleParams
    subject.call("retitle", [params(title="new", id=n) for n in (0, 2)])
    assert subject.call("title_of", [0, 1, 2]) == ["new", "t1", "new"]
    insert = subject.module().InsertBooksParams
    with pytest.raises(subject.module("errors").BookPkey):
        subject.call("insert_books", [insert(id=n, author_id=1, title="") for n in (7, 8, 0)])
    assert subject.call("title_of", [7, 8]) == [None, None]
    subject.call("retitle", [])


def test_a_batch_answers_each_of_its_arguments(subject: Subject) -> None:
    books(subject, 3)
    assert subject.call("title_of", [2, 9, 0]) == ["t2", None, "t0"]
    found = subject.call("book_of", [2, 9])
    assert (found[0].id, found[0].title, found[1]) == (2, "t2", None)
    assert [[row.id for row in part] for part in subject.call("books_of", [1, 2])] == [
        [0, 1, 2],
        [],
    ]
    params = subject.module().BumpedParams
    made = subject.call("bumped", [params(id=n, author_id=1) for n in (50, 51)])
    assert [row.id for row in made] == [50, 51]
    assert subject.call("title_of", []) == []


def test_of_a_batch_that_fails_what_was_written_stays_but_on_psycopg(subject: Subject) -> None:
    add(subject)
    errors, module = subject.module("errors"), subject.module()
    bumped = [module.BumpedParams(id=n, author_id=author) for n, author in ((1, 1), (2, 99))]
    with pytest.raises(errors.BookAuthorIdFkey):
        subject.call("bumped", bumped)
    stays = subject.driver in {"asyncpg", "sqlalchemy"}
    assert subject.call("title_of", [1]) == ["new" if stays else None]
    written = [
        module.InsertBooksParams(id=n, author_id=author, title="t")
        for n, author in ((3, 1), (4, 99))
    ]
    with pytest.raises(errors.BookAuthorIdFkey):
        subject.call("insert_books", written)
    assert subject.call("title_of", [3]) == [None]


def test_embeds_are_rows_of_their_own_or_none(subject: Subject) -> None:
    add(subject, "alone")
    add(subject, "ann")
    mood = subject.module("models").Mood
    subject.call("add_book", id=1, author_id=2, title="t", price=Decimal("0.5"), moods=[mood.SAD])
    found = subject.call("joined")
    assert [(row.author.name, row.book and row.book.title) for row in found] == [
        ("alone", None),
        ("ann", "t"),
    ]
    assert found[1].book.moods == [mood.SAD]


def test_composites_and_arrays_of_them_come_back_equal(subject: Subject) -> None:
    models = subject.module("models")
    plain = models.Point3(1, Decimal("1.50"), 'a, (b) "c" \\ {d}')
    hollow = models.Point3(None, None, None)
    blank = models.Point3(-5, Decimal("NaN"), "")
    span = models.Span("n'", plain, [1, None, 3], [models.Mood.VERY_HAPPY], date(2024, 2, 29))
    made = subject.call(
        "add_shape", id=1, at=plain, span=span, points=[plain, hollow, blank], scores=[1, 2]
    )
    assert repr(made) == repr(models.Shape(1, plain, span, [plain, hollow, blank], [1, 2]))
    empty = models.Span(None, hollow, [], [], None)
    made = subject.call("add_shape", id=2, at=hollow, span=empty, points=[], scores=None)
    assert made == models.Shape(2, hollow, empty, [], None)
    nothing = subject.call("add_shape", id=3, at=None, span=None, points=None, scores=None)
    assert nothing == models.Shape(3, None, None, None, None)


def test_a_violated_constraint_has_its_own_class(subject: Subject) -> None:
    errors = subject.module("errors")
    add(subject)
    with pytest.raises(errors.AuthorNameKey, match="author_name_key") as raised:
        add(subject)
    assert isinstance(raised.value, errors.constraint_error.__annotations__["return"])
    given = {"id": 1, "title": "t", "moods": []}
    with pytest.raises(errors.BookAuthorIdFkey):
        subject.call("add_book", author_id=99, price=None, **given)
    with pytest.raises(errors.BookPriceCheck):
        subject.call("add_book", author_id=1, price=Decimal(-1), **given)
    with pytest.raises(errors.BookTitleNotNull, match='"title"'):
        subject.call("add_book", author_id=1, price=None, **{**given, "title": None})
    assert subject.call("count_authors") == 1


def test_the_hook_hears_of_every_call(subject: Subject) -> None:
    books(subject, 2)
    heard: list[tuple[str, int | None, bool]] = []
    hook = lambda name, _, rows, error: heard.append((name, rows, error is None))  # noqa: E731 - a name for the call
    observed = subject.module("helpers").Observed(subject.db, hook)
    queries = subject.module()
    subject.wait(queries.list_authors(observed))
    subject.wait(queries.get_author(observed, id=9))
    subject.wait(queries.rename(observed, name="x", id=1))
    assert heard == [("ListAuthors", 1, True), ("GetAuthor", 0, True), ("Rename", 1, True)]
    with pytest.raises(subject.module("errors").AuthorNameKey):
        add(subject, "x", bio=None)
    subject.wait(queries.books_of(observed, [1]))
    assert heard[-1] == ("BooksOf", 2, True)


def test_a_connection_of_the_users_keeps_its_own_ways(subject: Subject) -> None:
    """What the adapter reads and writes differently is nothing to other code on the connection."""
    add(subject)
    if subject.driver == "asyncpg":
        assert subject.db is subject.connection
    if not subject.driver.startswith("psycopg"):
        return
    cursor = subject.wait(subject.connection.execute("SELECT '{\"a\": 1}'::jsonb, %s", [5]))
    assert subject.wait(cursor.fetchone()) == ({"a": 1}, 5)


class _Pool:
    """As much of a pool as `in_transaction` asks for: it lends one connection."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        yield self._subject.connection

    def connection(self) -> Any:
        return self._lent() if self._subject.driver.endswith("-sync") else self.acquire()

    @contextmanager
    def _lent(self) -> Iterator[Any]:
        yield self._subject.connection


def test_a_transaction_that_lost_a_race_is_run_again_and_no_more_than_it_may(
    subject: Subject,
) -> None:
    helpers = subject.module("helpers")
    tried: list[int] = []
    lost = "DO $$ BEGIN RAISE serialization_failure; END $$"

    def blocking(wins_at: int) -> Callable[[Any], int]:
        def work(db: Any) -> int:
            tried.append(len(tried))
            subject.module().add_author(
                db, name="once", bio=None, mood=subject.module("models").Mood.SAD, score=None
            )
            if len(tried) < wins_at:
                db.execute(lost)
            return len(tried)

        return work

    def waiting(wins_at: int) -> Callable[[Any], Awaitable[int]]:
        async def work(db: Any) -> int:
            tried.append(len(tried))
            await subject.module().add_author(
                db, name="once", bio=None, mood=subject.module("models").Mood.SAD, score=None
            )
            if len(tried) < wins_at:
                await db.execute(lost)
            return len(tried)

        return work

    work = blocking if subject.driver.endswith("-sync") else waiting
    run = helpers.in_transaction
    assert subject.wait(run(_Pool(subject), work(3), isolation="serializable")) == 3
    assert subject.call("count_authors") == 1
    subject.wait(subject.connection.execute("TRUNCATE author CASCADE"))
    tried.clear()
    with pytest.raises(Exception, match="serialization_failure"):
        subject.wait(run(_Pool(subject), work(9), attempts=2))
    assert len(tried) == 2
    assert subject.call("count_authors") == 0


def test_the_code_is_formatted_and_imports_what_it_uses(subject: Subject) -> None:
    assert complaints(Path(subject.module().__file__ or "").parent) == ""


@pytest.mark.parametrize(
    "naive",
    [
        datetime(2024, 6, 1, 12),  # noqa: DTZ001 - none of these has a zone
        datetime(2024, 3, 10, 2, 30),  # noqa: DTZ001 - skipped by the clocks
        datetime(2024, 11, 3, 1, 30),  # noqa: DTZ001 - shown twice
        datetime(2024, 11, 3, 1, 30, fold=1),  # noqa: DTZ001
        datetime(1850, 1, 1),  # noqa: DTZ001 - an offset with seconds
    ],
    ids=["plain", "skipped", "first of two", "second of two", "before zones"],
)
@pytest.mark.usefixtures("far_from_the_server")
def test_a_time_without_a_zone_is_of_this_machine_whatever_the_session_has(
    subject: Subject, naive: datetime
) -> None:
    found = subject.call("moments", at=naive, many=[naive], plain=naive)
    assert (found.at, found.many) == (naive.astimezone(UTC), [naive.astimezone(UTC)])
    assert found.plain == naive.replace(fold=0)
    add(subject)
    row = subject.module().CopyBooksParams(id=1, author_id=1, title="x", price=None, added=naive)
    subject.call("copy_books", [row])
    assert subject.call("prices")[0].added == naive.astimezone(UTC)
