"""What the generated functions must do on a real server."""

import pytest
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
    with pytest.raises(ValueError, match="no such sort: 'id; drop'"):
        await ids(sort="id; drop")
    assert await queries.count_tasks(db) == 2
    assert await queries.count_tasks(db, status="open") == 1
    task = await queries.patch_task(db, id=1)
    assert (task.title, task.note, task.changed) == ("a", "n", 6)
    task = await queries.patch_task(db, id=1, note=None)
    assert (task.title, task.note, task.changed) == ("a", None, 7)
    task = await queries.patch_task(db, id=1, title="z", note="m")
    assert (task.title, task.note, task.changed) == ("z", "m", 8)
    assert await queries.patch_task(db, id=9, title="z", note=UNSET) is None

    async def after(**arguments):
        return [row.id for row in await queries.tasks_after(db, **arguments)]

    assert await after() == [2, 1]  # ordered by (changed, id): (1, 2), (8, 1)
    assert await after(changed=1, after=2) == [1]
    with pytest.raises(TypeError, match="changed is needed beside after"):
        await after(after=2)
    with pytest.raises(TypeError, match="after is needed beside changed"):
        await after(changed=1)
    assert await queries.tasks_between(db) == [1, 2]
    with pytest.raises(TypeError, match="low is needed beside high"):
        await queries.tasks_between(db, high=1)
    assert await queries.tasks_between(db, low=1) == [2]
    assert await queries.tasks_between(db, low=0, high=1) == [1]
    assert sorted(await queries.tasks_of(db)) == [1, 2]
    assert await queries.tasks_of(db, status="done") == [2]
