"""Programs that call a query in a loop: each uses a pool, or with `sync_` a connection."""

import asyncio
import functools
from contextlib import AsyncExitStack

from store import queries
from store.queries import get_user

IDS = [1, 2, 3, 4, 5]


async def for_loop(db):
    return [(await get_user(db, id=key)).name for key in IDS]


async def statement(db):
    names = []
    for key in IDS:
        user = await queries.get_user(db, id=key)
        names.append(user.name)
    return names


async def while_loop(db):
    key = 0
    while key < 5:
        key += 1
        await queries.get_user(db, id=key)


async def set_comprehension(db):
    return {key: await queries.list_orders(db, user_id=key) for key in IDS}


async def gathered(db):
    return await asyncio.gather(*(get_user(db, id=key) for key in IDS))


async def _name(db, key):
    user = await get_user(db, id=key)
    return user.name


async def helper(db):
    return [await _name(db, key) for key in IDS]


async def gathered_helper(db):
    return await asyncio.gather(*[_name(db, key) for key in IDS])


async def tasks(db):
    started = [asyncio.create_task(_name(db, key)) for key in IDS]
    return [await task for task in started]


async def task_group(db):
    async with asyncio.TaskGroup() as group:
        for key in IDS:
            group.create_task(_name(db, key))


async def as_completed(db):
    return [await done for done in asyncio.as_completed([_name(db, key) for key in IDS])]


async def _down(db, keys):
    if keys:
        await get_user(db, id=keys[0])
        await _down(db, keys[1:])


async def recursion(db):
    await _down(db, IDS)


async def _tree(db, key):
    await get_user(db, id=key)
    for child in (2 * key, 2 * key + 1):
        if child <= 7:
            await _tree(db, child)


async def tree(db):
    await _tree(db, 1)


async def _even(db, left):
    if left:
        await get_user(db, id=left)
        await _odd(db, left - 1)


async def _odd(db, left):
    if left:
        await _even(db, left - 1)


async def mutual_recursion(db):
    await _even(db, 12)


async def recursion_of_four(db):
    await _down(db, IDS[:4])


async def mutual_recursion_of_four(db):
    await _even(db, 8)


async def _halves(db, first, last):
    await get_user(db, id=first)
    if first < last:
        await _halves(db, first, (first + last) // 2)
        await _halves(db, (first + last) // 2 + 1, last)


async def recursion_from_two_lines(db):
    await _halves(db, 1, 3)


async def nested_rows(db):
    for user in await queries.list_users(db):
        await queries.list_orders(db, user_id=user.id)


async def inside_a_stream(db):
    async with db.acquire() as connection, db.acquire() as other, connection.transaction():
        async for user in queries.walk_users(connection):
            await queries.list_orders(other, user_id=user.id)


class Service:
    def __init__(self, db):
        self.db = db

    async def name(self, key):
        return (await get_user(self.db, id=key)).name

    async def names(self):
        return [await self.name(key) for key in IDS]


async def methods(db):
    return await Service(db).names()


async def partials(db):
    calls = [functools.partial(get_user, db, id=key) for key in IDS]
    return [await call() for call in calls]


async def awaited_later(db):
    coroutines = [get_user(db, id=key) for key in IDS]
    for coroutine in coroutines:
        await coroutine


async def _each(db):
    for key in IDS:
        yield await get_user(db, id=key)


async def async_generator(db):
    return [user async for user in _each(db)]


def logged(function):
    @functools.wraps(function)
    async def inner(*args):
        return await function(*args)

    return inner


@logged
async def _decorated(db, key):
    return await get_user(db, id=key)


async def decorator(db):
    for key in IDS:
        await _decorated(db, key)


async def writes(db):
    for key in IDS:
        await queries.rename(db, name="x", id=key)


async def one_by_one_through_a_loader(db):
    loader = queries.get_user_loader(db)
    return [await loader.load(key) for key in IDS]


async def with_timeouts(db):
    return [await asyncio.wait_for(_name(db, key), 30) for key in IDS]


async def exit_stack(db):
    async with AsyncExitStack() as stack:
        for key in IDS:
            stack.push_async_callback(_name, db, key)


async def chunks_of_one(db):
    for key in IDS:
        await queries.get_user_many(db, ids=[key])


def sync_for_loop(db):
    from store.on_psycopg_sync import queries as blocking

    return [blocking.get_user(db, id=key) for key in IDS]


def _blocking(call, db, key):
    return call(db, id=key)


def sync_map(db):
    from store.on_psycopg_sync.queries import get_user as blocking

    return list(map(functools.partial(_blocking, blocking, db), IDS))
