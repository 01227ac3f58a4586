"""What the generated functions must do on a real server."""

import sys


async def run(db, queries):
    models = sys.modules[queries.__package__ + ".models"]
    await db.execute("INSERT INTO author VALUES (1, 'Ann', NULL)")
    await db.execute("INSERT INTO book VALUES (1, 1, 'One'), (2, NULL, 'Two')")
    ann = models.Author(1, "Ann", None)
    first, second = await queries.list_books(db)
    assert (first.book, first.author) == (models.Book(1, 1, "One"), ann)
    assert (second.book, second.author) == (models.Book(2, None, "Two"), None)
    [only] = await queries.list_authored_books(db)
    assert (only.title, only.author, only.length) == ("One", ann, 3)
    # No column of a remark shows whether the join found one.
    await db.execute("INSERT INTO author VALUES (2, 'Bob', NULL)")
    await db.execute("INSERT INTO remark VALUES (1, NULL)")
    one, two = await queries.list_remarks(db)
    assert (one.remark, two.remark) == (
        models.Remark(1, None),
        models.Remark(None, None),
    )
