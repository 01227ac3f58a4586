"""Access to departments: everybody reads, and callers with the permission write."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr

from devstack.testing.auth import TestIssuer
from lib.auth import Role, SigningKey
from services.department.app import create_app
from services.department.config import DepartmentConfig

LIST = "/api/v1/departments"
ONE = f"{LIST}/01890000-0000-7000-8000-000000000d02"


@pytest.fixture
async def client(new_database, issuer):
    url = await new_database("department", demo=True)
    config = DepartmentConfig(database_url=SecretStr(url), db_pool_min=1, auth_jwks_url=issuer.url)
    async with TestClient(TestServer(create_app(config))) as client:
        yield client


@pytest.mark.parametrize("path", [LIST, ONE])
async def test_everybody_reads(client, path) -> None:
    assert (await client.get(path)).status == 200


@pytest.mark.parametrize(
    ("permissions", "status"),
    [(None, 401), ((), 403), (("users:read",), 403), (("departments:write",), 200)],
)
async def test_writing_takes_a_token_with_the_permission(
    client, issuer, permissions, status
) -> None:
    headers = {} if permissions is None else issuer.authorized(*permissions, role=Role.CUSTOMER)
    answers = {
        "POST": await client.post(LIST, json={"name": "Kitchen"}, headers=headers),
        "PATCH": await client.patch(ONE, json={"address": "Room 1"}, headers=headers),
        "DELETE": await client.delete(ONE, headers=headers),
    }
    done = {"POST": 201, "PATCH": 200, "DELETE": 204}
    expected = done if status == 200 else dict.fromkeys(done, status)
    assert {method: answer.status for method, answer in answers.items()} == expected


async def test_a_token_of_another_issuer_is_worth_nothing(client) -> None:
    stranger = TestIssuer(SigningKey.generate())
    headers = stranger.authorized("departments:write")
    assert (await client.get(LIST, headers=headers)).status == 401
    assert (await client.delete(ONE, headers=headers)).status == 401


async def test_without_the_keys_readers_are_served_and_writers_are_not(new_database) -> None:
    url = await new_database("department", demo=True)
    config = DepartmentConfig(
        database_url=SecretStr(url), db_pool_min=1, auth_jwks_url="http://127.0.0.1:1/keys"
    )
    headers = TestIssuer(SigningKey.generate()).authorized("departments:write")
    async with TestClient(TestServer(create_app(config))) as client:
        assert (await client.get(LIST)).status == 200
        assert (await client.delete(ONE, headers=headers)).status == 503
