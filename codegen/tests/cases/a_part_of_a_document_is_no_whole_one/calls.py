"""A patch is a document of its own: the class of the column would name what it omits."""


async def run(db, queries):
    await db.execute("""INSERT INTO shop VALUES (1, '{"open": true, "rows": 5}')""")
    assert await queries.patch_settings(db, patch='{"rows": 6}', id=1) == {"open": True, "rows": 6}
    assert await queries.find_by_settings(db, wanted='{"open": true}') == [1]
