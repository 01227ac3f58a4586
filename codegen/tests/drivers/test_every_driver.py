"""One suite for the drivers of both engines: generated functions, called on a real server.

It also covers the platform's own pool, which is an executor itself.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.drivers.connecting import ON_POSTGRES
from tests.drivers.connecting_mysql import ON_MYSQL
from tests.drivers.running import Subject

MOMENT = datetime(2024, 2, 29, 1, 2, 3, 4, UTC)

pytestmark = [
    pytest.mark.usefixtures("empty"),
    pytest.mark.parametrize(
        "subject",
        [*ON_POSTGRES, *ON_MYSQL],
        ids="-".join,
        indirect=True,
        scope="module",
    ),
]


def books(subject: Subject, count: int = 7) -> None:
    """Add an author with this number of books."""
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


def test_rows_are_found_among_a_list_of_rows_and_none_in_an_empty_one(subject: Subject) -> None:
    sad, happy = subject.mood.SAD, subject.mood.VERY_HAPPY
    quoted = "b', \"%s\\"
    subject.add("a", mood=sad, score=1)
    subject.add(quoted, mood=happy, score=2)
    subject.add("c", mood=happy)
    assert subject.call("among_pairs", pairs=[(sad, "a"), (happy, quoted), (sad, "c")]) == [1, 2]
    assert subject.call("among_pairs", pairs=((happy, "c"),)) == [3]
    assert subject.call("among_pairs", pairs=[]) == []
    assert subject.call("not_among_pairs", pairs=[(1, "a"), (5, quoted)]) == [2, 3]
    assert subject.call("not_among_pairs", pairs=[(1, "a"), (5, "c")]) == [2]  # NULL is no answer
    assert subject.call("not_among_pairs", pairs=[]) == [1, 2, 3]
    assert subject.call("perhaps_among_pairs", after=1) == [2, 3]
    assert subject.call("perhaps_among_pairs", after=1, pairs=[(sad, "a"), (happy, "c")]) == [3]
    assert subject.call("perhaps_among_pairs", after=0, pairs=[]) == []


def test_a_test_for_null_may_stand_before_what_says_the_type(subject: Subject) -> None:
    for name in ("a", "b"):
        subject.add(name)
    assert subject.call("named_or_all", name=None) == [1, 2]
    assert subject.call("named_or_all", name="b") == [2]


def test_arms_of_an_or_may_be_left_out_and_all_of_them(subject: Subject) -> None:
    sad, happy = subject.mood.SAD, subject.mood.VERY_HAPPY
    for name, mood, score in (("a", sad, 1), ("b", happy, 2), ("c", happy, None)):
        subject.add(name, mood=mood, score=score)
    assert subject.call("find_any") == [1, 2, 3]
    assert subject.call("find_any", name="a") == [1]
    assert subject.call("find_any", mood=happy) == [2, 3]
    assert subject.call("find_any", unscored=True) == [3]
    assert subject.call("find_any", name="a", unscored=True) == [1, 3]
    assert subject.call("find_any", name="a", mood=happy, unscored=True) == [1, 2, 3]


def test_half_of_what_belongs_together_is_refused(subject: Subject) -> None:
    for name in ("a", "b"):
        subject.add(name)
    assert subject.call("page_after") == [1, 2]
    assert subject.call("page_after", mood=subject.mood.SAD, after=1) == [2]
    with pytest.raises(TypeError, match="mood is needed beside after"):
        subject.call("page_after", after=1)
    with pytest.raises(TypeError, match="after is needed beside mood"):
        subject.call("page_after", mood=subject.mood.SAD)


def test_a_dynamic_query_takes_what_its_text_has(subject: Subject) -> None:
    mood = subject.mood
    for name, how in (("anna", mood.SAD), ("bob", mood.SAD), ("hanna", mood.VERY_HAPPY)):
        subject.add(name, mood=how)

    def search(**more: object) -> list[str]:
        return [row.name for row in subject.call("search", page_size=9, **more)]

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
    """PostgreSQL uses a server-side cursor, which exists only in a transaction."""
    books(subject)
    with subject.streaming():
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
