"""Conversations over the socket: stored, acknowledged, delivered in order, announced once."""

from __future__ import annotations

import asyncio

import pytest

from services.chat.model import frames
from services.chat.store import messages as store
from tests.clock import advance
from tests.services.chat.talking import CUSTOMER, ORDER, PROVIDER, STRANGER, open_between


async def test_a_message_is_acknowledged_and_delivered_to_both(two, channel, db) -> None:
    customer, provider = two
    await customer.send(channel, "When can you come?", "c-1")
    ack = await customer.expect("ack")
    delivered = await provider.expect("message")
    assert ack["client_id"] == "c-1"
    assert ack["sequence"] == delivered["sequence"] == 1
    assert delivered["message_id"] == ack["message_id"]
    assert delivered["author_id"] == CUSTOMER
    assert delivered["text"] == "When can you come?"
    assert await customer.expect("message") == delivered
    stored = await store.list_newer(db, channel_id=channel, above=0, most=10)
    assert [str(message.id) for message in stored] == [ack["message_id"]]


async def test_what_is_sent_twice_is_stored_once_and_acknowledged_twice(two, channel) -> None:
    customer, provider = two
    await customer.send(channel, "hello", "c-1")
    await customer.send(channel, "hello", "c-1")
    second = await customer.expect("ack", 2)
    assert second == await customer.expect("ack", 1)
    await customer.send(channel, "next", "c-2")
    await provider.expect("message", 2)
    assert provider.texts == ["hello", "next"]


async def test_a_client_id_stands_for_one_text(two, channel) -> None:
    customer, _ = two
    await customer.send(channel, "yes", "c-1")
    await customer.send(channel, "no", "c-1")
    error = await customer.expect("error")
    assert (error["code"], error["client_id"]) == ("IDEMPOTENCY_KEY_REUSED", "c-1")


async def test_the_same_message_sent_from_two_sockets_at_once_is_one(connect, channel) -> None:
    sockets = [await connect(CUSTOMER) for _ in range(4)]
    for number in range(5):
        await asyncio.gather(*(one.send(channel, f"text {number}") for one in sockets))
    acks = [await one.expect("ack", 5) for one in sockets]
    assert {ack["sequence"] for ack in acks} == {5}
    await sockets[0].expect("message", 5)
    assert sockets[0].sequences == [1, 2, 3, 4, 5]


async def test_messages_of_many_senders_have_one_order_for_everybody(connect, channel) -> None:
    sockets = [await connect(user) for user in (CUSTOMER, PROVIDER) for _ in range(3)]
    await asyncio.gather(
        *(
            one.send(channel, f"{number} {text}")
            for number, one in enumerate(sockets)
            for text in range(20)
        )
    )
    for one in sockets:
        await one.expect("message", 120)
    first = sockets[0].texts
    assert sockets[0].sequences == list(range(1, 121))
    assert all(one.texts == first for one in sockets)
    # Nobody's own messages were overtaken by each other.
    for number in range(6):
        mine = [text for text in first if text.startswith(f"{number} ")]
        assert mine == [f"{number} {text}" for text in range(20)]


async def test_a_channel_of_others_is_like_none(connect, two, channel) -> None:
    stranger = await connect(STRANGER)
    nowhere = "01890000-0000-7000-8000-00000000dead"
    refused = []
    for where in (channel, nowhere):
        await stranger.send(where, "let me in", "s-1")
        await stranger.tell("typing", channel_id=where)
        await stranger.tell("presence", channel_id=where)
        await stranger.tell("read", channel_id=where, message_id=nowhere)
        await stranger.tell("resume", channels={where: 0})
        await stranger.expect("error", len(refused) + 5)
        refused += stranger.of("error")[len(refused) :]
    told = [(error["code"], error["message"]) for error in refused]
    assert set(told) == {("NOT_FOUND", "channel not found")}
    assert [error["channel_id"] for error in refused] == [channel] * 5 + [nowhere] * 5
    await two[0].send(channel, "hello")
    await two[1].expect("message")
    assert stranger.of("message") == []


