"""Sockets that send frames without content at full speed, which cost the server work."""

from __future__ import annotations

import asyncio
import random
import struct
import time
from collections.abc import Iterator
from uuid import UUID

import pytest
from aiohttp.test_utils import TestClient, TestServer

from lib.auth import Role
from services.chat.app import create_app
from services.chat.model.allowance import Allowance, WireLimits
from services.chat.model.closing import Close
from services.chat.model.frame_counter import FrameCounter
from services.chat.ws.meter import Meter
from tests.services.chat.conftest import config_for
from tests.services.chat.talking import CUSTOMER, PROVIDER, STRANGER

BURST, RATE = 5, 0.5
# Of any kind, in the settings of these tests: five for each that says something.
ALLOWED = 5 * BURST
MASK = b"\0\0\0\0"
TEXT, FRAGMENT, CONTINUATION, CLOSE, PING, PONG = 0x81, 0x01, 0x00, 0x88, 0x89, 0x8A
PONG_BACK = bytes([0x8A])


def frame(first: int, payload: bytes = b"") -> bytes:
    """Return a masked frame, as clients send it."""
    size = len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65536:
        length = bytes([0x80 | 126]) + struct.pack(">H", size)
    else:
        length = bytes([0x80 | 127]) + struct.pack(">Q", size)
    return bytes([first]) + length + MASK + payload


FLOODS = {
    "pings": frame(PING) * 10_000,
    "full pings": frame(PING, b"x" * 125) * 10_000,
    "pongs": frame(PONG) * 10_000,
    "empty continuations": frame(FRAGMENT) + frame(CONTINUATION) * 10_000,
    "empty texts": frame(TEXT) * 10_000,
}


def token_of(issuer, user: str) -> str:
    return issuer.authorized(subject=user, role=Role.CUSTOMER)["Authorization"].split()[1]


def upgrade(token: str) -> bytes:
    return (
        f"GET /api/v1/ws HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
    ).encode()


class Attacker:
    """A raw connection that sends as fast as it can."""

    def __init__(self, client, issuer, user: str) -> None:
        self._client = client
        self.token = token_of(issuer, user)
        self.received = b""

    async def flood(self, data: bytes) -> None:
        """Connect, send everything that the server accepts, and read until the server closes."""
        reader, writer = await asyncio.open_connection(self._client.host, self._client.port)
        writer.write(upgrade(self.token))
        await reader.readuntil(b"\r\n\r\n")

        async def read() -> None:
            while part := await reader.read(65536):
                self.received += part

        async def send() -> None:
            writer.write(data)
            await writer.drain()

        sending = asyncio.create_task(send())
        try:
            async with asyncio.timeout(30):
                await asyncio.gather(read(), return_exceptions=True)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
            writer.transport.abort()

    def pongs(self) -> int:
        return self.received.count(PONG_BACK + b"\x00") + self.received.count(PONG_BACK + b"\x7d")


@pytest.fixture
def settings():
    return {"frame_rate": RATE, "frame_burst": BURST}


@pytest.mark.parametrize("kind", FLOODS)
async def test_a_flood_of_frames_of_any_kind_closes_the_socket(client, issuer, kind) -> None:
    attacker, began = Attacker(client, issuer, CUSTOMER), time.monotonic()
    await attacker.flood(FLOODS[kind])
    close = bytes([0x88, len(Close.FLOOD.reason) + 2]) + Close.FLOOD.value.to_bytes(2, "big")
    assert close in attacker.received
    # Of the thousands that were sent it has answered what is allowed, and decoded no other.
    grown_back = (time.monotonic() - began) * 5 * RATE
    assert attacker.pongs() <= ALLOWED + grown_back


async def test_to_connect_again_does_not_renew_what_may_be_sent(client, issuer) -> None:
    attacker, began = Attacker(client, issuer, CUSTOMER), time.monotonic()
    for _ in range(4):
        await attacker.flood(frame(PING) * (ALLOWED - 5) + frame(CLOSE))
    grown_back = (time.monotonic() - began) * 5 * RATE
    assert 0 < attacker.pongs() <= ALLOWED + grown_back


