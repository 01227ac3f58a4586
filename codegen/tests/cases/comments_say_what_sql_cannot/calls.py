"""What the generated functions must do on a real server."""


async def run(db, queries):
    await db.execute("""INSERT INTO account VALUES (1, '{"a": 1}', '[1, 2]', 1.5)""")
    row = await queries.get_prefs(db, id=1)
    assert (row.prefs, row.extra, row.score) == ({"a": 1}, [1, 2], 1.5)
    assert type(row.score) is float
    await queries.set_prefs(db, prefs={"b": 2}, id=1)
    assert await queries.list_prefs(db) == [{"b": 2}]
    assert await queries.list_maybe(db) == [1]
    [account] = await queries.all_columns(db)
    assert (account.prefs, account.extra) == ('{"b": 2}', [1, 2])
    assert await queries.list_extras(db) == [[1, 2]]
