"""The listener of generated packages never stops silently, and restores the connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Address
from typing import Any, ClassVar

import asyncpg
import attrs
import msgspec
import pydantic
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
            with pytest.raises(ListenerFullError, match="2 notifications are waiting"):
                await anext(events)


async def test_the_queue_must_have_room(db: Any) -> None:
    with pytest.raises(ValueError, match="size must be at least 1, not 0"):
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


@dataclass
class Base:
    kind: ClassVar[str] = "a class has it"
    first: int


@dataclass
class Derived(Base):
    second: str
    third: str | None = None


class Renamed(msgspec.Struct, rename="camel", tag="row", tag_field="type"):
    long_name: int
    left_out: str | None = None
    derived: Derived | None = None


class Listed(msgspec.Struct, array_like=True):
    one: int
    two: str | None = None


@attrs.define
class Parent:
    first: int


@attrs.define
class Child(Parent):
    items: list[Renamed]


class Aliased(pydantic.BaseModel):
    value: int = pydantic.Field(alias="the value")
    missing: str | None = None
    null: str | None
    inner: list[Aliased] = pydantic.Field(default_factory=list)


DERIVED = Derived(1, "x")
OBJECTS = [
    (DERIVED, {"first": 1, "second": "x"}),
    (
        Renamed(1, derived=DERIVED),
        {"type": "row", "longName": 1, "derived": {"first": 1, "second": "x"}},
    ),
    (Listed(1), [1, None]),
    (Child(1, [Renamed(2)]), {"first": 1, "items": [{"type": "row", "longName": 2}]}),
    (
        Aliased.model_validate(
            {"the value": 1, "null": None, "inner": [{"the value": 2, "null": None}]}
        ),
        {"the value": 1, "null": None, "inner": [{"the value": 2, "null": None, "inner": []}]},
    ),
]


@pytest.mark.parametrize(("payload", "sent"), OBJECTS)
def test_an_object_is_sent_as_its_library_writes_it(payload: Any, sent: object) -> None:
    kind = type(payload)
    model = isinstance(payload, pydantic.BaseModel)
    decode = kind.model_validate_json if model else msgspec.json.Decoder(kind).decode
    text = encoded(payload, "news", decode)
    assert json.loads(text) == sent
    assert decode(text) == payload


@pytest.mark.parametrize(
    "value",
    [
        IPv4Address("1.2.3.4"),
        timedelta(1),
        bytearray(b"x"),
        object(),
        {None: 1},
        {1: "a", "1": "b"},
    ],
)
def test_a_value_without_a_form_in_json_is_refused(value: object) -> None:
    with pytest.raises(PayloadError, match=r"cannot be written as JSON|become the same text"):
        encoded({"inside": [value]}, "news", json.loads)


@pytest.mark.parametrize("ends", ["release", "reset"])
async def test_a_listener_learns_that_its_connection_no_longer_listens(
    empty_database: str, ends: str
) -> None:
    async with asyncpg.create_pool(empty_database, min_size=1, max_size=1) as pool:
        db = await pool.acquire()
        async with listener(db) as events:
            await send(db, "a")
            waiting = asyncio.ensure_future(anext(events))
            assert await waiting == "a"
            waiting = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0)
            if ends == "reset":
                await db.reset()
            else:
                with pytest.warns(asyncpg.InterfaceWarning, match="active notification listener"):
                    await pool.release(db)
            async with asyncio.timeout(10):
                with pytest.raises(ListenerLostError, match="reset, or released to its pool"):
                    await waiting
        assert ends == "reset" or await pool.fetchval(LISTENING) == 0
        await pool.release(db)


async def test_the_end_of_a_block_after_a_release_is_no_error(empty_database: str) -> None:
    async with asyncpg.create_pool(empty_database, min_size=1, max_size=1) as pool:
        db = await pool.acquire()
        async with listener(db):
            with pytest.warns(asyncpg.InterfaceWarning, match="active notification listener"):
                await pool.release(db)
        async with pool.acquire() as again, listener(again) as events:
            await send(again, "b")
            assert await anext(events) == "b"
