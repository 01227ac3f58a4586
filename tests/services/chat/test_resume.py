"""A client that reconnects gets missed messages and then new ones: all, once, in order."""

from __future__ import annotations

import asyncio
import random
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from devstack.testing.wait import eventually
from lib.db import Database
from services.chat.keys import CHAT
from services.chat.rooms.hub import Hub
from services.chat.rooms.resume import resume
from services.chat.rooms.seat import Seat
from services.chat.rooms.wire import Posted, delivered
from tests.services.chat import talking
from tests.services.chat.talking import CUSTOMER, PROVIDER, Talker, open_between


async def store(db: Database, channel: str, *texts: str) -> None:
    """Store messages like a replica that ends before it can announce them."""
    for text in texts:
        await talking.stored(db, channel_id=channel, author_id=PROVIDER, client_id=text, text=text)


async def test_nothing_is_delivered_before_the_client_has_resumed(connect, channel) -> None:
    early, author = await connect(live=False), await connect(PROVIDER)
    await author.send(channel, "one")
    await author.expect("message")
    await early.tell("ping")
    await early.expect("pong")
    assert early.of("message") == []
    await early.tell("resume", channels={channel: 0})
    assert (await early.expect("resumed"))["channels"] == {channel: 1}
    assert early.texts == ["one"]


async def test_what_was_missed_comes_before_what_is_new(connect, channel, db) -> None:
    texts = [f"text-{number}" for number in range(250)]
    await store(db, channel, *texts)
    author = await connect(PROVIDER)

    async def go_on() -> None:
        for number in range(50):
            await author.send(channel, f"new-{number}")

    sending = asyncio.create_task(go_on())
    back = await connect(resume={channel: 30})
    await sending
    await back.expect("message", 270)
    assert back.texts == texts[30:] + [f"new-{number}" for number in range(50)]


async def test_who_claims_to_have_more_than_there_is_misses_nothing(connect, channel) -> None:
    back, author = await connect(resume={channel: 1000}), await connect(PROVIDER)
    assert back.of("resumed")[0]["channels"] == {channel: 0}
    await author.send(channel, "one")
    await back.expect("message")


async def test_a_client_may_resume_again_when_it_sees_a_gap(connect, channel) -> None:
    reader, author = await connect(), await connect(PROVIDER)
    for number in range(5):
        await author.send(channel, f"text-{number}")
    await reader.expect("message", 5)
    await reader.tell("resume", channels={channel: 2})
    await author.send(channel, "text-5")
    await reader.expect("message", 9)
    assert reader.sequences[5:] == [3, 4, 5, 6]


@pytest.fixture
async def unasked(client, monkeypatch) -> None:
    """The started service, which never queries the database by itself any more."""
    fanout = client.app[CHAT].fanout
    await eventually(lambda: fanout.works and fanout._asked_at > 0)
    monkeypatch.setattr("services.chat.rooms.fanout._ASK_SECONDS", 3600)
    monkeypatch.setattr("services.chat.rooms.fanout._ASK_AWAY_SECONDS", 3600)


async def test_what_nobody_announced_is_noticed_by_the_next_message(
    unasked, connect, channel, db
) -> None:
    reader, author = await connect(), await connect(PROVIDER)
    await store(db, channel, "lost-1", "lost-2")
    await author.send(channel, "said")
    await reader.expect("message", 3)
    assert reader.texts == ["lost-1", "lost-2", "said"]


async def test_what_nobody_announced_is_told_when_it_is_sent_again(
    unasked, connect, channel, db
) -> None:
    reader, author = await connect(), await connect(PROVIDER)
    await store(db, channel, "lost")
    await author.send(channel, "lost")
    assert (await author.expect("ack"))["sequence"] == 1
    await reader.expect("message")
    assert reader.texts == ["lost"]


async def test_what_nobody_announced_is_found_without_a_next_message(
    connect, channel, db, monkeypatch
) -> None:
    monkeypatch.setattr("services.chat.rooms.fanout._ASK_SECONDS", 0.5)
    reader = await connect()
    await store(db, channel, "lost")
    await reader.expect("message")
    assert reader.texts == ["lost"]