async def test_one_user_who_floods_costs_another_nothing(client, issuer, connect, channel) -> None:
    other = await connect(PROVIDER)
    await Attacker(client, issuer, CUSTOMER).flood(FLOODS["pings"])
    await other.send(channel, "still here")
    await other.expect("ack")


async def test_frames_before_the_answer_to_the_handshake_are_refused(client, issuer) -> None:
    """They would be decoded before any limit could count them."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    token = token_of(issuer, CUSTOMER)
    writer.write(upgrade(token) + frame(PING) * 1000)
    status = await reader.readline()
    assert status.split()[1] == b"400"
    writer.transport.abort()


async def test_sockets_of_one_address_are_bounded(database_url, issuer, own_redis_url) -> None:
    few = {"connections_per_address": 3}
    app = create_app(config_for(database_url, issuer, own_redis_url, **few))
    async with TestClient(TestServer(app)) as client:
        open_now = []
        for user in (CUSTOMER, PROVIDER, STRANGER):
            headers = issuer.authorized(subject=user, role=Role.CUSTOMER)
            open_now.append(await client.ws_connect("/api/v1/ws", headers=headers))
        headers = {
            **issuer.authorized(subject=CUSTOMER, role=Role.CUSTOMER),
            "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
        }  # fmt: skip
        async with client.get("/api/v1/ws", headers=headers) as answer:
            assert answer.status == 429
            assert (await answer.json())["error"]["code"] == "RATE_LIMIT_EXCEEDED"
        await open_now[0].close()
        again = {**headers, "X-Forwarded-For": "198.51.100.7"}
        # Another client behind a trusted proxy is another address.
        async with client.ws_connect(
            "/api/v1/ws",
            headers=issuer.authorized(subject=CUSTOMER, role=Role.CUSTOMER)
            | {"X-Forwarded-For": again["X-Forwarded-For"]},
        ) as elsewhere:
            assert (await elsewhere.receive()).type.name == "TEXT"
        for ws in open_now:
            await ws.close()


def pieces(data: bytes, dice: random.Random) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size = dice.choice((1, 2, 3, 7, 14, 100, 70_000))
        yield data[at : at + size]
        at += size


def test_frames_are_counted_in_whatever_pieces_they_come() -> None:
    dice = random.Random(7)
    for _ in range(200):
        sizes = [dice.choice((0, 1, 125, 126, 127, 65_535, 65_536, 70_001)) for _ in range(8)]
        data = b"".join(
            frame(TEXT, b"\x89\x80" * (size // 2) + b"x" * (size % 2)) for size in sizes
        )
        counter = FrameCounter()
        assert sum(counter.count(part, 1000) for part in pieces(data, dice)) == len(sizes)


def test_counting_stops_at_the_limit() -> None:
    assert FrameCounter().count(FLOODS["pings"], 25) == 26


def test_an_allowance_grows_back_to_its_burst_and_counts_bytes_too() -> None:
    now = 0.0
    allowance = Allowance(WireLimits(10.0, 50, 1000.0, 4000), lambda: now)
    assert allowance.frames_left() == 50
    assert allowance.take(50, 100)
    assert allowance.frames_left() == 0
    now = 1.0
    assert allowance.frames_left() == 10
    now = 1000.0
    assert allowance.frames_left() == 50
    assert allowance.take(1, 4000)
    allowance.frames_left()
    assert not allowance.take(1, 1)


def test_a_meter_keeps_the_allowances_of_many_users_and_not_of_all() -> None:
    meter = Meter(WireLimits(1.0, 10, 1000.0, 4000), clock=lambda: 0.0)
    first = meter.allowance(UUID(int=0))
    assert meter.allowance(UUID(int=0)) is first
    for n in range(1, 10_001):
        meter.allowance(UUID(int=n))
    assert meter.allowance(UUID(int=0)) is not first
