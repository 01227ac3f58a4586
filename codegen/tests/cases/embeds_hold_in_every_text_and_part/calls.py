"""What the generated functions must return on a real server."""


async def run(db, queries):
    await db.execute("INSERT INTO author VALUES (1, 'ann', NULL), (2, 'bob', 'x')")
    await db.execute("INSERT INTO book VALUES (7, 1, 't')")
    found = await queries.pairs(db)
    assert [row.author.id for row in found] == [1, 2]
    assert (found[0].book.id, found[1].book) == (7, None)
    assert [row.book.id for row in await queries.pairs(db, book_id=7)] == [7]
    found = await queries.noted(db)
    assert [row.other.other_id for row in found] == [1, 2]
    found = await queries.noted(db, note="x")
    assert (found[0].other, found[1].other.other_id) == (None, 2)
    found = await queries.both(db, first=2)
    assert [(row.author.name, row.part) for row in found] == [("bob", 1), ("ann", 2), ("bob", 2)]
    assert len(await queries.both(db, first=2, last=1)) == 2
    assert [(row.author.id, row.book.id) for row in await queries.three(db)] == [(1, 7)]
    assert [row.author.id for row in await queries.more(db)] == [1, 2]
    found = await queries.more(db, more=True)
    assert [(row.author.id, row.part) for row in found] == [(1, 1), (2, 1), (2, 2)]
