"""`sqlc.nest` returns the same lists of joined rows as a loop over the stored rows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pydantic
import pytest
from aiosqlc.config.project import ModelKind
from hypothesis import example, given
from hypothesis import strategies as st

from tests.drivers.connecting import POSTGRES
from tests.drivers.connecting_mysql import MYSQL
from tests.drivers.running import Engine, Subject, complaints, trying

SCHEMA = """
CREATE TABLE country (code varchar(2) PRIMARY KEY, name varchar(9) NOT NULL);
CREATE TABLE author (
    id int PRIMARY KEY, name varchar(9) NOT NULL, bio varchar(9), country varchar(2)
);
CREATE TABLE book (id int PRIMARY KEY, author_id int NOT NULL, title varchar(9) NOT NULL);
CREATE TABLE review (id int PRIMARY KEY, book_id int, score int);
CREATE TABLE award (
    author_id int NOT NULL, year int NOT NULL, title varchar(9), PRIMARY KEY (author_id, year)
);
CREATE TABLE written (
    author_id int NOT NULL, book_id int NOT NULL, role varchar(9) NOT NULL,
    PRIMARY KEY (author_id, book_id, role)
);
CREATE VIEW named AS SELECT id, name FROM author;
CREATE VIEW sold AS
    SELECT b.id AS book, b.author_id, b.title, a.name
    FROM book b JOIN author a ON a.id = b.author_id;
"""
DEEP = """
SELECT a.id, a.name, c.name AS country, sqlc.nest(b) AS books, sqlc.nest(r) AS books.reviews,
    sqlc.nest(w) AS awards
FROM author a
LEFT JOIN country c ON c.code = a.country
LEFT JOIN book b ON b.author_id = a.id
LEFT JOIN review r ON r.book_id = b.id
LEFT JOIN award w ON w.author_id = a.id
"""
ORDER = "ORDER BY a.name, a.id, b.title, b.id, r.score DESC, r.id, w.year DESC"
QUERIES = f"""
-- name: Flat :many
SELECT a.id, a.bio, sqlc.nest(b) AS books
FROM author a LEFT JOIN book b ON b.author_id = a.id
ORDER BY a.name, a.id, b.title, b.id;

-- name: Deep :many
{DEEP} {ORDER};

-- name: DeepOne :one
{DEEP} WHERE a.id = sqlc.arg(id) {ORDER};

-- name: Streamed :stream
{DEEP} {ORDER};

-- name: StreamedFlat :stream
SELECT a.*, sqlc.nest(b) AS books
FROM author a JOIN book b ON b.author_id = a.id
ORDER BY a.id, b.id;

-- name: ByTitle :many
SELECT a.id, sqlc.nest(b) AS books
FROM author a JOIN book b ON b.author_id = a.id
ORDER BY b.title, b.id;

-- name: Shared :many
SELECT a.id, sqlc.nest(b) AS books
FROM author a LEFT JOIN written w ON w.author_id = a.id LEFT JOIN book b ON b.id = w.book_id
ORDER BY a.id, b.id;

-- name: Limited :many
SELECT a.id, a.name, sqlc.nest(b) AS books
FROM (SELECT id, name FROM author ORDER BY id LIMIT 2) AS a
LEFT JOIN book b ON b.author_id = a.id
ORDER BY a.id, b.id;

-- name: Chosen :many
SELECT a.id, sqlc.nest(b) AS books
FROM author a LEFT JOIN book b ON b.author_id = a.id
    AND b.title <> sqlc.arg(other) -- :if other
WHERE a.id > 0
    AND a.name = sqlc.arg(name) -- :if name
ORDER BY
    a.id DESC, -- :sort a.id desc, a.name
    a.id, b.id;

-- name: Calculated :many
SELECT a.id, (SELECT count(*) FROM book x WHERE x.author_id = a.id) AS written,
    coalesce(a.bio, a.name) AS bio, sqlc.nest(b) AS books,
    CASE WHEN EXISTS (SELECT 1 FROM award x WHERE x.author_id = a.id) THEN 'y' ELSE 'n' END AS won