async def test_what_is_said_while_the_last_is_read_is_not_forgotten(db, channel) -> None:
    await store(db, channel, "one", "two")
    hub, given = Hub(db, CollectorRegistry()), []
    seat = Seat(given.append)
    await hub.join(UUID(CUSTOMER), seat)

    async def send(frame: bytes) -> None:
        given.append(frame)
        if len(given) in (2, 3):
            # The socket takes its time, and meanwhile somebody says something.
            stored = await talking.stored(
                db,
                channel_id=UUID(channel),
                author_id=UUID(PROVIDER),
                client_id=f"late-{len(given)}",
                text="late",
            )
            message = stored.message
            hub.posted(
                Posted(message.channel_id, message.sequence, stored.members, delivered(message))
            )

    reached = await resume(db, hub, seat, UUID(CUSTOMER), {UUID(channel): 0}, send)
    assert reached == {UUID(channel): 4}
    assert [int(frame.split(b'"sequence":')[1].split(b",")[0]) for frame in given] == [1, 2, 3, 4]
    await hub.close()


class Phone:
    """A client that drops its connection at random and resumes from its last message."""

    def __init__(self, connect, channel: str, chance: random.Random) -> None:
        self._connect, self._channel, self._chance = connect, channel, chance
        self.had: list[int] = []

    async def run(self, upto: int) -> None:
        while not self.had or self.had[-1] < upto:
            talker = await self._connect(live=False)
            last = self.had[-1] if self.had else 0
            await talker.tell("resume", channels={self._channel: last})
            enough = len(self.had) + self._chance.randint(0, 12)

            def has(talker: Talker = talker, enough: int = enough, before: int = len(self.had)):
                seen = before + len(talker.sequences)
                return seen >= enough or talker.sequences[-1:] == [upto]

            await eventually(has)
            # What arrives while the connection goes down is not had.
            self.had += list(talker.sequences)
            if self._chance.random() < 0.5:
                talker.ws._response.connection.transport.abort()
            else:
                await talker.close()


@given(seed=st.integers(0, 2**32))
@settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
async def test_whenever_connections_drop_each_message_is_had_once_and_in_order(
    connect, db, seed
) -> None:
    chance = random.Random(seed)
    subject = f"01890000-0000-7000-8000-{seed:012x}"
    channel = await open_between(db, subject)
    author, phones = await connect(PROVIDER), [Phone(connect, channel, chance) for _ in range(2)]

    async def talk() -> None:
        for number in range(40):
            await author.send(channel, f"text-{number}")
            if chance.random() < 0.3:
                await asyncio.sleep(chance.random() / 50)

    async with asyncio.timeout(60):
        await asyncio.gather(talk(), *(phone.run(40) for phone in phones))
    for phone in phones:
        assert phone.had == list(range(1, 41))


class TestSlow:
    @pytest.fixture
    def settings(self):
        return {"buffer_bytes": 16 * 1024}

    async def test_who_does_not_read_is_cut_off_and_resumes(
        self, client, issuer, connect, channel
    ) -> None:
        headers = issuer.authorized(subject=CUSTOMER)
        # Nobody reads from this one; what the system buffers is filled first.
        ws = await client.ws_connect("/api/v1/ws", headers=headers)
        await ws.send_json({"type": "resume", "channels": {channel: 0}})
        for expected in ("ready", "resumed"):
            assert (await ws.receive_json(timeout=60))["type"] == expected
        ws._response.connection.transport.pause_reading()
        author, sent = await connect(PROVIDER), 0
        async with asyncio.timeout(100):
            while "4008" not in await metrics_of(client):
                await asyncio.gather(
                    *(author.send(channel, "x" * 3900, f"c-{sent + n}") for n in range(50))
                )
                sent += 50
                await author.expect("ack", sent, within=60)
        ws._response.connection.transport.resume_reading()
        slow = Talker(ws)
        code = await slow.closed()
        assert code in (4008, 1006)  # 1006 where the connection was torn down before it was read
        had = slow.sequences
        assert had == list(range(1, len(had) + 1))
        back = await connect(resume={channel: len(had)})
        await back.expect("message", sent - len(had))
        assert back.sequences == list(range(len(had) + 1, sent + 1))


async def metrics_of(client) -> str:
    async with client.get("/metrics") as answer:
        text = await answer.text()
    return "\n".join(line for line in text.splitlines() if line.startswith("chat_closed_total"))
