"""The behaviour of generated functions on PostgreSQL only, with each of its drivers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import get_type_hints

import pytest
from aiosqlc.contract.conforms import unlike

from tests.drivers.connecting import ON_POSTGRES
from tests.drivers.running import Subject

pytestmark = [
    pytest.mark.usefixtures("empty"),
    pytest.mark.parametrize("subject", ON_POSTGRES, ids="-".join, indirect=True, scope="module"),
]


@pytest.fixture
def far_from_the_server(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The local clock has New York's time zone, and the session has Kolkata's."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "America/New_York")
        time.tzset()
        subject.wait(subject.connection.execute("SET TIME ZONE 'Asia/Kolkata'"))
        yield
        subject.wait(subject.connection.execute("RESET TIME ZONE"))
    time.tzset()


def test_a_row_that_is_written_comes_back_as_its_class(subject: Subject) -> None:
    given = {"name": "ann", "bio": None, "mood": subject.mood.VERY_HAPPY, "score": 7}
    made = subject.call("add_author", **given)
    assert made == subject.module("models").Author(1, *given.values())


def test_a_list_holds_none_where_a_column_keeps_it(subject: Subject) -> None:
    assert subject.call("add_many", names=["a", "b"], bios=[None, "x"]) == [None, "x"]
    subject.call("add_shape", id=1, at=None, span=None, points=None, scores=[1, None])
    assert subject.call("set_scores", id=1, scores=[None, 7]) == [None, 7]


def test_collected_rows_of_a_table_are_of_its_class(subject: Subject) -> None:
    author = subject.add()
    subject.call(
        "add_book", id=1, author_id=author, title="t", price=None, moods=[subject.mood.SAD]
    )
    (shelf,) = [row.shelf for row in subject.call("shelves_of_all")]
    assert [type(book) for book in shelf] == [subject.module("models").Book]
    assert (shelf[0].title, shelf[0].price, shelf[0].moods) == ("t", None, [subject.mood.SAD])
    row = get_type_hints(subject.module().ShelvesOfAllRow)
    assert (unlike(shelf, row["shelf"]), row["shelf"]) == ("", list[type(shelf[0])])


def test_rows_are_copied_with_nulls_and_instants(subject: Subject) -> None:
    subject.add()
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
    subject.add()
    mood = subject.mood
    params = subject.module().CopyMoodsParams
    rows = [params(id=n, author_id=1, title="t", moods=list(mood)[:n]) for n in range(3)]
    assert subject.call("copy_moods", rows) == 3
    written = [[], [mood.SAD], list(mood)]
    assert [row.moods for row in subject.call("prices")] == written
    assert [row.book.moods for row in subject.call("joined")] == written


def test_copying_is_all_or_nothing(subject: Subject) -> None:
    subject.add()
    params = subject.module().CopyMoodsParams
    rows = [params(id=n % 2, author_id=1, title="t", moods=[]) for n in range(3)]
    with pytest.raises(subject.module("errors").BookPkey):
        subject.call("copy_moods", rows)
    assert subject.call("prices") == []


def test_many_rows_go_in_by_one_statement(subject: Subject) -> None:
    subject.add()
    params = subject.module().AddBooksParams
    assert subject.call("add_books", [params(n, 1, "t") for n in range(5)]) == [0, 1, 2, 3, 4]


def books(subject: Subject, count: int = 7) -> None:
    subject.add()
    params = subject.module().InsertBooksParams
    subject.call("insert_books", [params(id=n, author_id=1, title=f"t{n}") for n in range(count)])


def test_a_batch_that_fails_is_not_run_at_all(subject: Subject) -> None:
    books(subject, 3)
    insert = subject.module().InsertBooksParams
    with pytest.raises(subject.module("errors").BookPkey):
        subject.call("insert_books", [insert(id=n, author_id=1, title="") for n in (7, 8, 0)])
    assert subject.call("title_of", [7, 8]) == [None, None]


def test_a_batch_answers_with_rows_too(subject: Subject) -> None:
    books(subject, 3)
    found = subject.call("book_of", [2, 9])
    assert (found[0].id, found[0].title, found[1]) == (2, "t2", None)
    params = subject.module().BumpedParams
    made = subject.call("bumped", [params(id=n, author_id=1) for n in (50, 51)])
    assert [row.id for row in made] == [50, 51]


def test_of_a_batch_that_fails_what_was_written_stays_but_on_psycopg(subject: Subject) -> None:
    subject.add()
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
    subject.add()
    with pytest.raises(errors.AuthorNameKey, match="author_name_key") as raised:
        subject.add()
    assert isinstance(raised.value, errors.constraint_error.__annotations__["return"])
    given = {"id": 1, "title": "t", "moods": []}
    with pytest.raises(errors.BookAuthorIdFkey):
        subject.call("add_book", author_id=99, price=None, **given)
    with pytest.raises(errors.BookPriceCheck):
        subject.call("add_book", author_id=1, price=Decimal(-1), **given)
    with pytest.raises(errors.BookTitleNotNull, match='"title"'):
        subject.call("add_book", author_id=1, price=None, **{**given, "title": None})
    assert subject.call("count_authors") == 1


def test_a_connection_of_the_users_keeps_its_own_ways(subject: Subject) -> None:
    """The adapter's conversions do not affect other code on the connection."""
    subject.add()
    if subject.driver == "asyncpg":
        assert subject.db is subject.connection
    if not subject.driver.startswith("psycopg"):
        return
    cursor = subject.wait(subject.connection.execute("SELECT '{\"a\": 1}'::jsonb, %s", [5]))
    assert subject.wait(cursor.fetchone()) == ({"a": 1}, 5)


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
    subject.add()
    row = subject.module().CopyBooksParams(id=1, author_id=1, title="x", price=None, added=naive)
    subject.call("copy_books", [row])
    assert subject.call("prices")[0].added == naive.astimezone(UTC)


def test_call_returns_the_output_parameters(subject: Subject) -> None:
    author = subject.add()
    row = subject.call("call_relabel", id=author, name="bob")
    assert (row.name, row.length, row.bio) == ("bob", 3, None)
    hints = get_type_hints(subject.module().CallRelabelRow)
    assert (hints["length"], hints["bio"]) == (int, str | None)
