"""What the helpers must do on a real server."""

import asyncio
import importlib

import asyncpg
import pytest


async def run(db, queries):
    helpers = importlib.import_module(queries.__package__ + ".helpers")
    await db.execute("INSERT INTO counter VALUES (1, 0)")

    heard = []
    observed = helpers.Observed(db, lambda *call: heard.append(call))
    assert await queries.get_value(observed, id=1) == 0
    assert await queries.set_value(observed, id=1, value=5) == 1
    assert len(await queries.list_counters(observed)) == 1
    with pytest.raises(asyncpg.UndefinedTableError):
        await observed.execute("SELECT nothing FROM nowhere")
    assert [(name, rows) for name, _, rows, _ in heard] == [
        ("GetValue", 1),
        ("SetValue", 1),
        ("ListCounters", 1),
        ("other", None),
    ]
    assert isinstance(heard[-1][3], asyncpg.UndefinedTableError)
    assert all(seconds > 0 for _, seconds, _, _ in heard)

    heard.clear()
    copied = [queries.CopyCountersParams(number, 0) for number in (2, 3, 4)]
    assert await queries.copy_counters(observed, copied) == 3
    await queries.raise_all(observed, [2, 3])
    async with db.transaction():
        streamed = [row.value async for row in queries.stream_counters(observed, chunk=3)]
    assert streamed == [5, 1, 1, 0]
    assert [(name, rows) for name, _, rows, _ in heard] == [
        ("CopyCounters", 3),
        ("RaiseAll", None),
        *(("StreamCounters", rows) for rows in (0, 3, 1, 0)),
    ]
    assert all(seconds > 0 for _, seconds, _, _ in heard)
    heard.clear()
    with pytest.raises(asyncpg.UniqueViolationError):
        await queries.copy_counters(observed, copied)
    with pytest.raises(asyncpg.NoActiveSQLTransactionError):
        await anext(queries.stream_counters(observed))
    assert [(name, type(error).__name__) for name, _, _, error in heard] == [
        ("CopyCounters", "UniqueViolationError"),
        ("StreamCounters", "NoActiveSQLTransactionError"),
    ]

    parameters = db._params
    host, port = db._addr
    async with asyncpg.create_pool(
        host=host, port=port, user=parameters.user, password=parameters.password,
        database=parameters.database, min_size=0,
    ) as pool:  # fmt: skip

        async def add_one(connection):
            value = await queries.get_value(connection, id=1)
            await asyncio.sleep(0.01)
            await queries.set_value(connection, id=1, value=value + 1)

        calls = [
            helpers.in_transaction(pool, add_one, isolation="serializable", attempts=50)
            for _ in range(5)
        ]
        await asyncio.gather(*calls)
    assert await queries.get_value(db, id=1) == 10
