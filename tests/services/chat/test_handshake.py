"""Callers, origins, durations and frame limits of sockets."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import suppress
from datetime import timedelta

import aiohttp
import pytest

from devstack.testing.wait import eventually
from lib.auth import Role
from lib.auth.cookies import ACCESS
from services.chat.keys import CHAT
from services.chat.model.closing import Close
from services.chat.ws.endpoint import STRIKES
from services.chat.ws.sockets import SOCKETS
from tests.services.chat.replicas import Mover
from tests.services.chat.talking import CUSTOMER, PROVIDER, Talker

WS = "/api/v1/ws"
PAGE = "https://shop.example"


@pytest.fixture
def settings():
    return {"cors_origins": (PAGE, "*"), "connections_per_user": 2, "max_connections": 3}


@pytest.fixture
def token(issuer) -> str:
    return issuer.authorized(subject=CUSTOMER, role=Role.CUSTOMER)["Authorization"][7:]


async def refused(client, **options) -> tuple[int, str]:
    """Try to open a socket; return the status and the code of the error."""
    options.setdefault("headers", {})
    protocols = options.pop("protocols", ())
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        **({"Sec-WebSocket-Protocol": ", ".join(protocols)} if protocols else {}),
        **options["headers"],
    }
    async with client.get(WS, headers=headers) as answer:
        return answer.status, (await answer.json())["error"]["code"]


def shown(way: str, token: str, origin: str | None) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the headers and the subprotocols of a page that sends its token in one of the ways."""
    headers = {} if origin is None else {"Origin": origin}
    if way == "header":
        return headers | {"Authorization": f"Bearer {token}"}, ()
    if way == "cookie":
        return headers | {"Cookie": f"{ACCESS}={token}"}, ()
    return headers, ("chat.v1", f"bearer.{token}")


async def test_a_token_opens_a_socket_wherever_it_is(client, token, subtests) -> None:
    for origin in [None, PAGE, "own"]:
        for way in ["header", "subprotocol", "cookie"]:
            with subtests.test(way=way, origin=origin):
                page = f"http://127.0.0.1:{client.port}" if origin == "own" else origin
                headers, protocols = shown(way, token, page)
                protocols = protocols or ("chat.v1",)
                if way == "cookie" and origin is None:
                    assert await refused(client, headers=headers) == (403, "FORBIDDEN")
                    return
                async with client.ws_connect(WS, headers=headers, protocols=protocols) as ws:
                    assert ws.protocol == "chat.v1"
                    ready = await ws.receive_json(timeout=60)
                    assert (ready["type"], ready["user_id"]) == ("ready", CUSTOMER)


async def test_a_page_of_others_may_not(client, token, subtests) -> None:
    for origin in ["https://evil.example", "null", "https://127.0.0.1", "x"]:
        for way in ["header", "subprotocol", "cookie"]:
            with subtests.test(way=way, origin=origin):
                headers, protocols = shown(way, token, origin)
                assert await refused(client, headers=headers, protocols=protocols) == (
                    403,
                    "FORBIDDEN",
                )


async def test_without_a_good_token_there_is_no_socket(client, issuer, token) -> None:
    def bearer(**who):
        return issuer.authorized(**who)

    cases = [
        ({}, (), 401),
        ({"Authorization": "Bearer nonsense"}, (), 401),
        ({"Cookie": f"{ACCESS}=nonsense", "Origin": PAGE}, (), 401),
        ({}, ("chat.v1", "bearer.nonsense"), 401),
        ({}, ("chat.v1", f"bearer.{token}", f"bearer.{token}"), 401),
        ({}, (f"bearer.{token}",), 400),
        (bearer(subject=CUSTOMER, role=Role.CUSTOMER, verified=False), (), 403),
        (bearer(subject="order", role=Role.SERVICE), (), 403),
    ]
    for headers, protocols, status in cases:
        answered, _ = await refused(client, headers=headers, protocols=protocols)
        assert answered == status, (headers, protocols)
    async with client.get(WS, headers={"Authorization": f"Bearer {token}"}) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (400, "BAD_REQUEST")


async def test_the_token_is_in_no_log(client, token, capfd) -> None:
    async with client.ws_connect(WS, protocols=("chat.v1", f"bearer.{token}")) as ws:
        await ws.receive_json(timeout=60)
    await refused(client, protocols=(f"bearer.{token}",))
    assert token[-40:] not in "".join(capfd.readouterr())


async def test_a_socket_ends_with_its_token(client, issuer) -> None:
    short = issuer._issuer.issue(
        CUSTOMER, [Role.CUSTOMER], (), verified=True, ttl=timedelta(seconds=5)
    )
    headers = {"Authorization": f"Bearer {short.token}"}
    async with client.ws_connect(WS, headers=headers) as ws:
        talker = Talker(ws)
        assert await talker.closed() == Close.EXPIRED


