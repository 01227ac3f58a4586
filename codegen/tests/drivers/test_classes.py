"""Classes of rows: embedded rows have their given names, and equal names get a number."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.drivers.running import Engine, Subject

SCHEMA = """
CREATE TABLE author (id int PRIMARY KEY, name varchar(20) NOT NULL);
CREATE TABLE book (id int PRIMARY KEY, author_id int NOT NULL, title varchar(20));
CREATE TABLE comment (id int PRIMARY KEY, body varchar(20) NOT NULL);
CREATE TABLE comments (id int PRIMARY KEY, amount int NOT NULL);
"""
QUERIES = """
-- name: Both :many
SELECT sqlc.embed(b) AS volume, sqlc.embed(author) AS writer
FROM book b JOIN author ON author.id = b.author_id;
-- name: Bare :many
SELECT sqlc.embed(b) volume, b.id FROM book b;
-- name: Odd :many
SELECT b.id, sqlc.embed(b) AS {0}Odd Name{0} FROM book b;
-- name: Same :many
SELECT sqlc.embed(b) AS v, sqlc.embed(c) AS v FROM book b JOIN book c ON b.id = c.id;
-- name: Left :many
SELECT sqlc.embed(author) AS writer, sqlc.embed(b) AS volume
FROM author LEFT JOIN book b ON author.id = b.author_id ORDER BY author.id;
-- name: Alone :many
SELECT sqlc.embed(b) AS volume FROM book b
WHERE b.id = sqlc.arg(id) -- :if id
;
-- name: United :many
SELECT sqlc.embed(b) AS volume FROM book b UNION SELECT sqlc.embed(c) AS other FROM book c;
-- name: One :many
SELECT * FROM comment;
-- name: Other :many
SELECT * FROM comments;
-- name: Neither :many
SELECT id FROM comment;
-- name: Nested :many
SELECT sqlc.embed(comments) AS c FROM comments;
"""
ROWS = (
    "INSERT INTO author VALUES (1, 'ann'), (2, 'bob')",
    "INSERT INTO book VALUES (7, 1, 'x')",
    "INSERT INTO comment VALUES (1, 'b')",
    "INSERT INTO comments VALUES (2, 5)",
)


@pytest.mark.parametrize(
    ("name", "driver"),
    [("postgres", "asyncpg"), ("postgres", "psycopg"), ("mysql", "aiomysql")],
)
def test_rows_have_their_names_and_survive_a_new_column(
    name: str, driver: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    engine: Engine = request.getfixturevalue(name)
    texts = (SCHEMA, QUERIES.format("`" if name == "mysql" else '"'))
    with (
        engine.compiled(tmp_path, driver, texts=texts, options="", warned=True) as package,
        engine.database(SCHEMA) as url,
        engine.connected(driver, package, url) as subject,
    ):
        for row in ROWS:
            subject.wait(subject.db.execute(row))
        _called(subject)
        for table in ("author", "book", "comment", "comments"):
            subject.wait(subject.db.execute(f"ALTER TABLE {table} ADD COLUMN more int"))
        if name == "mysql":  # PostgreSQL's drivers keep what they have prepared
            _called(subject)
    with engine.compiled(tmp_path, driver, texts=texts, options="", warned=True) as package:
        text = (tmp_path / package / "queries.py").read_text()
        assert ".*" not in text


def _called(subject: Subject) -> None:
    models = subject.module("models")
    book, ann = models.Book(7, 1, "x"), models.Author(1, "ann")
    (both,) = subject.call("both")
    assert (both.volume, both.writer) == (book, ann)
    (bare,) = subject.call("bare")
    assert (bare.volume, bare.id) == (book, 7)
    (odd,) = subject.call("odd")
    assert (odd.id, odd.odd_name) == (7, book)
    (same,) = subject.call("same")
    assert (same.v, same.v_2) == (book, book)
    assert [(row.writer.id, row.volume) for row in subject.call("left")] == [(1, book), (2, None)]
    assert [row.volume for row in subject.call("alone", id=7)] == [book]
    assert subject.call("alone", id=8) == []
    assert [row.volume for row in subject.call("united")] == [book]
    assert subject.call("one") == [models.Comment(1, "b")]
    assert subject.call("other") == [models.Comment2(2, 5)]
    assert subject.call("neither") == [1]
    assert [row.c for row in subject.call("nested")] == [models.Comment2(2, 5)]


def test_clash_names_both_tables_and_the_query(tmp_path: Path, postgres: Engine) -> None:
    with pytest.raises(AssertionError) as said:
        postgres.compiled(tmp_path, "asyncpg", texts=(SCHEMA, QUERIES.format('"'))).__enter__()
    assert (
        "table `comment` and table `comments` would both have a class `Comment`:"
        " the second class is renamed to `Comment2`"
    ) in str(said.value)


OVERRIDDEN = """
CREATE TABLE tag (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE note (id int PRIMARY KEY, tag text NOT NULL);
"""


def test_table_beside_an_imported_class_of_its_name_gets_a_number(
    tmp_path: Path, postgres: Engine
) -> None:
    (tmp_path / "things.py").write_text("class Tag(str):\n    pass\n")
    texts = (
        OVERRIDDEN,
        "-- name: A :many\nSELECT * FROM tag;\n-- name: B :many\nSELECT * FROM note;\n",
    )
    options = "overrides: [{column: note.tag, type: things.Tag}]"
    with (
        postgres.compiled(
            tmp_path, "asyncpg", texts=texts, options=options, warned=True
        ) as package,
        postgres.database(OVERRIDDEN) as url,
        postgres.connected("asyncpg", package, url) as subject,
    ):
        subject.wait(subject.db.execute("INSERT INTO tag VALUES (1, 'a')"))
        subject.wait(subject.db.execute("INSERT INTO note VALUES (1, 'b')"))
        models = subject.module("models")
        assert subject.call("a") == [models.Tag2(1, "a")]
        assert subject.call("b") == [models.Note(1, models.Tag("b"))]
