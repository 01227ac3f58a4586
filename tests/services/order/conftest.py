"""The order service in this process on its own database, and callers with tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from devstack.testing.auth import TestIssuer
from lib.auth import Role
from services.order.app import create_app
from services.order.config import OrderConfig
from tests.services.calling import Caller, caller_with, unlimited

CUSTOMER = "01890000-0000-7000-8000-00000000f101"
OTHER_CUSTOMER = "01890000-0000-7000-8000-00000000f102"
PROVIDER = "01890000-0000-7000-8000-00000000f201"
OTHER_PROVIDER = "01890000-0000-7000-8000-00000000f202"

# `new_config(redis_url=…)`: a configuration for the test's database, with some things said.
NewConfig = Callable[..., OrderConfig]


@pytest.fixture
async def database_url(new_database) -> str:
    return await new_database("order", demo=True)


@pytest.fixture
def new_config(database_url: str, issuer: TestIssuer) -> NewConfig:
    def new(**settings: Any) -> OrderConfig:
        return unlimited(OrderConfig, database_url, issuer, **settings)

    return new


@pytest.fixture
async def client(new_config: NewConfig) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(create_app(new_config()))) as client:
        yield client


@pytest.fixture
def anyone(client: TestClient) -> Caller:
    return Caller(client, {})


@pytest.fixture
def customer(client: TestClient, issuer: TestIssuer) -> Caller:
    return caller_with(client, issuer, CUSTOMER, Role.CUSTOMER)


@pytest.fixture
def other_customer(client: TestClient, issuer: TestIssuer) -> Caller:
    return caller_with(client, issuer, OTHER_CUSTOMER, Role.CUSTOMER)


@pytest.fixture
def provider(client: TestClient, issuer: TestIssuer) -> Caller:
    return caller_with(client, issuer, PROVIDER, Role.PROVIDER)


@pytest.fixture
def other_provider(client: TestClient, issuer: TestIssuer) -> Caller:
    return caller_with(client, issuer, OTHER_PROVIDER, Role.PROVIDER)


@pytest.fixture
def staff(client: TestClient, issuer: TestIssuer) -> Caller:
    return caller_with(client, issuer, "01890000-0000-7000-8000-00000000f301", Role.STAFF)


@pytest.fixture
def admin(client: TestClient, issuer: TestIssuer) -> Caller:
    return caller_with(client, issuer, "01890000-0000-7000-8000-00000000f302", Role.ADMIN)
