"""The pool is bounded, reused, waited for and closed correctly."""

from __future__ import annotations

import asyncio

import pytest

from lib.errors import AppError, Code
from lib.grpc.pool import ChannelPool


@pytest.fixture
async def pool() -> ChannelPool:
    # Channels connect when first used: nobody has to listen there.
    return ChannelPool("127.0.0.1:1", size=2)


async def waiting(pool: ChannelPool) -> asyncio.Task[object]:
    """Start a caller and let it run until it waits."""

    async def borrow() -> object:
        async with pool.channel() as channel:
            return channel

    task = asyncio.create_task(borrow())
    for _ in range(5):
        await asyncio.sleep(0)
    return task


async def test_the_third_of_two_waits_and_gets_the_very_channel_that_is_returned(
    pool: ChannelPool,
) -> None:
    async with pool.channel():
        async with pool.channel() as second:
            third = await waiting(pool)
            assert not third.done()
            assert pool.active == 2
        assert await third is second
    assert pool.active == 0
    await pool.close()


async def test_a_quiet_pool_keeps_using_one_channel(pool: ChannelPool) -> None:
    seen = set()
    for _ in range(5):
        async with pool.channel() as channel:
            seen.add(channel)
    assert len(seen) == 1
    await pool.close()


async def test_a_cancelled_waiter_costs_no_channel(pool: ChannelPool) -> None:
    async with pool.channel(), pool.channel():
        gone = await waiting(pool)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
    async with pool.channel(), pool.channel():
        assert pool.active == 2
    await pool.close()


async def test_a_waiter_cancelled_at_the_moment_of_its_turn_costs_no_channel(
    pool: ChannelPool,
) -> None:
    async with pool.channel():
        async with pool.channel():
            gone = await waiting(pool)
        # The channel is back and the waiter woken, but it has not run yet.
        gone.cancel()
        await asyncio.wait([gone])
        async with pool.channel():
            assert pool.active == 2
    await pool.close()


async def test_closing_wakes_everybody_who_waits_and_refuses_who_comes_later(
    pool: ChannelPool,
) -> None:
    async with pool.channel(), pool.channel():
        waiters = [await waiting(pool) for _ in range(3)]
        await pool.close()
        for result in await asyncio.gather(*waiters, return_exceptions=True):
            assert isinstance(result, AppError)
            assert result.code is Code.SERVICE_UNAVAILABLE
    assert pool.active == 0
    with pytest.raises(AppError):
        async with pool.channel():
            pytest.fail("the pool is closed")
    await pool.close()


async def test_returning_a_channel_to_a_closed_pool_closes_it(pool: ChannelPool) -> None:
    async with pool.channel() as channel:
        await pool.close()
    with pytest.raises(Exception, match="closed"):
        await channel.unary_unary("/any/Thing")(b"")
    assert pool.active == 0


async def test_a_channel_somebody_closed_is_replaced(pool: ChannelPool) -> None:
    async with pool.channel() as broken:
        await broken.close()
    async with pool.channel() as fresh:
        assert fresh is not broken
    await pool.close()


async def test_many_callers_never_exceed_the_bound(pool: ChannelPool) -> None:
    most = 0

    async def call() -> None:
        nonlocal most
        async with pool.channel():
            most = max(most, pool.active)
            await asyncio.sleep(0.001)

    await asyncio.gather(*(call() for _ in range(50)))
    assert most == 2
    await pool.close()
