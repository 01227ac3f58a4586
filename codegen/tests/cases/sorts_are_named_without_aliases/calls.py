"""What the generated functions must do on a real server."""


async def run(db, queries):
    await db.execute("INSERT INTO task VALUES (1, 'b', NULL), (2, 'a', '2026-05-01')")
    assert await queries.list_tasks(db) == [2, 1]
    assert await queries.list_tasks(db, sort="title desc") == [1, 2]
    assert await queries.list_tasks(db, sort="due desc nulls last", title="b") == [1]
    assert await queries.sort_by_either(db, sort="o.title") == [2, 1]
