"""A service order names a service of the catalogue, if the catalogue is available."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from lib.auth import Role
from lib.http.server import serve_app
from lib.resilience.breaker import BreakerPolicy
from lib.resilience.settings import BreakerSettings
from services.catalog.app import create_app as create_catalog_app
from services.catalog.config import CatalogConfig
from services.order.app import create_app
from tests.services.calling import caller_with
from tests.services.order.conftest import CUSTOMER
from tests.services.order.marketplace.conftest import NOBODY, SERVICE, expect, new_order, refused
from tests.services.order.marketplace.fakes import Trouble

OTHER_SERVICE = "01890000-0000-7000-8000-00000000c402"
NOT_FOUND = (404, "NOT_FOUND", "service not found")


async def test_an_order_for_a_service_that_does_not_exist_is_404_and_not_kept(
    market, catalog
) -> None:
    catalog.missing.add(NOBODY)
    answer = market.customer("POST", "service-orders", json=new_order(service_id=NOBODY))
    assert await refused(answer) == NOT_FOUND
    path = "customers/me/service-orders"
    assert NOBODY not in str(await expect(200, market.customer("GET", path)))


async def test_an_order_is_not_changed_to_a_service_that_does_not_exist(market, catalog) -> None:
    order = await market.order()
    path = f"service-orders/{order['id']}"
    catalog.missing.add(NOBODY)
    answer = market.customer("PATCH", path, json={"service_id": NOBODY})
    assert await refused(answer) == NOT_FOUND
    assert (await expect(200, market.customer("GET", path)))["service_id"] == SERVICE
    changed = await expect(200, market.customer("PATCH", path, json={"service_id": OTHER_SERVICE}))
    assert changed["service_id"] == OTHER_SERVICE


async def test_an_order_whose_service_is_gone_meanwhile_is_still_changed_otherwise(
    market, catalog
) -> None:
    order = await market.order()
    catalog.missing.add(SERVICE)
    path = f"service-orders/{order['id']}"
    for changes in ({"description": "Both taps drip"}, {"service_id": SERVICE}):
        await expect(200, market.customer("PATCH", path, json=changes))


@pytest.mark.parametrize("trouble", list(Trouble))
async def test_without_an_answer_of_the_catalogue_an_order_is_accepted(
    new_config, issuer, catalog, trouble
) -> None:
    catalog.trouble = trouble
    config = new_config(catalog_seconds=0.2)
    async with TestClient(TestServer(create_app(config))) as client:
        customer = caller_with(client, issuer, CUSTOMER, Role.CUSTOMER)
        await expect(201, customer("POST", "service-orders", json=new_order()))
    assert catalog.asked


@pytest.fixture
def long_pause(monkeypatch) -> None:
    """Before the service starts, make an open circuit stay open, even on a slow machine."""
    policy = BreakerPolicy(first_open_seconds=30.0)
    monkeypatch.setattr(BreakerSettings, "breaker_policy", lambda _: policy)


@pytest.mark.usefixtures("long_pause")
async def test_the_catalogue_is_left_alone_while_its_circuit_is_open(
    market, client, catalog
) -> None:
    catalog.trouble = Trouble.BROKEN
    for _ in range(3):
        await market.order()
    async with client.get("/metrics") as answer:
        assert 'circuit_breaker_state{upstream="catalog"} 2.0' in await answer.text()
    asked = catalog.asked
    await market.order()
    assert catalog.asked == asked


async def test_services_that_do_not_exist_do_not_open_the_circuit(market, client, catalog) -> None:
    catalog.missing.add(NOBODY)
    for _ in range(6):
        body = new_order(service_id=NOBODY)
        assert await refused(market.customer("POST", "service-orders", json=body)) == NOT_FOUND
    async with client.get("/metrics") as answer:
        assert 'circuit_breaker_state{upstream="catalog"} 0.0' in await answer.text()


async def test_the_real_catalogue_is_asked_without_a_token(
    new_config, new_database, issuer
) -> None:
    catalog = CatalogConfig(
        _env_file=None,
        database_url=SecretStr(await new_database("catalog", demo=True)),
        db_pool_min=1,
        auth_jwks_url=issuer.url,
        db_acquire_seconds=60,
        drain_seconds=1,
    )
    async with serve_app(create_catalog_app(catalog), catalog, port=0) as port:
        config = new_config(catalog_url=f"http://127.0.0.1:{port}", catalog_seconds=20)
        async with TestClient(TestServer(create_app(config))) as client:
            customer = caller_with(client, issuer, CUSTOMER, Role.CUSTOMER)
            await expect(201, customer("POST", "service-orders", json=new_order()))
            body = new_order(service_id=NOBODY)
            assert await refused(customer("POST", "service-orders", json=body)) == NOT_FOUND
