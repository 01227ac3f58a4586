"""One suite for the drivers of both engines: the generated functions, called on a real server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.codegen.drivers.connecting import ON_POSTGRES, in_transaction
from tests.codegen.drivers.connecting_mysql import ON_MYSQL
from tests.codegen.drivers.running import Pool, Subject, complaints

MOMENT = datetime(2024, 2, 29, 1, 2, 3, 4, UTC)

pytestmark = [
    pytest.mark.usefixtures("empty"),
    pytest.mark.parametrize(
        "subject", [*ON_POSTGRES, *ON_MYSQL], ids="-".join, indirect=True, scope="module"
    ),
]


def books(subject: Subject, count: int = 7) -> None:
    """Add an author with so many books."""
    author = subject.add()
    params = subject.module().CopyBooksParams
    rows = [
        params(id=n, author_id=author, title=f"t{n}", price=None, added=MOMENT)
        for n in range(count)
    ]
    assert subject.call("copy_books", rows) == count


def test_a_row_comes_back_as_its_class(subject: Subject) -> None:
    text = 'it\'s \\ 100% "ok" \n é' + "\0" * subject.on_mysql
    made = subject.add(bio=text, mood=subject.mood.VERY_HAPPY, score=7)
    found = subject.call("get_author", id=made)
    assert made == 1
    assert found == subject.module("models").Author(1, "ann", text, subject.mood.VERY_HAPPY, 7)
    assert type(found.mood) is subject.mood


def test_a_row_that_is_not_there_is_none(subject: Subject) -> None:
    assert subject.call("get_author", id=9) is None
    assert subject.call("name_of", id=9) is None
    assert subject.call("mood_of", id=9) is None


def test_one_value_comes_as_itself(subject: Subject) -> None:
    made = subject.add()
    assert subject.call("count_authors") == 1
    assert subject.call("name_of", id=made) == "ann"
    assert subject.call("mood_of", id=made) is subject.mood.SAD


def test_many_rows_are_a_list_and_none_an_empty_one(subject: Subject) -> None:
    assert subject.call("list_authors") == []
    made = [subject.add(name) for name in ("a", "b", "c")]
    found = subject.call("list_authors")
    assert found == [subject.call("get_author", id=one) for one in made]
    assert [row.name for row in found] == ["a", "b", "c"]


def test_lists_may_be_of_enums_empty_and_any_sequence(subject: Subject) -> None:
    mood = subject.mood
    for name in ("a", "b"):
        subject.add(name)
    assert subject.call("names", ids=[1, 2, 2**40], moods=[mood.SAD]) == ["a", "b"]
    assert subject.call("names", ids=(2,), moods=(mood.SAD, mood.VERY_HAPPY)) == ["b"]
    assert subject.call("names", ids=[], moods=[mood.SAD]) == []


def test_a_dynamic_query_takes_what_its_text_has(subject: Subject) -> None:
    mood = subject.mood
    for name, how in (("anna", mood.SAD), ("bob", mood.SAD), ("hanna", mood.VERY_HAPPY)):
        subject.add(name, mood=how)
    search = lambda **more: [row.name for row in subject.call("search", page_size=9, **more)]  # noqa: E731 - a name for the call
    assert search() == ["anna", "bob", "hanna"]
    assert search(pattern="%nn%") == ["anna", "hanna"]
    assert search(pattern="%nn%", mood=mood.SAD) == ["anna"]
    assert search(sort="name desc") == ["hanna", "bob", "anna"]
    with pytest.raises(ValueError, match="no such sort"):
        search(sort="name; DROP TABLE author")


def test_a_sparse_update_counts_the_rows_it_finds_and_may_set_null(subject: Subject) -> None:
    made = subject.add(bio="old", score=3)
    assert subject.call("patch", id=made, bio=None) == 1
    assert subject.call("patch", id=made, bio=None) == 1
    found = subject.call("get_author", id=made)
    assert (found.bio, found.score) == (None, 3)
    assert subject.call("patch", id=made + 1, score=1) == 0


def test_a_status_is_the_servers(subject: Subject) -> None:
    made = subject.add()
    assert subject.call("rename", name="x", id=made) == "UPDATE 1"
    assert subject.call("forget", id=made) is None
    assert subject.call("list_authors") == []
    assert subject.call("sleep") is None


def test_rows_are_streamed_in_chunks(subject: Subject) -> None:
    """On PostgreSQL by a cursor on the server, which lives in a transaction."""
    books(subject)
    with nullcontext() if subject.on_mysql else in_transaction(subject):
        found = subject.call("stream_books", author_id=1, chunk=3)
        assert [(row.id, row.title) for row in found] == [(n, f"t{n}") for n in range(7)]
        assert found[1].added == MOMENT
        assert subject.call("stream_titles", chunk=2) == [f"t{n}" for n in range(7)]
        assert subject.call("stream_books", author_id=2) == []
    assert subject.call("count_authors") == 1  # the connection is free again


def test_a_batch_answers_each_of_its_arguments(subject: Subject) -> None:
    books(subject, 3)
    params = subject.module().RetitleParams
    subject.call("retitle", [params(title="new", id=n) for n in (0, 2)])
    assert subject.call("title_of", [2, 9, 0]) == ["new", None, "new"]
    assert [[row.id for row in part] for part in subject.call("books_of", [1, 2])] == [
        [0, 1, 2],
        [],
    ]
    subject.call("retitle", [])
    assert subject.call("title_of", []) == []


def test_embeds_are_rows_of_their_own_or_none(subject: Subject) -> None:
    books(subject, 1)
    subject.add("alone")
    found = subject.call("joined")
    assert [(row.author.name, row.book and row.book.title) for row in found] == [
        ("ann", "t0"),
        ("alone", None),
    ]


def test_the_hook_hears_of_every_call(subject: Subject) -> None:
    heard: list[tuple[str, int | None, bool]] = []
    hook = lambda name, _, rows, error: heard.append((name, rows, error is None))  # noqa: E731 - a name for the call
    observed = subject.module("helpers").Observed(subject.db, hook)
    queries = subject.module()
    given = {"name": "ann", "bio": None, "mood": subject.mood.SAD, "score": None}
    subject.wait(queries.add_author(observed, **given))
    subject.wait(queries.list_authors(observed))
    subject.wait(queries.get_author(observed, id=9))
    subject.wait(queries.rename(observed, name="x", id=1))
    book = queries.CopyBooksParams(1, 1, "t", Decimal(1), MOMENT)
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
    with nullcontext() if subject.on_mysql else in_transaction(subject):
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


def test_the_code_is_formatted_and_imports_what_it_uses(subject: Subject) -> None:
    assert complaints(Path(subject.module().__file__ or "").parent) == ""
