"""The shop on the shared PostgreSQL, and clients of its tools over both transports."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.mcp.shop import TOKENS, Shop, made_in, over_http
from tests.servers.ports import free_port
from tests.servers.postgres import TestPostgres

Connect = Callable[[str], AbstractAsyncContextManager[Client]]


@pytest.fixture(scope="session")
def shop(postgres_server: TestPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop, its database and its role."""
    owner = postgres_server.create_empty("shop")
    yield made_in(tmp_path_factory.mktemp("shop"), owner, f"tools_{secrets.token_hex(4)}")
    postgres_server.drop(owner)


@pytest.fixture(scope="session")
def served(shop: Shop) -> Iterator[str]:
    """The URL of the shop's tools over HTTP, with tokens."""
    with over_http(shop, free_port(), "--tokens", "tokens.json", "--audit", "audit.jsonl") as url:
        yield url


@pytest.fixture
def connected(served: str) -> Connect:
    """Connect over HTTP as the caller with this name."""

    @asynccontextmanager
    async def connect(name: str) -> AsyncIterator[Client]:
        headers = {"Authorization": f"Bearer {TOKENS[name]}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30) as http,
            Client(streamable_http_client(served, http_client=http)) as client,
        ):
            yield client

    return connect
