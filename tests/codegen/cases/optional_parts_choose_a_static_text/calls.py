"""What the generated functions must do on a real server."""

from msgspec import UNSET


async def run(db, queries):
    await db.execute(
        "INSERT INTO task VALUES (1, 'a', 'open', 'n', false, 5), (2, 'b', 'done', NULL, true, 1)"
    )

    async def ids(**arguments):
        return [row.id for row in await queries.list_tasks(db, page_size=9, **arguments)]

    assert await ids() == [1, 2]
    assert await ids(status="done") == [2]
    assert await ids(status="open", pattern="b%") == []
    assert await ids(hide_deleted=True) == [1]
    assert await ids(sort="title desc") == [2, 1]
    assert await ids(sort="changed", pattern="%") == [2, 1]
    assert await queries.count_tasks(db) == 2
    assert await queries.count_tasks(db, status="open") == 1
    task = await queries.patch_task(db, id=1)
    assert (task.title, task.note, task.changed) == ("a", "n", 6)
    task = await queries.patch_task(db, id=1, note=None)
    assert (task.title, task.note, task.changed) == ("a", None, 7)
    task = await queries.patch_task(db, id=1, title="z", note="m")
    assert (task.title, task.note, task.changed) == ("z", "m", 8)
    assert await queries.patch_task(db, id=9, title="z", note=UNSET) is None
