"""What the generated functions do on MySQL alone, with every driver of it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, get_type_hints

import pytest
from aiosqlc.contract.conforms import unlike

from tests.drivers.connecting_mysql import ON_MYSQL, on
from tests.drivers.running import Pool, Subject

pytestmark = [
    pytest.mark.usefixtures("empty"),
    pytest.mark.parametrize("subject", ON_MYSQL, ids="-".join, indirect=True, scope="module"),
]


def test_a_percent_sign_and_a_colon_mean_themselves(subject: Subject) -> None:
    for name in ("ann", "50%", "500", ":n", "n"):
        subject.add(name)
    assert subject.call("count_authors") == 3


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


def test_an_embed_is_there_only_if_it_is_in_every_text_of_its_query(subject: Subject) -> None:
    subject.add("ann")
    subject.add("alone", bio="x")
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
    subject.add()
    with pytest.raises(errors.AuthorNameKey, match=r"'.*name'") as raised:
        subject.add()
    assert isinstance(raised.value, errors.IntegrityError)
    assert (raised.value.args[0], raised.value.sqlstate) == (1062, "23000")
    with pytest.raises(errors.AuthorScoreCheck):
        subject.add("b", score=-1)
    with pytest.raises(errors.AuthorScoreCheck):
        subject.call("rescore", id=1, score=-1)
    assert subject.call("list_authors")[0].score is None
    with pytest.raises(errors.AuthorNameNotNull, match="'name'") as raised:
        subject.add(None)  # as one without a type checker may
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
    subject.add()
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
    subject.add()
    subject.add("b")
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


_MOVED = (  # what both say where a foreign key's action changes a row
    "Foreign key constraint for table 'x', record '2' would lead to a duplicate entry in"
    " table '{}', key '{}'"
)


def test_what_mysql_says_is_understood_as_what_mariadb_says(subject: Subject) -> None:
    """MySQL names the table of a key, and of a check the name alone."""
    errors = subject.module("errors")
    said = {
        (1062, "Duplicate entry 'x' for key 'author.name'"): errors.AuthorNameKey,
        (1062, "Duplicate entry '1' for key 'author.PRIMARY'"): errors.AuthorPkey,
        (1062, "Duplicate entry 'author.name' for key 'other.name'"): errors.IntegrityError,
        (1062, "Duplicate entry '1' for key 'PRIMARY'"): errors.IntegrityError,
        (1761, _MOVED.format("author", "name")): errors.AuthorNameKey,
        (1761, _MOVED.format("other", "name")): errors.IntegrityError,
        (3819, "Check constraint 'stray_check' is violated."): errors.ABCDStrayCheck,
        (3819, "Check constraint 'other' is violated."): errors.IntegrityError,
    }
    found = {args: type(errors.constraint_error(errors.IntegrityError(*args))) for args in said}
    assert found == said


def test_what_violates_nothing_comes_as_it_came(subject: Subject) -> None:
    errors = subject.module("errors")
    with pytest.raises(errors.DatabaseError) as raised:
        subject.add("x" * 51)
    assert type(raised.value).__module__ == errors.DatabaseError.__module__
    assert raised.value.args[0] == 1406


def test_a_pool_s_connection_reads_as_any_other(subject: Subject) -> None:
    moments = books(subject, 1)
    run, prices = subject.module("helpers").in_transaction, subject.module().prices
    pool = Pool(subject)
    assert subject.wait(run(pool, prices))[0].added == moments[0]


def test_a_date_that_is_none_is_an_error_and_the_connection_lives_on(subject: Subject) -> None:
    subject.wait(subject.db.execute("INSERT INTO born VALUES (1, '2024-02-29')"))
    assert subject.call("days") == [date(2024, 2, 29)]
    subject.wait(subject.db.execute("SET sql_mode = ''"))
    subject.wait(subject.db.execute("INSERT INTO born VALUES (2, '0000-00-00')"))
    for db in (subject.db, on(subject), subject.db):
        with pytest.raises(ValueError, match="0000-00-00"):
            subject.wait(subject.module().days(db))
    assert subject.call("count_authors") == 0


def _as_annotated(subject: Subject, name: str, **values: object) -> list[Any]:
    """Call a function whose rows must be what its signature says."""
    rows: list[Any] = subject.call(name, **values)
    function = getattr(subject.module(), name)
    said = get_type_hints(function)["return"]
    assert unlike(rows, said) == ""
    return rows


def test_a_call_gives_the_rows_of_its_procedure_and_leaves_the_connection_ready(
    subject: Subject,
) -> None:
    moments = books(subject, 3)
    rows = _as_annotated(subject, "books_by", author=1, at_most=2)
    assert [(row.id, row.title, row.price) for row in rows] == [
        (0, "t'0\\", None), (1, "t'1\\", Decimal("1.50")),
    ]  # fmt: skip
    assert [(row.added, row.found, row.asked) for row in rows] == [(m, 3, 1) for m in moments]
    assert _as_annotated(subject, "books_by", author=9, at_most=2) == []
    assert len(subject.call("prices")) == 3


def test_what_show_returns_has_types(subject: Subject) -> None:
    assert {"author", "book"} < set(_as_annotated(subject, "show_tables"))
    (author,) = _as_annotated(subject, "show_author")
    assert author.create_table.startswith("CREATE TABLE `author`")
    assert {type(row.id) for row in _as_annotated(subject, "show_processes")} == {int}
    _as_annotated(subject, "show_warnings")