FROM author a LEFT JOIN (SELECT id, author_id, upper(title) AS loud FROM book) AS b
    ON b.author_id = a.id
ORDER BY a.id, b.id;

-- name: Embedded :many
SELECT sqlc.embed(a) AS author, sqlc.embed(c) AS country, sqlc.nest(b) AS books
FROM author a LEFT JOIN country c ON c.code = a.country LEFT JOIN book b ON b.author_id = a.id
ORDER BY a.id, b.id;

-- name: Varying :many
SELECT a.id, c.name AS country, sqlc.nest(b) AS books
FROM author a JOIN book b ON b.author_id = a.id
LEFT JOIN country c ON c.code = a.country AND b.title = 'a'
ORDER BY a.id, b.id;

-- name: Beside :many
SELECT a.id, sqlc.nest(b) AS books, sqlc.nest(r) AS books.reviews
FROM author a JOIN book b ON b.id >= a.id
LEFT JOIN review r ON r.id = b.author_id AND r.book_id = a.id
ORDER BY a.id, b.id, r.id;

-- name: Orphans :many
SELECT a.id, a.name, sqlc.nest(b) AS books
FROM book b LEFT JOIN author a ON a.id = b.author_id
ORDER BY b.id;

-- name: Sometimes :many
SELECT a.id, sqlc.nest(b) AS books, sqlc.nest(r) AS reviews
FROM book b JOIN review r ON r.score <= b.id
LEFT JOIN author a ON a.id = b.author_id AND a.id = r.score
ORDER BY b.id, r.id;

-- name: OfViews :many
SELECT n.id, n.name, sqlc.nest(s) AS books
FROM named n LEFT JOIN sold s ON s.author_id = n.id
ORDER BY n.id, s.book;

-- name: Above :many
SELECT c.*, sqlc.nest(a) AS authors, sqlc.nest(b) AS authors.books,
    sqlc.nest(r) AS authors.books.reviews
