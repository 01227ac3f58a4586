"""A conversation through the gateway: opened by an event, over a WebSocket, read over HTTP."""

from __future__ import annotations

import jwt
import msgspec
import pytest
from aiohttp import ClientSession, WSServerHandshakeError
from redis.asyncio import Redis

from devstack.testing.wait import eventually
from lib.clock import utc_now
from lib.events.event import Event, stream_of
from lib.events.signing import FIELD, EventSigner
from lib.ids import new_id

API = "/api/chats/v1"


@pytest.fixture
async def http(stack):
    async with ClientSession(stack.url) as session:
        yield session


@pytest.fixture
async def channel(stack, http) -> str:
    """A channel between the administrator and somebody who is never there."""
    me = jwt.decode(stack.authorized()["Authorization"][7:], options={"verify_signature": False})[
        "sub"
    ]
    order = new_id()
    payload = {
        "offer_id": new_id(),
        "order_id": order,
        "customer_id": me,
        "provider_id": new_id(),
    }
    text = msgspec.json.encode(payload).decode()
    event = Event(new_id(), "offers", str(order), "offer.made", text, "", "", utc_now())
    signer = EventSigner.of((stack.secrets / "order_events_key").read_text())
    password = (stack.secrets / "redis").read_text()
    async with Redis(port=stack.port("REDIS_PORT"), password=password) as redis:
        await redis.xadd(stream_of("offers"), {**event.fields(), FIELD: signer.sign(event)})
    found: list[str] = []

    async def opened() -> bool:
        async with http.get(
            f"{API}/channels?subject_id={order}", headers=stack.authorized()
        ) as answer:
            found[:] = [one["id"] for one in (await answer.json())["data"]]
        return bool(found)

    await eventually(opened, within=20)
    return found[0]


async def test_what_is_said_over_the_socket_is_read_over_http(stack, http, channel) -> None:
    headers = {**stack.authorized(), "Origin": stack.url}
    async with http.ws_connect(f"{API}/ws", headers=headers, protocols=("chat.v1",)) as ws:
        assert (await ws.receive_json(timeout=10))["type"] == "ready"
        await ws.send_json({"type": "resume", "channels": {channel: 0}})
        assert await ws.receive_json(timeout=10) == {"type": "resumed", "channels": {channel: 0}}
        await ws.send_json(
            {"type": "send", "client_id": "c-1", "channel_id": channel, "text": "Guten Tag"}
        )
        frames = [await ws.receive_json(timeout=10) for _ in range(2)]
    assert sorted(frame["type"] for frame in frames) == ["ack", "message"]
    assert {frame["sequence"] for frame in frames} == {1}
    path = f"{API}/channels/{channel}/messages"
    async with http.get(path, headers=stack.authorized()) as answer:
        (message,) = (await answer.json())["data"]["messages"]
    assert message["text"] == "Guten Tag"


async def test_a_page_of_others_does_not_get_through(stack, http) -> None:
    headers = {**stack.authorized(), "Origin": "https://evil.example"}
    with pytest.raises(WSServerHandshakeError) as refused:
        await http.ws_connect(f"{API}/ws", headers=headers)
    assert refused.value.status == 403
