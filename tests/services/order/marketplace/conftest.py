"""Shortcuts to service orders, offers and jobs, all created over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from lib.auth import Role
from tests.services.calling import Caller, caller_with
from tests.services.order.conftest import NewConfig
from tests.services.order.marketplace.fakes import FakeCatalog, running_catalog

EUR = "01890000-0000-7000-8000-00000000e101"
USD = "01890000-0000-7000-8000-00000000e102"
BERLIN = "01890000-0000-7000-8000-00000000e201"
HAMBURG = "01890000-0000-7000-8000-00000000e202"
SERVICE = "01890000-0000-7000-8000-00000000c401"
NOBODY = "01890000-0000-7000-8000-00000000dead"


def after(**spans: float) -> str:
    """`after(hours=3)` is the time in three hours, in the format of a request."""
    return (datetime.now(UTC) + timedelta(**spans)).isoformat()


def new_order(**changes) -> dict:
    return {
        "service_id": SERVICE,
        "location": {"longitude": 13.4, "latitude": 52.5},
        "time_start": after(days=1),
        "time_end": after(days=2),
        "description": "The tap drips",
        **changes,
    }


def new_offer(order: dict, **changes) -> dict:
    return {
        "order_id": order["id"],
        "price": "80.00",
        "currency_id": EUR,
        "book_time": order["time_start"],
        **changes,
    }


def agreed(offer: dict) -> dict:
    """Return a body that accepts an offer at the price that was read."""
    return {"offer_id": offer["id"], "price": offer["price"], "currency": offer["currency"]}


async def expect(status: int, answer) -> dict:
    """Return the data of a response that must have this status."""
    found, body, _ = await answer
    assert found == status, body
    return body["data"] if body is not None else {}


async def refused(answer) -> tuple[int, str, str]:
    """Return the status, code and message of an error."""
    status, body, _ = await answer
    assert status >= 400, body
    return status, body["error"]["code"], body["error"]["message"]


@dataclass
class Market:
    """A customer, a provider, and their actions."""

    customer: Caller
    provider: Caller

    async def order(self, **changes) -> dict:
        return await expect(201, self.customer("POST", "service-orders", json=new_order(**changes)))

    async def offer(self, order: dict, *, by: Caller | None = None, **changes) -> dict:
        maker = by or self.provider
        return await expect(201, maker("POST", "offers", json=new_offer(order, **changes)))

    async def accepting(self, offer: dict, *, by: Caller | None = None, **headers: str):
        """Accept an offer as it was read; return status, body and headers."""
        seen = {"If-Match": f'"{offer["version"]}"', **headers}
        return await (by or self.customer)("POST", f"offers/{offer['id']}/accept", headers=seen)

    async def accept(self, offer: dict) -> dict:
        return await expect(201, self.accepting(offer))

    async def job(self, *statuses: str) -> dict:
        """Return a job, moved by its provider through `statuses` and completed by its customer."""
        job = await self.accept(await self.offer(await self.order()))
        for status in statuses:
            path = f"jobs/{job['id']}"
            side = self.customer if status == "COMPLETED" else self.provider
            job = await expect(200, side("PATCH", path, json={"status": status}))
        return job

    async def done(self) -> dict:
        return await self.job("IN_PROGRESS", "COMPLETED")


@pytest.fixture
async def catalog() -> AsyncIterator[FakeCatalog]:
    async with running_catalog() as catalog:
        yield catalog


@pytest.fixture
def new_config(new_config: NewConfig, catalog: FakeCatalog) -> NewConfig:
    def new(**settings):
        # The sweep stays out of the way: tests say themselves when the time of an order is over.
        given = {"catalog_url": catalog.url, "sweep_seconds": 3600.0}
        return new_config(**(given | settings))

    return new


@pytest.fixture
def market(customer: Caller, provider: Caller) -> Market:
    return Market(customer, provider)


@pytest.fixture
def moderator(client, issuer) -> Caller:
    subject = "01890000-0000-7000-8000-00000000f303"
    return caller_with(client, issuer, subject, Role.MODERATOR)


@pytest.fixture
async def sql(database_url: str):
    """Return a connection to the service's database."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


class Explaining:
    """An executor that requests the plan of a query and returns no rows."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.plan = ""

    async def fetch(self, query: str, /, *args: object) -> list:
        rows = await self._connection.fetch(f"EXPLAIN {query}", *args)
        self.plan = "\n".join(row[0] for row in rows)
        return []

    async def fetchval(self, query: str, /, *args: object) -> int:
        return 0


@pytest.fixture
def explaining(sql) -> Explaining:
    return Explaining(sql)