FROM review r JOIN book b ON b.id = r.book_id JOIN author a ON a.id = b.author_id
RIGHT JOIN country c ON c.code = a.country
ORDER BY c.code, a.id, b.id, r.id;
"""
Stored = Mapping[str, list[dict[str, Any]]]
COLUMNS = {
    "country": ("code", "name"),
    "author": ("id", "name", "bio", "country"),
    "book": ("id", "author_id", "title"),
    "review": ("id", "book_id", "score"),
    "award": ("author_id", "year", "title"),
    "written": ("author_id", "book_id", "role"),
}
_letter = st.sampled_from("abc")
_maybe = st.none() | _letter
_number = st.integers(1, 4)


def _rows(table: str, *values: st.SearchStrategy[Any], keys: int = 1) -> st.SearchStrategy[Any]:
    """The rows of a table; the first columns are its key."""
    row = st.tuples(*values)
    rows = st.lists(row, max_size=6, unique_by=lambda row: row[:keys])
    return rows.map(lambda found: [dict(zip(COLUMNS[table], row, strict=True)) for row in found])


STORED = st.fixed_dictionaries(
    {
        "country": _rows("country", _letter, _letter),
        "author": _rows("author", _number, _letter, _maybe, _maybe),
        "book": _rows("book", st.integers(1, 9), st.integers(1, 5), _letter),
        "review": _rows("review", st.integers(1, 9), st.none() | st.integers(1, 9), _number),
        "award": _rows("award", _number, _number, _maybe, keys=2),
        "written": _rows("written", _number, st.integers(1, 9), _letter, keys=3),
    }
)


FIXED: Stored = {
    table: [dict(zip(COLUMNS[table], row, strict=True)) for row in rows]
    for table, rows in {
        "country": [("a", "x"), ("b", "y")],
        "author": [(1, "b", None, "a"), (2, "a", "c", "c"), (3, "c", "a", "b")],
        "book": [(1, 1, "a"), (2, 1, "b"), (3, 3, "a"), (4, 5, "c")],
        "review": [(1, 1, 2), (2, 1, 3), (3, None, 1), (4, 3, 1)],
        "award": [(1, 1, None), (1, 2, "b"), (2, 1, "c")],
        "written": [(1, 1, "a"), (1, 1, "b"), (2, 1, "a"), (2, 9, "a")],
    }.items()
}


def of(rows: list[dict[str, Any]], order: Callable[[dict[str, Any]], Any], **where: Any) -> Any:
    """Return copies of the rows with these values, in order."""
    wanted = [r for r in rows if all(r[k] == v is not None for k, v in where.items())]
    return [dict(row) for row in sorted(wanted, key=order)]


def _id(row: dict[str, Any]) -> Any:
    return row["id"]


def _title(row: dict[str, Any]) -> Any:
    return row["title"], row["id"]


def flat(stored: Stored) -> list[Any]:
    return [
        {"id": a["id"], "bio": a["bio"], "books": of(stored["book"], _title, author_id=a["id"])}
        for a in of(stored["author"], lambda a: (a["name"], a["id"]))
    ]


def deep(stored: Stored) -> list[Any]:
    found = []
    for a in of(stored["author"], lambda a: (a["name"], a["id"])):
        books = of(stored["book"], _title, author_id=a["id"])
        for book in books:
            book["reviews"] = of(
                stored["review"], lambda r: (-r["score"], r["id"]), book_id=book["id"]
            )
        countries = of(stored["country"], lambda c: c["code"], code=a["country"])
        found.append(
            {
                "id": a["id"],
                "name": a["name"],
                "country": countries[0]["name"] if countries else None,
                "books": books,
                "awards": of(stored["award"], lambda w: -w["year"], author_id=a["id"]),
            }
        )
    return found


def of_views(stored: Stored) -> list[Any]:
    return [
        {
            "id": a["id"],
            "name": a["name"],
            "books": [
                {"book": b["id"], "author_id": a["id"], "title": b["title"], "name": a["name"]}
                for b in of(stored["book"], _id, author_id=a["id"])
            ],
        }
        for a in of(stored["author"], _id)
    ]


def streamed_flat(stored: Stored) -> list[Any]:
    found = [
        {**a, "books": of(stored["book"], _id, author_id=a["id"])}
        for a in of(stored["author"], _id)
    ]
    return [row for row in found if row["books"]]


def by_title(stored: Stored) -> list[Any]:
    known = {a["id"] for a in stored["author"]}
    books = [book for book in of(stored["book"], _title) if book["author_id"] in known]
    return [
        {"id": id_, "books": [book for book in books if book["author_id"] == id_]}
        for id_ in dict.fromkeys(book["author_id"] for book in books)
    ]


def shared(stored: Stored) -> list[Any]:
    return [
        {
            "id": a["id"],
            "books": [
                book
                for book in of(stored["book"], _id)
                if of(stored["written"], lambda w: w["role"], author_id=a["id"], book_id=book["id"])
            ],
        }
        for a in of(stored["author"], _id)
    ]


def limited(stored: Stored) -> list[Any]:
    return [
        {"id": a["id"], "name": a["name"], "books": of(stored["book"], _id, author_id=a["id"])}
        for a in of(stored["author"], _id)[:2]
    ]


def calculated(stored: Stored) -> list[Any]:
    found = []
    for a in of(stored["author"], _id):
        books = of(stored["book"], _id, author_id=a["id"])
        for book in books:
            book["loud"] = book.pop("title").upper()
        bio = a["name"] if a["bio"] is None else a["bio"]
        won = "y" if of(stored["award"], lambda w: w["year"], author_id=a["id"]) else "n"
        row = {"id": a["id"], "written": len(books), "bio": bio, "books": books, "won": won}
        found.append(row)
    return found


def embedded(stored: Stored) -> list[Any]:
    found = []
    for a in of(stored["author"], _id):
        countries = of(stored["country"], lambda c: c["code"], code=a["country"])
        books = of(stored["book"], _id, author_id=a["id"])
        found.append({"author": a, "country": next(iter(countries), None), "books": books})
    return found


def varying(stored: Stored) -> list[Any]:
    """The country belongs to an author only beside books with one title."""
    found: dict[Any, Any] = {}
    for a in of(stored["author"], _id):
        countries = of(stored["country"], lambda c: c["code"], code=a["country"])
        for book in of(stored["book"], _id, author_id=a["id"]):
            country = countries[0]["name"] if countries and book["title"] == "a" else None
            row = {"id": a["id"], "country": country, "books": []}
            found.setdefault((a["id"], country), row)["books"].append(book)
    return list(found.values())


def beside(stored: Stored) -> list[Any]:
    found = []
    for a in of(stored["author"], _id):
        books = [book for book in of(stored["book"], _id) if book["id"] >= a["id"]]
        for book in books:
            book["reviews"] = of(stored["review"], _id, id=book["author_id"], book_id=a["id"])
        found += [{"id": a["id"], "books": books}] if books else []
    return found


def orphans(stored: Stored) -> list[Any]:
    found: dict[Any, Any] = {}
    names = {a["id"]: a["name"] for a in stored["author"]}
    for book in of(stored["book"], _id):
        known = book["author_id"] if book["author_id"] in names else None
        row = {"id": known, "name": names.get(known), "books": []}
        found.setdefault(known, row)["books"].append(book)
    return list(found.values())


def sometimes(stored: Stored) -> list[Any]:
    """A book has its author only beside some reviews, so the list without an author has it too."""
    found: dict[Any, Any] = {}
    known = {a["id"] for a in stored["author"]}
    for book in of(stored["book"], _id):
        for review in of(stored["review"], _id):
            if review["score"] <= book["id"]:
                author = book["author_id"]
                author = author if author in known and author == review["score"] else None
                row = found.setdefault(author, {"id": author, "books": [], "reviews": []})
                row["books"] += [] if book in row["books"] else [book]
                row["reviews"] += [] if review in row["reviews"] else [review]
    return list(found.values())


def above(stored: Stored) -> list[Any]:
    found = []
    for c in of(stored["country"], lambda c: c["code"]):
        authors = []
        for a in of(stored["author"], _id, country=c["code"]):
            books = []
            for book in of(stored["book"], _id, author_id=a["id"]):
                reviews = of(stored["review"], _id, book_id=book["id"])
                books += [{**book, "reviews": reviews}] if reviews else []
            authors += [{**a, "books": books}] if books else []
        found.append({**c, "authors": authors})
    return found


EXPECTED: dict[str, Callable[[Stored], list[Any]]] = {
    "flat": flat,
    "deep": deep,
    "streamed": deep,
    "streamed_flat": streamed_flat,
    "by_title": by_title,
    "shared": shared,
    "limited": limited,
    "calculated": calculated,
    "embedded": embedded,
    "above": above,
    "varying": varying,
    "beside": beside,
    "of_views": of_views,
    "orphans": orphans,
    "sometimes": sometimes,
}


def plain(value: Any) -> Any:
    """Return a row of any model as a dictionary, and also the rows inside."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, pydantic.BaseModel):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if attrs.has(type(value)):
        return {
            field.name: plain(getattr(value, field.name)) for field in attrs.fields(type(value))
        }
    fields = getattr(value, "__dataclass_fields__", None)
    if fields:
        return {name: plain(getattr(value, name)) for name in fields}
    return value


