"""The catalog service in this process, an empty Redis database, and callers with tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer

from devstack.testing.auth import TestIssuer
from lib.auth import Role
from services.catalog.app import create_app
from services.catalog.config import CatalogConfig
from tests.services.calling import Caller, unlimited

PROVIDER = "01890000-0000-7000-8000-00000000f001"


def config_for(database_url: str, issuer: TestIssuer, redis_url: str | None) -> CatalogConfig:
    return unlimited(CatalogConfig, database_url, issuer, redis_url=redis_url)


@pytest.fixture
async def database_url(new_database) -> str:
    return await new_database("catalog", demo=True)


@pytest.fixture
async def client(
    database_url: str, issuer: TestIssuer, own_redis_url: str
) -> AsyncIterator[TestClient]:
    app = create_app(config_for(database_url, issuer, own_redis_url))
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
def anyone(client: TestClient) -> Caller:
    return Caller(client, {})


@pytest.fixture
def admin(client: TestClient, issuer: TestIssuer) -> Caller:
    return Caller(client, issuer.authorized(role=Role.ADMIN))


@pytest.fixture
def provider(client: TestClient, issuer: TestIssuer) -> Caller:
    return Caller(client, issuer.authorized(subject=PROVIDER, role=Role.PROVIDER))


@pytest.fixture
def customer(client: TestClient, issuer: TestIssuer) -> Caller:
    return Caller(client, issuer.authorized(role=Role.CUSTOMER))
