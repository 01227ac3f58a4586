"""What the generated methods must do on a real server."""


async def run(db, queries):
    items = queries.Queries(db)
    assert await items.copy_items([queries.CopyItemsParams(1, "one", None, [])]) == 1
    [one] = await items.find_all([1])
    assert one.name == "one"
    async with db.transaction():
        assert [row.id async for row in items.stream_items(least=0)] == [1]
