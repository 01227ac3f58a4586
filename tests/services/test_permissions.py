"""The permissions that administrators set in `user` hold in the other services."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from lib.auth import Role
from services.product.app import create_app
from services.product.config import ProductConfig
from services.user.service.roles import BUILT_IN
from tests.grants import GRANTS
from tests.services.user.cast import actor
from tests.services.user.world import World, bearer, running_world

PRODUCTS = "/api/v1/products"
LAMP = {"name": "Lamp", "price": "12.50", "currency": "EUR"}


@pytest.fixture
async def world(new_database, tmp_path) -> AsyncIterator[World]:
    async with running_world(await new_database("user"), tmp_path) as world:
        yield world


@pytest.fixture
async def products(new_database, world: World) -> AsyncIterator[TestClient]:
    """The product service, which accepts the tokens of the user service."""
    config = ProductConfig(
        _env_file=None,
        database_url=SecretStr(await new_database("product")),
        db_pool_min=1,
        auth_jwks_url=f"{world.http._base_url}/.well-known/jwks.json",
    )
    async with TestClient(TestServer(create_app(config))) as client:
        yield client


async def test_roles_may_what_tests_of_other_services_take_for_granted(world) -> None:
    listed = await (await actor(world, Role.ADMIN)).call("GET", "/api/v1/roles")
    found = {Role(one["name"]): frozenset(one["permissions"]) for one in listed.data}
    assert {role: may for role, may in found.items() if may} == GRANTS
    assert GRANTS[Role.ADMIN] == BUILT_IN


async def test_a_role_has_what_it_is_given_in_its_next_token(world, products) -> None:
    admin = await actor(world, Role.ADMIN)
    await world.proved()

    async def adding() -> int:
        headers = bearer((await world.login()).data)
        async with products.post(PRODUCTS, json=LAMP, headers=headers) as answer:
            return answer.status

    assert await adding() == 403
    for permissions, status in ((["products:write"], 201), ([], 403)):
        given = {"permissions": permissions}
        assert (await admin.call("PUT", "/api/v1/roles/CUSTOMER", given)).status == 200
        assert await adding() == status
