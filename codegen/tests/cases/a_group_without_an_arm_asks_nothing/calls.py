"""What the generated functions must do on a real server."""

import pytest


async def run(db, queries):
    await db.execute(
        "INSERT INTO task VALUES (1, 'a', 'open', 1, NULL), (2, 'b', 'done', 2, 1), (3, 'c', 'open', 0, 1)"
    )
    assert await queries.found(db) == [1, 2, 3]
    assert await queries.found(db, title="a") == [1]
    assert await queries.found(db, status="done") == [2]
    assert await queries.found(db, title="a", status="done") == [1, 2]

    assert await queries.found_beside(db, rank=0) == [1, 2]
    assert await queries.found_beside(db, rank=0, title="b") == [2]
    assert await queries.found_beside(db, rank=0, unowned=True) == [1]
    assert await queries.found_beside(db, rank=-1, title="c", unowned=True) == [1, 3]
    assert await queries.found_beside(db, rank=0, title="c", status="done", unowned=True) == [1, 2]

    assert await queries.trailing(db) == [1, 2]
    assert await queries.trailing(db, title="a") == [2]
    assert await queries.trailing(db, title="a", status="done") == []

    assert await queries.nested(db) == [1, 2, 3]
    assert await queries.nested(db, title="a") == [1]
    assert await queries.nested(db, title="a", rank=9) == []
    assert await queries.nested(db, title="a", rank=9, status="open") == [1, 3]
    assert await queries.nested(db, rank=2, status="open") == [1, 2, 3]
    assert await queries.nested(db, status="done") == [2]

    assert await queries.joined(db, owned=True) == [1, 1]
    assert await queries.joined(db) == [1, 1, 1, 2, 2, 2, 3, 3, 3]

    assert await queries.page(db) == [3, 1, 2]
    assert await queries.page(db, rank=0, after=3) == [1, 2]
    for half, missing in (({"rank": 0}, "after"), ({"after": 3}, "rank")):
        with pytest.raises(TypeError, match=f"{missing} is needed beside {next(iter(half))}"):
            await queries.page(db, **half)
    assert await queries.page(db, low=1, high=2, bounded=True) == [1, 2]
    assert await queries.page(db, low=1, high=2) == [3, 1, 2]  # the flag is a choice
    for given in ({"low": 1}, {"high": 2}, {"bounded": True}, {"low": 1, "bounded": True}):
        with pytest.raises(TypeError, match="is needed beside"):
            await queries.page(db, **given)
