"""Monthly partitions of messages: created in advance, and dropped after the retention."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.chat.service.maintenance import MONTHS_AHEAD, Keep, maintain
from services.chat.store import messages as store
from services.chat.store import partitions
from tests.services.chat import talking
from tests.services.chat.talking import CUSTOMER

KEEP = Keep(timedelta(days=365), timedelta(days=30))


async def months(db) -> list[str]:
    rows = await db.fetch(
        "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
        " WHERE inhparent = 'message'::regclass AND relname <> 'message_other' ORDER BY relname"
    )
    return [name.removeprefix("message_") for (name,) in rows]


def month(ahead: int) -> str:
    now = datetime.now(UTC)
    index = now.year * 12 + now.month - 1 + ahead
    return f"{index // 12}_{index % 12 + 1:02}"


async def test_months_are_there_before_they_begin(db) -> None:
    expected = [month(ahead) for ahead in range(-1, MONTHS_AHEAD + 1)]
    assert await months(db) == expected
    await partitions.add_partitions(db, months_ahead=14)
    assert await months(db) == [month(ahead) for ahead in range(-1, 15)]


async def test_replicas_may_keep_up_at_the_same_time(db) -> None:
    await db.execute(f"DROP TABLE message_{month(3)}")
    await asyncio.gather(*(maintain(db, KEEP) for _ in range(5)))
    assert month(3) in await months(db)


async def test_messages_go_with_their_month(db, channel) -> None:
    first = await talking.stored(
        db, channel_id=UUID(channel), author_id=UUID(CUSTOMER), client_id="1", text="old"
    )
    (where,) = await db.fetchrow(
        "SELECT tableoid::regclass::text FROM message WHERE id = $1", first.message.id
    )
    assert where == f"message_{month(0)}"
    start = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = (start + timedelta(days=31)).replace(day=1)
    # Almost too old is kept: a month goes when its last moment does.
    await maintain(db, KEEP, clock=lambda: end + timedelta(days=364))
    assert month(0) in await months(db)
    await maintain(db, KEEP, clock=lambda: end + timedelta(days=365))
    assert await months(db) == [month(ahead) for ahead in range(1, MONTHS_AHEAD + 1)]
    assert await store.list_newer(db, channel_id=UUID(channel), above=0, most=10) == []
    # The server's clock says that it is this month: it is added again.
    await maintain(db, KEEP)
    second = await talking.stored(
        db, channel_id=UUID(channel), author_id=UUID(CUSTOMER), client_id="2", text="new"
    )
    assert second.message.sequence == 2


async def test_a_month_that_is_missing_costs_no_message_and_gets_them_when_it_is_made(
    db, channel
) -> None:
    where = "SELECT array_agg(tableoid::regclass::text || ' ' || text ORDER BY text) FROM message"
    given = {"channel_id": UUID(channel), "author_id": UUID(CUSTOMER)}
    await db.execute(f"DROP TABLE message_{month(0)}")
    await talking.stored(db, client_id="1", text="new", **given)
    await db.execute(
        "INSERT INTO message (id, channel_id, sequence, author_id, client_id, text)"
        " VALUES (first_id_of('2020-02-02'), $1, 9, $1, '9', 'old')",
        UUID(channel),
    )
    assert await db.fetchval(where) == ["message_other new", "message_other old"]
    await maintain(db, KEEP)
    assert await db.fetchval(where) == [f"message_{month(0)} new"]
    (kept,) = await store.list_newer(db, channel_id=UUID(channel), above=0, most=10)
    assert kept.text == "new"


async def test_client_ids_are_known_for_as_long_as_is_said(db, channel) -> None:
    given = {"channel_id": UUID(channel), "author_id": UUID(CUSTOMER), "text": "hello"}
    first = await talking.stored(db, client_id="1", **given)
    await db.execute("UPDATE sent SET created_at = created_at - interval '29 days'")
    await maintain(db, KEEP)
    assert (await talking.stored(db, client_id="1", **given)).message == first.message
    await db.execute("UPDATE sent SET created_at = created_at - interval '2 days'")
    await maintain(db, KEEP)
    assert (await talking.stored(db, client_id="1", **given)).message.sequence == 2


async def test_a_resume_across_what_was_dropped_brings_what_is_left(
    connect, channel, db, call
) -> None:
    given = {"channel_id": UUID(channel), "author_id": UUID(CUSTOMER)}
    for number in range(3):
        await talking.stored(db, client_id=str(number), text=f"text {number}", **given)
    await db.execute("DELETE FROM message WHERE sequence <= 2")
    back = await connect(resume={channel: 0})
    assert back.sequences == [3]
    await db.execute("DELETE FROM message")
    assert (await connect(resume={channel: 1})).sequences == []
    _, body = await call(CUSTOMER, "GET", "channels")
    assert (body["data"][0]["last_sequence"], body["data"][0]["last_message"]) == (3, None)


async def test_ended_sessions_are_kept_for_longer_than_their_tokens_and_then_forgotten(db) -> None:
    await db.execute(
        "INSERT INTO ended_session VALUES (gen_random_uuid(), now() - '6 days'::interval),"
        " (gen_random_uuid(), now() - '8 days'::interval)"
    )
    await maintain(db, KEEP)
    assert await db.fetchval("SELECT count(*) FROM ended_session") == 1
