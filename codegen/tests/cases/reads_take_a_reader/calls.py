"""What the generated functions must do on a real server: a connection is reader and executor."""


async def run(db, queries):
    assert await queries.add_a(db, id=1, name="a") == 1
    found = await queries.get_a(db, id=1)
    assert (found.id, found.name) == (1, "a")
    assert [row.next for row in await queries.list_a(db, sort="id")] == [2]
    assert await queries.names_of(db, [1, 2]) == ["a", None]
    async with db.transaction():
        assert [row.id async for row in queries.each_a(db)] == [1]
        assert [row.id async for row in queries.take_a(db)] == [1]
