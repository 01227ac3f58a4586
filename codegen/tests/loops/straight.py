"""Programs that call no query in a loop, but look like programs that do."""

import asyncio
import functools

from store import queries
from store.queries import get_user

IDS = [1, 2, 3, 4, 5]


async def once(db):
    return await get_user(db, id=1)


async def many(db):
    return await queries.get_user_many(db, ids=IDS)


async def few(db):
    return [await get_user(db, id=key) for key in IDS[:3]]


async def different_lines(db):
    await get_user(db, id=1)
    await get_user(db, id=2)
    await get_user(db, id=3)
    await get_user(db, id=4)
    await get_user(db, id=5)


async def _name(db, key):
    return (await get_user(db, id=key)).name


async def helper_on_different_lines(db):
    await _name(db, 1)
    await _name(db, 2)
    await _name(db, 3)
    await _name(db, 4)
    await _name(db, 5)


async def twice_in_one_line(db):
    return (await _name(db, 1), await _name(db, 2), await _name(db, 3), await _name(db, 4))


async def different_queries(db):
    await get_user(db, id=1)
    await queries.list_orders(db, user_id=1)
    await queries.list_users(db)
    await queries.count_users(db)
    await queries.rename(db, name="x", id=1)


async def gathered_once_each(db):
    return await asyncio.gather(_name(db, 1), _name(db, 2), queries.count_users(db))


async def _through(loader, key):
    return await loader.load(key)


async def through_a_loader(db):
    loader = queries.get_user_loader(db)
    return await asyncio.gather(*(_through(loader, key) for key in IDS))


async def through_a_loader_twice(db):
    loader = queries.list_orders_loader(db)
    first = await asyncio.gather(*map(loader.load, IDS))
    second = await asyncio.gather(*map(loader.load, IDS))
    return first, second


async def chunks(db):
    for start in range(0, 5, 2):
        await queries.get_user_many(db, ids=IDS[start : start + 2])


async def rows_of_one_query(db):
    users = await queries.list_users(db)
    return [user.name for user in users for _ in range(10)]


async def a_stream(db):
    async with db.acquire() as connection, connection.transaction():
        return [user async for user in queries.walk_users(connection, chunk=1)]


async def loop_without_queries(db):
    total = await queries.count_users(db)
    for _ in range(100):
        await asyncio.sleep(0)
    return total


@functools.lru_cache
def _known(key):
    return key * 2


async def cached(db):
    first = await get_user(db, id=1)
    return [_known(key) for key in IDS], first


async def _recursion(depth):
    return 0 if not depth else await _recursion(depth - 1)


async def recursion_around_one_query(db):
    await _recursion(20)
    return await get_user(db, id=1)


async def _down(db, keys):
    if keys:
        await get_user(db, id=keys[0])
        await _down(db, keys[1:])


async def recursion_of_three(db):
    await _down(db, IDS[:3])


async def _retried(function, *arguments):
    return await function(*arguments)


async def _steps(db):
    await _retried(_name, db, 1)
    await _retried(_name, db, 2)
    await _retried(_name, db, 3)
    await _retried(_name, db, 4)


async def retried_inside_a_retry(db):
    await _retried(_steps, db)


async def _deep(db, depth):
    return await get_user(db, id=1) if not depth else await _deep(db, depth - 1)


async def recursion_to_one_query(db):
    return await _deep(db, 20)


async def branches(db):
    for key in IDS:
        if key == 3:
            return await get_user(db, id=key)
    return None


async def retried(db):
    for attempt in range(3):
        try:
            await get_user(db, id=1)
            if attempt < 2:
                raise TimeoutError
        except TimeoutError:
            continue


async def two_phases(db):
    users = await queries.list_users(db)
    orders = await queries.list_orders_many(db, user_ids=[user.id for user in users])
    return {user.id: orders.get(user.id, []) for user in users}


def sync_once(db):
    from store.on_psycopg_sync import queries as blocking

    return [blocking.get_user(db, id=1), blocking.get_user_many(db, ids=IDS)]
