"""Totals over all groups have no embedded row."""

import sys


async def run(db, queries):
    models = sys.modules[queries.__package__ + ".models"]
    await db.execute("INSERT INTO author VALUES (1, 'Ann', NULL), (2, 'Bob', 'b')")
    await db.execute(
        "INSERT INTO book VALUES (1, 1, 'x', 3), (2, 1, 'y', 4), (3, 2, 'x', 5)"
    )
    ann, bob = models.Author(1, "Ann", None), models.Author(2, "Bob", "b")
    totals = await queries.list_totals(db)
    assert [(row.author, row.total) for row in totals] == [
        (ann, 7),
        (bob, 5),
        (None, 12),
    ]
    report = await queries.list_report(db)
    assert [(row.author, row.genre, row.books) for row in report] == [
        (ann, None, 2),
        (bob, None, 1),
        (None, "x", 2),
        (None, "y", 1),
        (None, None, 3),
    ]
    nothing = await queries.list_report(db, least=9)
    assert [(row.author, row.genre, row.books) for row in nothing] == [(None, None, 0)]
    genres = await queries.list_genres(db)
    assert [(row.author, row.genre, row.books) for row in genres] == [
        (ann, "x", 1),
        (ann, "y", 1),
        (ann, None, 2),
        (bob, "x", 1),
        (bob, None, 1),
    ]
