"""The catalogue no longer lists a provider after the end of the account is reported."""

from __future__ import annotations

from datetime import datetime, timedelta

import asyncpg
import pytest
from redis.asyncio import Redis

from devstack.testing.wait import eventually
from lib.clock import utc_now
from lib.events import stream_of
from tests.services.calling import Caller
from tests.services.catalog.conftest import PROVIDER
from tests.services.telling import tell

SERVICES = ("01890000-0000-7000-8000-00000000c401", "01890000-0000-7000-8000-00000000c402")
OFFERED = f"providers/{PROVIDER}/services"


async def take_up(provider: Caller) -> None:
    for service in SERVICES:
        status, body, _ = await provider("POST", OFFERED, json={"service_id": service})
        assert status in (200, 201), body


async def offered(anyone: Caller) -> int:
    status, body, _ = await anyone("GET", OFFERED)
    assert status == 200, body
    return len(body["data"])


async def told(redis: Redis, kind: str, *, at: datetime | None = None, **payload: str) -> None:
    await tell(redis, "users", kind, {"id": PROVIDER, **payload}, at=at)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("user.deleted", {}),
        ("user.deactivated", {}),
        ("user.role_changed", {"role": "CUSTOMER"}),
    ],
)
async def test_a_provider_who_is_gone_offers_nothing_and_the_cache_knows(
    anyone, provider, redis, database_url, kind, payload
) -> None:
    await take_up(provider)
    assert await offered(anyone) == len(SERVICES)
    await told(redis, kind, **payload)
    connection = await asyncpg.connect(database_url)
    try:
        left = await connection.fetchval(
            "SELECT count(*) FROM provider_service WHERE provider_id = $1", PROVIDER
        )
    finally:
        await connection.close()
    assert left == 0

    async def nothing() -> bool:
        return await offered(anyone) == 0

    async def told_of() -> bool:
        entries = await redis.xrange(stream_of("catalog"))
        kinds = [fields[b"kind"] for _, fields in entries]
        return kinds.count(b"provider_service.removed") == len(SERVICES)

    await eventually(nothing)
    await eventually(told_of)


async def test_what_is_no_departure_or_came_before_they_took_it_up_changes_nothing(
    anyone, provider, redis
) -> None:
    await take_up(provider)
    await told(redis, "user.deactivated", at=utc_now() - timedelta(minutes=1))
    await told(redis, "user.role_changed", role="PROVIDER")
    await told(redis, "user.updated")
    assert await offered(anyone) == len(SERVICES)