async def test_a_frame_that_makes_no_sense_is_refused_and_the_socket_lives_on(
    connect, channel, subtests
) -> None:
    for raw, code, field in [
        ("", "BAD_REQUEST", None),
        ("{", "BAD_REQUEST", None),
        ("[" * 5000, "BAD_REQUEST", None),
        ("[]", "BAD_REQUEST", None),
        ("null", "BAD_REQUEST", None),
        ('{"type":"shout"}', "BAD_REQUEST", None),
        ('{"type":7}', "BAD_REQUEST", None),
        ('{"text":"hi"}', "BAD_REQUEST", None),
        ('{"type":"ping","extra":1}', "VALIDATION_ERROR", "extra"),
        ('{"type":"typing"}', "VALIDATION_ERROR", "channel_id"),
        ('{"type":"typing","channel_id":"me"}', "VALIDATION_ERROR", "channel_id"),
        ('{"type":"resume","channels":{"x":1}}', "VALIDATION_ERROR", "channels"),
        ('{"type":"resume","channels":{"%c":-1}}', "VALIDATION_ERROR", "channels"),
        ('{"type":"send","channel_id":"%c","client_id":"a","text":""}', "VALIDATION_ERROR", "text"),
        (
            '{"type":"send","channel_id":"%c","client_id":"a","text":" "}',
            "VALIDATION_ERROR",
            "text",
        ),
        (
            '{"type":"send","channel_id":"%c","client_id":"","text":"x"}',
            "VALIDATION_ERROR",
            "client_id",
        ),
        (
            '{"type":"send","channel_id":"%c","client_id":"a b","text":"x"}',
            "VALIDATION_ERROR",
            "client_id",
        ),
        ('{"type":"send","channel_id":"%c","client_id":"a","text":"\\u0000"}', "BAD_REQUEST", None),
        ('{"type":"send","channel_id":"%c","client_id":"a","text":"\\ud800"}', "BAD_REQUEST", None),
        (
            '{"type":"send","channel_id":"%c","client_id":"a","text":"' + "x" * 4001 + '"}',
            "VALIDATION_ERROR",
            "text",
        ),
        ('{"type":"ping"' + " " * frames.MAX_FRAME + "}", "PAYLOAD_TOO_LARGE", None),
    ]:
        with subtests.test(raw=raw):
            talker = await connect()
            await talker.ws.send_str(raw.replace("%c", channel))
            error = await talker.expect("error")
            assert error["code"] == code, error
            if field is not None:
                assert error["details"][0]["field"].startswith(field)
            await talker.tell("ping")
            await talker.expect("pong")


async def test_a_binary_frame_is_refused(connect) -> None:
    talker = await connect()
    await talker.ws.send_bytes(b'{"type":"ping"}')
    assert (await talker.expect("error"))["code"] == "BAD_REQUEST"


async def test_what_no_frame_may_be_closes_the_socket(connect) -> None:
    talker = await connect()
    await talker.ws.send_str("x" * (frames.MAX_INCOMING + 1))
    assert await talker.closed() == 1009


async def test_reading_is_told_to_both_and_never_goes_back(two, channel, call) -> None:
    customer, provider = two
    for text in ("one", "two", "three"):
        await customer.send(channel, text)
    await provider.expect("message", 3)
    ids = [frame["message_id"] for frame in provider.of("message")]
    await provider.tell("read", channel_id=channel, message_id=ids[1])
    told = await customer.expect("read")
    assert (told["user_id"], told["message_id"], told["sequence"]) == (PROVIDER, ids[1], 2)
    assert await provider.expect("read") == told
    await provider.tell("read", channel_id=channel, message_id=ids[0])
    await provider.tell("read", channel_id=channel, message_id=ids[2])
    assert (await customer.expect("read", 2))["sequence"] == 3
    _, body = await call(PROVIDER, "GET", f"channels/{channel}")
    assert (body["data"]["read_sequence"], body["data"]["unread"]) == (3, 0)
    await provider.tell("read", channel_id=channel, message_id=ORDER)
    assert (await provider.expect("error"))["details"][0]["field"] == "message_id"


async def test_typing_is_told_to_the_other_one_and_not_too_often(two, channel) -> None:
    customer, provider = two
    for _ in range(3):
        await customer.tell("typing", channel_id=channel)
    await customer.send(channel, "done")
    await provider.expect("message")
    assert [frame["user_id"] for frame in provider.of("typing")] == [CUSTOMER]
    assert customer.of("typing") == []


async def test_who_asks_is_told_when_the_other_one_comes_and_goes(connect, channel) -> None:
    customer = await connect(CUSTOMER)
    await customer.tell("presence", channel_id=channel)
    assert (await customer.expect("presence"))["online"] is False
    provider, second = await connect(PROVIDER), await connect(PROVIDER)
    told = await customer.expect("presence", 2)
    assert (told["user_id"], told["online"]) == (PROVIDER, True)
    await provider.close()
    await second.close()
    assert (await customer.expect("presence", 3))["online"] is False
    assert len(customer.of("presence")) == 3


async def test_a_channel_opened_while_its_members_are_connected_is_theirs_at_once(
    connect, db
) -> None:
    customer, provider = await connect(CUSTOMER), await connect(PROVIDER)
    channel = await open_between(db)
    for text in ("one", "two"):
        await customer.send(channel, text)
    await provider.expect("message", 2)
    assert provider.sequences == [1, 2]


class TestDeadline:
    @pytest.fixture
    def settings(self):
        return {"request_seconds": 60.0, "heartbeat_seconds": 600.0}

    async def test_a_socket_outlives_the_deadline_of_requests(self, connect, monkeypatch) -> None:
        talker = await connect()
        for count in (1, 2):
            advance(monkeypatch, 60.0)
            await talker.tell("ping")
            await talker.expect("pong", count)
        assert not talker.ws.closed
