"""The chat service in this process, a channel between two people, and their sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from aiohttp.test_utils import TestClient, TestServer

from devstack.testing.auth import TestIssuer
from lib.auth import Role
from lib.db import Database
from services.chat.app import create_app
from services.chat.config import ChatConfig
from tests.services.calling import unlimited
from tests.services.chat.talking import CUSTOMER, PROVIDER, Talker, open_between

Connect = Callable[..., Awaitable[Talker]]


def config_for(database_url: str, issuer: TestIssuer, redis_url: str | None, **more) -> ChatConfig:
    frames = {"frame_rate": 100_000.0, "frame_burst": 100_000, "byte_burst": 1_000_000_000}
    return unlimited(ChatConfig, database_url, issuer, redis_url=redis_url, **(frames | more))


@pytest.fixture
async def database_url(new_database) -> str:
    return await new_database("chat")


@pytest.fixture
async def channel(db: Database) -> str:
    """The ID of a channel between `CUSTOMER` and `PROVIDER`."""
    return await open_between(db)


@pytest.fixture
def settings() -> dict[str, object]:
    """The settings that a module's tests change."""
    return {}


@pytest.fixture
async def client(
    database_url: str, issuer: TestIssuer, own_redis_url: str, settings
) -> AsyncIterator[TestClient]:
    app = create_app(config_for(database_url, issuer, own_redis_url, **settings))
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
async def connect(client: TestClient, issuer: TestIssuer) -> AsyncIterator[Connect]:
    """Open sockets: `await connect(CUSTOMER, resume={})`; None means no resume yet."""
    opened: list[Talker] = []

    async def open_socket(
        user: str = CUSTOMER, *, resume: dict[str, int] | None = None, live: bool = True,
        session: str = "", **options,
    ) -> Talker:  # fmt: skip
        headers = issuer.authorized(subject=user, role=Role.CUSTOMER, session=session)
        ws = await client.ws_connect("/api/v1/ws", headers=headers, **options)
        talker = Talker(ws)
        opened.append(talker)
        await talker.expect("ready")
        if live:
            await talker.tell("resume", channels=resume or {})
            await talker.expect("resumed")
        return talker

    yield open_socket
    for talker in opened:
        await talker.close()


@pytest.fixture
def call(client: TestClient, issuer: TestIssuer):
    """Send a request as a user: `await call(CUSTOMER, "GET", "channels")`."""

    async def send(user: str, method: str, path: str, *, role=Role.CUSTOMER, **options):
        headers = issuer.authorized(subject=user, role=role)
        async with client.request(method, f"/api/v1/{path}", headers=headers, **options) as answer:
            body = await answer.json() if await answer.read() else None
            return answer.status, body

    return send


@pytest.fixture
async def two(connect: Connect, channel: str) -> tuple[Talker, Talker]:
    """The sockets of the customer and the provider."""
    return await connect(CUSTOMER), await connect(PROVIDER)
