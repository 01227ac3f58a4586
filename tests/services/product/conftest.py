"""The product service in this process, on each engine, and callers with tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from devstack.testing.auth import TestIssuer
from lib.auth import Role
from services.product.app import create_app
from services.product.config import ProductConfig
from services.product.routes.reservations import RESERVE
from tests.services.calling import Caller, by_hand


@pytest.fixture
async def database_url(new_engine_database) -> str:
    """The URL on each of the two engines."""
    return await new_engine_database("product", demo=True)


def client_of(database_url: str, issuer: TestIssuer) -> TestClient:
    """Return a client of the service on a database."""
    config = ProductConfig(
        _env_file=None,
        database_url=SecretStr(database_url),
        db_pool_min=1,
        sweep_seconds=0.05,
        auth_jwks_url=issuer.url,
    )
    return TestClient(TestServer(create_app(config)))


@pytest.fixture
async def client(database_url: str, issuer: TestIssuer) -> AsyncIterator[TestClient]:
    async with client_of(database_url, issuer) as client:
        yield client


async def rows_of(database_url: str, query: str) -> list[tuple]:
    """Query the database directly."""
    async with by_hand(database_url) as db:
        return [tuple(row) for row in await db.fetch(query)]


@pytest.fixture
def anyone(client: TestClient) -> Caller:
    return Caller(client, {})


@pytest.fixture
def customer(client: TestClient, issuer: TestIssuer) -> Caller:
    return Caller(client, issuer.authorized(subject="a-customer", role=Role.CUSTOMER))


@pytest.fixture
def staff(client: TestClient, issuer: TestIssuer) -> Caller:
    return Caller(client, issuer.authorized(subject="a-clerk", role=Role.STAFF))


@pytest.fixture
def shop(client: TestClient, issuer: TestIssuer) -> Caller:
    """The service that sells the products."""
    return Caller(client, issuer.authorized(RESERVE, subject="order", role=Role.SERVICE))


@pytest.fixture
def other_shop(client: TestClient, issuer: TestIssuer) -> Caller:
    return Caller(client, issuer.authorized(RESERVE, subject="another", role=Role.SERVICE))