async def test_the_oldest_of_a_users_sockets_gives_way(connect) -> None:
    sockets = [await connect() for _ in range(2)]
    for oldest in range(2):
        sockets.append(await connect())
        assert await sockets[oldest].closed() == Close.REPLACED
    for one in sockets[2:]:
        await one.tell("ping")
        await one.expect("pong")


async def test_the_process_takes_no_more_than_it_may(connect, client, issuer) -> None:
    for user in (CUSTOMER, CUSTOMER, PROVIDER):
        await connect(user)
    headers = issuer.authorized(subject=PROVIDER, role=Role.PROVIDER)
    assert await refused(client, headers=headers) == (503, "SERVICE_UNAVAILABLE")


async def test_a_handshake_that_meets_the_drain_is_sent_elsewhere_too(
    client, token, monkeypatch
) -> None:
    hub, sockets = client.app[CHAT].hub, client.app[SOCKETS]
    joining, drained, join = asyncio.Event(), asyncio.Event(), hub.join

    async def join_slowly(*given) -> bool:
        joining.set()
        await drained.wait()
        return await join(*given)

    monkeypatch.setattr(hub, "join", join_slowly)
    headers = {"Authorization": f"Bearer {token}"}
    opening = asyncio.create_task(client.ws_connect(WS, headers=headers))
    await joining.wait()
    await sockets.close_all(Close.RESTART)
    drained.set()
    assert await Talker(await opening).closed() == Close.RESTART
    assert await refused(client, headers=headers) == (503, "SERVICE_UNAVAILABLE")


async def test_who_is_sending_while_the_socket_closes_learns_why(client, token) -> None:
    sending = threading.Event()

    def send_a_lot() -> bytes:
        """Send frames without reading, like a phone with a bad connection; then read everything."""
        upgrade = (
            f"GET {WS} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        )
        text = b'{"type":"ping"}'
        frame = bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text
        with socket.create_connection((client.host, client.port), timeout=60) as raw:
            raw.sendall(upgrade.encode())
            got = raw.recv(65536)
            for _ in range(100):
                raw.sendall(frame * 1000)
                sending.set()
            raw.sendall(bytes([0x88, 0x80, 0, 0, 0, 0]))
            while part := raw.recv(65536):
                got += part
        return got

    told = asyncio.create_task(asyncio.to_thread(send_a_lot))
    await asyncio.to_thread(sending.wait)
    await client.app[SOCKETS].close_all(Close.RESTART)
    assert Close.RESTART.to_bytes(2, "big") + Close.RESTART.reason.encode() in await told


class TestFlood:
    @pytest.fixture
    def settings(self):
        return {"frame_rate": 0.5, "frame_burst": 5}

    async def test_a_flood_is_refused_and_then_cut_off(self, connect, channel) -> None:
        flood, other = await connect(), await connect(PROVIDER)
        await flood.send(channel, "one")
        await flood.expect("ack")
        with suppress(ConnectionError, aiohttp.ClientError):
            for number in range(STRIKES * 50):
                await flood.send(channel, f"flood {number}")
                await asyncio.sleep(0.001)
        assert await flood.closed() == Close.FLOOD
        errors = flood.of("error")
        assert {error["code"] for error in errors} == {"RATE_LIMIT_EXCEEDED"}
        assert len(errors) >= STRIKES
        assert errors[0]["retry_after"] >= 1
        assert errors[0]["client_id"].startswith("flood-")
        # Nobody else pays for it.
        await other.tell("ping")
        await other.expect("pong")

    async def test_the_limit_is_the_users_not_the_sockets(self, connect, channel) -> None:
        sockets = [await connect() for _ in range(3)]
        for one in sockets:
            for _ in range(3):
                await one.tell("ping")
        for one in sockets:
            await one.ws.send_str("x")
        refusals = 0
        for one in sockets:
            await one.expect("error")
            codes = [error["code"] for error in one.of("error")]
            refusals += codes.count("RATE_LIMIT_EXCEEDED")
        assert refusals > 0


class TestGathered:
    @pytest.fixture
    def settings(self):
        return {"frame_rate": 10.0, "frame_burst": 40}

    async def test_who_waits_when_cut_off_gets_through_whatever_had_gathered(
        self, client, issuer, channel
    ) -> None:
        headers = issuer.authorized(subject=CUSTOMER, role=Role.CUSTOMER)
        mover = Mover([str(client.make_url("")).rstrip("/")], headers, [channel])
        for number in range(80):  # before it is connected
            await mover.send(channel, f"id-{number}", f"text {number}")
        await eventually(mover.settled)
        await eventually(lambda: len(mover.sequences(channel)) == 80)
        await mover.stop()
        assert Close.FLOOD in mover.codes