@contextmanager
def made(engine: Engine, driver: str, folder: Path, options: str) -> Iterator[Subject]:
    with (
        engine.compiled(folder, driver, texts=(SCHEMA, QUERIES), options=options) as package,
        engine.database(SCHEMA) as url,
        engine.connected(driver, package, url) as found,
    ):
        yield found


def store(subject: Subject, stored: Stored) -> None:
    for table, rows in stored.items():
        subject.wait(subject.db.execute(f"DELETE FROM {table}"))
        for row in rows:
            values = ", ".join("NULL" if value is None else repr(value) for value in row.values())
            subject.wait(subject.db.execute(f"INSERT INTO {table} VALUES ({values})"))


def check(subject: Subject, stored: Stored, chunk: int) -> None:
    store(subject, stored)
    for name, expected in EXPECTED.items():
        more = {"chunk": chunk} if name.startswith("streamed") else {}
        with subject.streaming():
            assert plain(subject.call(name, **more)) == expected(stored), name
    everything = {row["id"]: row for row in deep(stored)}
    for number in range(1, 5):
        assert plain(subject.call("deep_one", id=number)) == everything.get(number)
    books = of(stored["book"], _id)
    for name, other in itertools.product(("a", None), ("b", None)):
        options = {"name": name} if name else {}
        options |= {"other": other} if other else {}
        for sort, order in (
            ("id desc", lambda a: -a["id"]),
            ("name", lambda a: (a["name"], a["id"])),
        ):
            found = subject.call("chosen", sort=sort, **options)
            assert plain(found) == [
                {
                    "id": a["id"],
                    "books": [
                        b for b in books if b["author_id"] == a["id"] and b["title"] != other
                    ],
                }
                for a in of(stored["author"], order)
                if name in {None, a["name"]}
            ]


