"""The listener of generated packages never stops silently, and leaves the connection as it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec
import pytest
from aiosqlc.emit.written.notifications import (
    Listener,
    ListenerFullError,
    ListenerLostError,
    NotificationError,
    PayloadError,
    encoded,
)

LISTENING = "SELECT count(*) FROM pg_listening_channels()"


@pytest.fixture
async def db(empty_database: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(empty_database)
    yield connection
    await connection.close()


@pytest.fixture
async def other(empty_database: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(empty_database)
    yield connection
    await connection.close()


def listener(db: Any, channel: str = "news", size: int = 10) -> Listener[str]:
    return Listener(db, channel, str, size)


async def send(db: Any, *payloads: str, channel: str = "news") -> None:
    for payload in payloads:
        await db.execute("SELECT pg_notify($1, $2)", channel, payload)


async def test_a_killed_connection_is_an_error_after_the_last_notification(
    db: Any, other: Any
) -> None:
    async with listener(db) as events:
        await send(db, "a", "b")
        waiting = asyncio.ensure_future(anext(events))
        assert await waiting == "a"
        await other.execute("SELECT pg_terminate_backend($1)", db.get_server_pid())
        async with asyncio.timeout(10):
            assert await anext(events) == "b"
            for _ in range(2):
                with pytest.raises(ListenerLostError, match="'news': the connection is closed"):
                    await anext(events)
    with pytest.raises(ListenerLostError):
        async with listener(db):
            pass


async def test_a_consumer_that_waits_learns_that_the_connection_is_closed(db: Any) -> None:
    async with listener(db) as events:
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        await db.close()
        async with asyncio.timeout(10):
            with pytest.raises(ListenerLostError):
                await waiting


async def test_a_slow_consumer_gets_what_waits_and_then_an_error(db: Any, other: Any) -> None:
    async with listener(db, size=2) as events, listener(db, size=5) as fast:
        await send(other, *"abcde")
        assert [await anext(fast) for _ in range(5)] == [*"abcde"]
        assert [await anext(events), await anext(events)] == ["a", "b"]
        await send(other, "f")
        assert await anext(fast) == "f"
        for _ in range(2):
            with pytest.raises(ListenerFullError, match="2 notifications waited"):
                await anext(events)


async def test_the_queue_must_have_room(db: Any) -> None:
    with pytest.raises(ValueError, match="a queue of 0 notifications"):
        listener(db, size=0)


async def test_a_cancelled_consumer_stops_listening(db: Any) -> None:
    listening = asyncio.Event()

    async def consume() -> None:
        async with listener(db) as events:
            listening.set()
            async for _ in events:
                pass

    task = asyncio.ensure_future(consume())
    await listening.wait()
    assert await db.fetchval(LISTENING) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await db.fetchval(LISTENING) == 0


@pytest.mark.parametrize("ticks", range(4))
async def test_a_listener_that_is_cancelled_when_it_starts_leaves_no_trace(
    db: Any, ticks: int
) -> None:
    async def enter() -> None:
        async with listener(db):
            await asyncio.Event().wait()

    task = asyncio.ensure_future(enter())
    for _ in range(ticks):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await db.fetchval(LISTENING) == 0


async def test_in_a_transaction_a_listener_is_refused(db: Any) -> None:
    async with db.transaction():
        with pytest.raises(NotificationError, match="no effect before its commit"):
            async with listener(db):
                pass
    async with listener(db) as events:
        async with db.transaction():
            await send(db, "a")
        assert await anext(events) == "a"


async def test_listeners_of_one_connection_are_independent(db: Any, other: Any) -> None:
    async with listener(db) as first:
        async with listener(db) as second, listener(db, 'Odd "name"') as third:
            with pytest.raises(NotificationError, match="already in use"):
                await first.__aenter__()
            await send(other, "a")
            await send(other, "b", channel='Odd "name"')
            assert await anext(second) == "a"
            assert await anext(third) == "b"
        await send(other, "c")
        assert [await anext(first), await anext(first)] == ["a", "c"]
        with pytest.raises(NotificationError, match="async with"):
            await anext(second)
        assert await db.fetchval(LISTENING) == 1
    async with first as again:
        await send(other, "d")
        assert await anext(again) == "d"


async def test_a_connection_of_a_pool_listens_until_it_goes_back(empty_database: str) -> None:
    async with asyncpg.create_pool(empty_database, min_size=1, max_size=1) as pool:
        async with pool.acquire() as db, listener(db) as events:
            await send(db, "a")
            assert await anext(events) == "a"
        assert await pool.fetchval(LISTENING) == 0


@dataclass
class News:
    title: str
    count: int


@pytest.mark.parametrize("payload", [News("\ud800", 1), News("a", None), object()])  # type: ignore[arg-type]  # on purpose
def test_a_payload_that_cannot_be_received_is_not_sent(payload: object) -> None:
    decode = msgspec.json.Decoder(News).decode
    assert encoded(News("ä", 1), "news", decode) == '{"title":"ä","count":1}'
    with pytest.raises(PayloadError, match="'news': the payload cannot be sent"):
        encoded(payload, "news", decode)
