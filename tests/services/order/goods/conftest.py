"""Goods: the real product service, a user service that a test can make fail, and a small shop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pydantic import SecretStr

from devstack.testing.auth import TestIssuer
from lib.db import Database
from lib.http.server import serve_app
from lib.ids import new_id
from services.order.config import OrderConfig
from services.product.app import create_app as create_product_app
from services.product.config import ProductConfig
from tests.services.calling import Caller, by_hand
from tests.services.order.conftest import NewConfig
from tests.services.order.goods.fakes import FakeUsers, running_users

ADD = """
INSERT INTO product (id, name, price, currency, stock) VALUES ($1, $2, $3::text::numeric, $4, $5)
"""


class Shelf:
    """The product service's database."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def add(self, *, price: str = "10.00", stock: int = 10, currency: str = "EUR") -> str:
        """Add a product; return its ID."""
        product_id = new_id()
        await self.db.execute(ADD, product_id, f"Thing {product_id}", price, currency, stock)
        return str(product_id)

    async def stock(self, product_id: str) -> int:
        """Return the quantity that is not reserved."""
        return await self.db.fetchval("SELECT stock FROM product WHERE id = $1", product_id)

    async def reservations(self) -> list[str]:
        """Return the status of all reservations."""
        rows = await self.db.fetch("SELECT status::text FROM reservation ORDER BY id")
        return [next(iter(row)) for row in rows]


@pytest.fixture
async def database_url(new_database) -> str:
    """A database without demo orders, because these tests count orders."""
    return await new_database("order")


@pytest.fixture
async def users(issuer: TestIssuer) -> AsyncIterator[FakeUsers]:
    async with running_users(issuer) as users:
        yield users


@pytest.fixture
async def shelf(new_database) -> AsyncIterator[Shelf]:
    url = await new_database("product")
    async with by_hand(url) as db:
        shelf = Shelf(db)
        shelf.url = url
        yield shelf


@pytest.fixture
async def product_url(shelf: Shelf, issuer: TestIssuer) -> AsyncIterator[str]:
    """The real product service, in this process."""
    config = ProductConfig(
        _env_file=None,
        database_url=SecretStr(shelf.url),
        db_pool_min=1,
        auth_jwks_url=issuer.url,
        rate_limit_burst=100_000,
        db_acquire_seconds=60,
        sweep_seconds=0.05,
        drain_seconds=1,
    )
    async with serve_app(create_product_app(config), config, port=0) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def new_config(new_config: NewConfig, users: FakeUsers, product_url: str) -> NewConfig:
    def new(**settings: Any) -> OrderConfig:
        given = {
            "user_url": users.url,
            "product_url": product_url,
            "auth_token_url": f"{users.url}/api/v1/auth/token",
            "auth_client_id": "order",
            "user_seconds": 30.0,
            "product_seconds": 30.0,
            "recovery_seconds": 0.05,
            "lease_seconds": 5.0,
        }
        return new_config(**(given | settings))

    return new


@pytest.fixture
async def orders_db(database_url: str) -> AsyncIterator[Database]:
    """A direct connection to the order service's database."""
    async with by_hand(database_url) as db:
        yield db


Order = Callable[..., Awaitable[dict]]


@pytest.fixture
def order(customer: Caller, shelf: Shelf) -> Order:
    """Place an order as the customer, by default of a new product; return it."""

    async def place(*lines: tuple[str, int], by: Caller = customer, **body: Any) -> dict:
        wanted = lines or ((await shelf.add(), 2),)
        body["lines"] = [{"product_id": p, "quantity": n} for p, n in wanted]
        status, answer, _ = await by("POST", "orders", json=body)
        assert status == 201, answer
        return answer["data"]

    return place


@pytest.fixture
def move(staff: Caller) -> Callable[[dict, str], Awaitable[dict]]:
    """Move an order through statuses as the staff: `await move(placed, "shipped")`."""

    async def move(placed: dict, *statuses: str) -> dict:
        for status in statuses:
            code, answer, _ = await staff(
                "PATCH",
                f"orders/{placed['id']}",
                json={"status": status},
                headers={"If-Match": "*"},
            )
            assert code == 200, answer
            placed = answer["data"]
        return placed

    return move


@pytest.fixture
def client_metrics(client: TestClient) -> Callable[[], Awaitable[str]]:
    async def text() -> str:
        async with client.get("/metrics") as answer:
            return await answer.text()

    return text
