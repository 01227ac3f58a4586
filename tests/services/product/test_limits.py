"""Each user has a limit, and so has each service, which sends requests for many users."""

from __future__ import annotations

import asyncio

from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from lib.auth import Role
from services.product.app import create_app
from services.product.config import ProductConfig

PATH = "/api/v1/products?page_size=1"


async def test_a_user_is_limited_and_a_service_by_a_limit_of_its_own(new_database, issuer) -> None:
    config = ProductConfig(
        _env_file=None,
        database_url=SecretStr(await new_database("product")),
        db_pool_min=1,
        auth_jwks_url=issuer.url,
        user_rate_limit=3,
        service_rate_limit=4,  # eight at once
    )
    async with TestClient(TestServer(create_app(config))) as client:
        for role, expected in ((Role.SERVICE, [200] * 5), (Role.STAFF, [200] * 3 + [429] * 2)):
            headers = issuer.authorized(subject=f"a {role}", role=role)
            statuses = [(await client.get(PATH, headers=headers)).status for _ in range(5)]
            assert statuses == expected
        for name, allowed in (("order", 8), ("chat", 8)):  # one that runs wild leaves room
            headers = issuer.authorized(subject=name, role=Role.SERVICE)
            calls = [client.get(PATH, headers=headers) for _ in range(40)]
            found = [answer.status for answer in await asyncio.gather(*calls)]
            assert found.count(200) in range(allowed, 40)
            assert set(found) == {200, 429}
