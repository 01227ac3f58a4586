"""The code around generated functions, with the drivers of both engines: hooks, transactions."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.connecting import ON_POSTGRES
from tests.drivers.connecting_mysql import ON_MYSQL
from tests.drivers.running import Pool, Subject, complaints

pytestmark = [
    pytest.mark.usefixtures("empty"),
    pytest.mark.parametrize(
        "subject", [*ON_POSTGRES, *ON_MYSQL], ids="-".join, indirect=True, scope="module"
    ),
]


def test_the_hook_hears_of_every_call(subject: Subject) -> None:
    heard: list[tuple[str, int | None, bool]] = []

    def hook(name: str, _: float, rows: int | None, error: BaseException | None) -> None:
        heard.append((name, rows, error is None))

    observed = subject.module("helpers").Observed(subject.db, hook)
    queries = subject.module()
    given = {"name": "ann", "bio": None, "mood": subject.mood.SAD, "score": None}
    subject.wait(queries.add_author(observed, **given))
    subject.wait(queries.list_authors(observed))
    subject.wait(queries.get_author(observed, id=9))
    subject.wait(queries.rename(observed, name="x", id=1))
    book = queries.CopyBooksParams(1, 1, "t", Decimal(1), datetime(2024, 2, 29, tzinfo=UTC))
    assert subject.wait(queries.copy_books(observed, [book])) == 1
    assert heard == [
        ("AddAuthor", None if subject.on_mysql else 1, True),
        ("ListAuthors", 1, True),
        ("GetAuthor", 0, True),
        ("Rename", 1, True),
        ("CopyBooks", 1, True),
    ]
    with pytest.raises(subject.module("errors").AuthorNameKey):
        subject.wait(queries.add_author(observed, **{**given, "name": "x"}))
    assert heard[-1] == ("AddAuthor", None, False)
    with subject.streaming():
        assert subject.wait(queries.stream_books(observed, author_id=9)) == []
    assert heard[-1] == ("StreamBooks", 0, True)
    subject.wait(queries.books_of(observed, [1]))
    assert heard[-1] == ("BooksOf", 1, True)


LOST = (
    "DO $$ BEGIN RAISE serialization_failure; END $$",
    "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213, MESSAGE_TEXT = 'serialization_failure'",
)


def test_a_transaction_that_lost_a_race_is_run_again_and_no_more_than_it_may(
    subject: Subject,
) -> None:
    tried: list[int] = []
    pool = Pool(subject)
    once = {"name": "once", "bio": None, "mood": subject.mood.SAD, "score": None}

    def blocking(wins_at: int) -> Callable[[Any], int]:
        def work(db: Any) -> int:
            tried.append(len(tried))
            subject.module().add_author(db, **once)
            if len(tried) < wins_at:
                db.execute(LOST[subject.on_mysql])
            return len(tried)

        return work

    def waiting(wins_at: int) -> Callable[[Any], Awaitable[int]]:
        async def work(db: Any) -> int:
            tried.append(len(tried))
            await subject.module().add_author(db, **once)
            if len(tried) < wins_at:
                await db.execute(LOST[subject.on_mysql])
            return len(tried)

        return work

    work = blocking if subject.blocking else waiting
    run = subject.module("helpers").in_transaction
    assert subject.wait(run(pool, work(3), isolation="serializable")) == 3
    [made] = subject.call("list_authors")
    assert (made.name, pool.given_back) == ("once", 3)
    subject.call("forget", id=made.id)
    tried.clear()
    with pytest.raises(Exception, match="serialization_failure"):
        subject.wait(run(pool, work(9), attempts=2))
    assert len(tried) == 2
    assert subject.call("list_authors") == []


def test_a_transaction_runs_on_a_connection_too_and_is_rolled_back(subject: Subject) -> None:
    once = {"name": "once", "bio": None, "mood": subject.mood.SAD, "score": None}

    def blocking(db: Any) -> list[Any]:
        subject.module().add_author(db, **once)
        return list(subject.module().list_authors(db))

    async def waiting(db: Any) -> list[Any]:
        await subject.module().add_author(db, **once)
        return list(await subject.module().list_authors(db))

    def failing(db: Any) -> Any:
        made = (blocking if subject.blocking else waiting)(db)
        return raised() if isinstance(made, list) else awaited(made)

    async def awaited(made: Awaitable[Any]) -> None:
        await made
        raised()

    def raised() -> None:
        raise LookupError

    run = subject.module("helpers").in_transaction
    work = blocking if subject.blocking else waiting
    with pytest.raises(LookupError):
        subject.wait(run(subject.connection, failing))
    assert subject.call("list_authors") == []
    made = subject.wait(run(subject.connection, work, isolation="serializable"))
    assert [author.name for author in made] == ["once"]
    assert len(subject.call("list_authors")) == 1


def test_the_code_is_formatted_and_imports_what_it_uses(subject: Subject) -> None:
    assert complaints(Path(subject.module().__file__ or "").parent) == ""
