"""Calls of the generated functions on a real server."""

import sys


def new(cls, *values):
    """Make an object of a class of any model, some of which take keyword arguments only."""
    return cls(**dict(zip(cls.__annotations__, values, strict=True)))


async def run(db, queries):
    models = sys.modules[queries.__package__ + ".models"]
    await db.execute("INSERT INTO country VALUES ('fr', 'France')")
    await db.execute(
        "INSERT INTO author VALUES (1, 'b', 'fr'), (2, 'a', NULL), (3, 'b', NULL)"
    )
    await db.execute("INSERT INTO book VALUES (1, 1, 'Y'), (2, 1, 'X'), (3, 3, 'Z')")
    await db.execute("INSERT INTO review VALUES (1, 1, 5), (2, 1, 4), (3, 3, 1)")
    await db.execute("INSERT INTO award VALUES (1, 2001, 'first'), (1, 2000, NULL)")
    books = [
        new(models.Book, 1, 1, "Y"),
        new(models.Book, 2, 1, "X"),
        new(models.Book, 3, 3, "Z"),
    ]
    reviews = [
        new(models.Review, 1, 1, 5),
        new(models.Review, 2, 1, 4),
        new(models.Review, 3, 3, 1),
    ]
    awards = [new(models.Award, 1, 2000, None), new(models.Award, 1, 2001, "first")]
    assert await queries.list_authors(db) == [
        new(queries.ListAuthorsRow, 2, "a", []),
        new(queries.ListAuthorsRow, 1, "b", [books[1], books[0]]),
        new(queries.ListAuthorsRow, 3, "b", [books[2]]),
    ]
    assert await queries.get_author(db, id=1) == new(
        queries.GetAuthorRow,
        1,
        "France",
        [
            new(queries.GetAuthorBook, 2, 1, "X", []),
            new(queries.GetAuthorBook, 1, 1, "Y", reviews[:2]),
        ],
        awards,
    )
    assert await queries.get_author(db, id=9) is None
    async with db.transaction():
        streamed = [row async for row in queries.stream_authors(db, chunk=2)]
    assert streamed == [
        new(
            queries.StreamAuthorsRow,
            new(models.Author, 1, "b", "fr"),
            reviews[:2],
            awards,
        ),
        new(
            queries.StreamAuthorsRow, new(models.Author, 3, "b", None), reviews[2:], []
        ),
    ]
    only = await queries.only_author(db)
    assert (only.books, only.books_2) == (3, books)
    first = await queries.list_first_books(db)
    assert [[book.title for book in row.books] for row in first] == [["X"], [], ["Z"]]
