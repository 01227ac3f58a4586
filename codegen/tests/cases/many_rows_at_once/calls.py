"""What the generated functions must do on a real server."""

import sys


async def run(db, queries):
    models = sys.modules[queries.__package__ + ".models"]
    rows = [
        queries.CopyItemsParams(1, "one", models.Kind.A, ["x", "y"]),
        queries.CopyItemsParams(2, "two", None, None),
        queries.CopyItemsParams(3, "three", models.Kind.A, []),
    ]
    assert await queries.copy_items(db, rows) == 3
    renames = [queries.RenameAllParams(name="uno", id=1), queries.RenameAllParams(name="no", id=9)]
    assert await queries.rename_all(db, renames) is None
    found = await queries.find_all(db, [1, 9])
    assert found == [models.Item(1, "uno", models.Kind.A, ["x", "y"]), None]
    assert await queries.find_names(db, iter([2, 9])) == ["two", None]
    [by_a, by_b] = await queries.list_by_kind(db, [models.Kind.A, models.Kind.B])
    assert ([row.name for row in by_a], by_b) == (["uno", "three"], [])
    async with db.transaction():
        streamed = [row.id async for row in queries.stream_items(db, least=2, chunk=1)]
        assert streamed == [2, 3]
        assert [name async for name in queries.stream_names(db)] == ["uno", "two", "three"]
    assert await queries.rename(db, name="same") == "UPDATE 3"
    assert await queries.copy_ids(db, ["four", "five"]) == 2
    assert await db.fetchval("SELECT count(*) FROM item WHERE name IN ('four', 'five')") == 2