FEW = {"asyncpg", "psycopg-sync", "aiomysql"}
DRIVERS = [
    pytest.param((engine, one), marks=() if one in FEW else pytest.mark.long, id=f"{engine}-{one}")
    for engine, drivers in (("postgres", POSTGRES), ("mysql", MYSQL))
    for one in drivers
]


@pytest.fixture(scope="module", params=DRIVERS)
def subject(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Subject]:
    engine, driver = request.param
    found = request.getfixturevalue(engine)
    folder = tmp_path_factory.mktemp("nested")
    with made(found, driver, folder, "emit_helpers: true") as subject:
        yield subject


@trying(5)
@example(stored=FIXED, chunk=2)
@given(stored=STORED, chunk=st.integers(1, 5))
def test_the_lists_are_those_of_a_loop(subject: Subject, stored: Stored, chunk: int) -> None:
    check(subject, stored, chunk)


@pytest.mark.long
@trying(40)
@given(stored=STORED, chunk=st.integers(1, 5))
def test_the_lists_of_more_rows_are_those_of_a_loop(
    subject: Subject, stored: Stored, chunk: int
) -> None:
    check(subject, stored, chunk)


@pytest.mark.long
@pytest.mark.parametrize("model", list(ModelKind))
def test_every_model_holds_the_lists(model: ModelKind, tmp_path: Path, postgres: Engine) -> None:
    with made(postgres, "asyncpg", tmp_path, f"models: {model}") as subject:
        check(subject, FIXED, 2)


SAME_NAMES = """
-- name: Halls :many
SELECT a.id, sqlc.nest(r) AS {rows}, sqlc.nest(c) AS {rows}.seats
FROM hall a JOIN seat r ON r.hall_id = a.id JOIN seat c ON c.hall_id = r.hall_id
ORDER BY a.id, r.id, c.id;
-- name: Computed :many
SELECT a.id, sqlc.nest(r) AS {rows}
FROM hall a JOIN (SELECT id, hall_id, id * 2 AS twice FROM seat) AS r ON r.hall_id = a.id
ORDER BY a.id, r.id;
-- name: Embedded :many
SELECT sqlc.embed(r) AS {row}, 1 AS one
FROM (SELECT id, id * 2 AS twice FROM seat) AS r ORDER BY id;
-- name: TwoLists :many
SELECT a.id, sqlc.nest(b) AS seat_row, sqlc.nest(c) AS seats, sqlc.nest(d) AS seats.{rows}
FROM hall a JOIN (SELECT id, hall_id, id * 2 AS twice FROM seat) AS b ON b.hall_id = a.id
JOIN seat c ON c.hall_id = a.id
JOIN (SELECT id, hall_id, id * 3 AS thrice FROM seat) AS d ON d.id = c.id
ORDER BY a.id, b.id, c.id, d.id;
"""


@pytest.mark.parametrize(("name", "driver"), [("postgres", "asyncpg"), ("mysql", "pymysql")])
def test_no_two_classes_of_a_query_have_one_name(
    request: pytest.FixtureRequest, name: str, driver: str, tmp_path: Path
) -> None:
    engine: Engine = request.getfixturevalue(name)
    schema = """
    CREATE TABLE hall (id int PRIMARY KEY);
    CREATE TABLE seat (id int PRIMARY KEY, hall_id int NOT NULL);
    """
    quote = "`" if name == "mysql" else '"'
    words = {word: f"{quote}{word}{quote}" for word in ("row", "rows")}
    with (
        engine.compiled(
            tmp_path, driver, texts=(schema, SAME_NAMES.format(**words)), options=""
        ) as package,
        engine.database(schema) as url,
        engine.connected(driver, package, url) as found,
    ):
        assert complaints(tmp_path / package) == ""
        for statement in ("INSERT INTO hall VALUES (1)", "INSERT INTO seat VALUES (1, 1), (2, 1)"):
            found.wait(found.db.execute(statement))
        [hall] = found.call("halls")
        assert type(hall) is not type(hall.rows[0])
        assert [[seat.id for seat in row.seats] for row in hall.rows] == [[1, 2], [1, 2]]
        assert [row.twice for hall in found.call("computed") for row in hall.rows] == [2, 4]
        assert [row.row.twice for row in found.call("embedded")] == [2, 4]
        [hall] = found.call("two_lists")
        assert [seat.twice for seat in hall.seat_row] == [2, 4]
        assert [[row.thrice for row in seat.rows] for seat in hall.seats] == [[3], [6]]


MOMENTS = """
CREATE TABLE moment (at timestamptz PRIMARY KEY);
CREATE TABLE note (id int PRIMARY KEY, at timestamptz NOT NULL);
"""
OF_MOMENTS = """
-- name: Notes :many
SELECT m.at, sqlc.nest(n) AS notes
FROM moment m LEFT JOIN note n ON n.at = m.at ORDER BY m.at, n.id;
-- name: Moments :many
SELECT n.id, sqlc.nest(m) AS moments FROM note n JOIN moment m ON true JOIN moment x ON true
ORDER BY n.id, m.at, x.at;
-- name: Streamed :stream
SELECT m.at, sqlc.nest(n) AS notes
FROM moment m LEFT JOIN note n ON n.at = m.at ORDER BY m.at, n.id;
"""


def test_an_hour_that_a_clock_repeats_has_two_keys(postgres: Engine, tmp_path: Path) -> None:
    """Python compares times of one zone by the clock: 02:30 and, an hour later, 02:30 again."""
    texts = (MOMENTS, OF_MOMENTS)
    with (
        postgres.compiled(tmp_path, "psycopg-sync", texts=texts, options="") as package,
        postgres.database(MOMENTS) as url,
        postgres.connected("psycopg-sync", package, url) as found,
    ):
        found.db.execute("SET TimeZone = 'Europe/Berlin'")
        found.db.execute("INSERT INTO moment VALUES ('2024-10-27 00:30Z'), ('2024-10-27 01:30Z')")
        found.db.execute(
            "INSERT INTO note VALUES (1, '2024-10-27 00:30Z'), (2, '2024-10-27 01:30Z')"
        )
        first, second = (row.at for row in found.call("notes"))
        assert first == second
        assert first.fold != second.fold
        with found.streaming():
            for rows in (found.call("notes"), found.call("streamed")):
                assert [[note.id for note in row.notes] for row in rows] == [[1], [2]]
        assert [len(row.moments) for row in found.call("moments")] == [2, 2]
