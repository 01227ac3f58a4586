"""The use of a stolen access token after its owner's logout, or without the password."""

from __future__ import annotations

import pytest

from lib.auth import Role
from services.user.service.roles import BUILT_IN
from tests.services.running import ISSUER
from tests.services.user.cast import actor
from tests.services.user.world import bearer

USERS = "/api/v1/users"
ADA = {"email": "ada@example.com", "first_name": "Ada", "last_name": "Lovelace"}
# What makes an administrator, directly or in the end.
RISING = [
    ("PUT", "{bob}/role", {"role": "ADMIN"}),
    ("POST", USERS, {**ADA, "role": "ADMIN"}),
    ("PUT", "/api/v1/roles/STAFF", {"permissions": ["users:write", "roles:write"]}),
    ("POST", "/api/v1/permissions", {"name": "users:rule", "description": "Everything"}),
    ("DELETE", "/api/v1/permissions/reports:read", None),
    ("PATCH", "{bob}", {"email": "mallory@example.com"}),
]
# What else is not for whoever has found a token.
SENSITIVE = [
    *RISING,
    ("GET", "/api/v1/audit", None),
    ("GET", f"{USERS}?kind=all", None),
    ("GET", "{bob}", None),
    ("POST", "{bob}/deactivate", None),
    ("DELETE", "{bob}", None),
    ("GET", "/api/v1/roles", None),
]


@pytest.fixture
async def world(world):
    await world.db.execute("INSERT INTO permission VALUES ('reports:read', 'Reports')")
    return world


async def administrator(world):
    """A caller who has signed in as an administrator."""
    await world.register()
    await world.db.execute("UPDATE account SET role = 'ADMIN', verified = true")
    return (await world.login()).data


async def test_a_token_of_a_session_that_has_ended_does_nothing_of_weight(world, subtests) -> None:
    stolen = await administrator(world)
    bob = await actor(world, Role.CUSTOMER, "bob")
    assert (await world.post("logout-all", headers=bearer(stolen))).status == 204
    for method, path, body in SENSITIVE:
        with subtests.test(method=method):
            answer = await world.call(
                method, path.format(bob=bob.path), body, headers=bearer(stolen)
            )
            assert (answer.status, answer.message) == (403, "your session has ended; sign in again")


async def test_an_old_sign_in_gives_nobody_more_than_they_have(world, subtests) -> None:
    stolen = await administrator(world)
    bob = await actor(world, Role.CUSTOMER, "bob")
    await world.db.execute("UPDATE session SET created_at = now() - interval '16 minutes'")
    refreshed = (await world.post("refresh", {"refresh_token": stolen["refresh_token"]})).data
    for method, path, body in RISING:
        with subtests.test(method=method):
            where = path.format(bob=bob.path)
            answer = await world.call(method, where, body, headers=bearer(refreshed))
            assert (answer.status, answer.message) == (
                403,
                "this request requires a recent sign-in: sign in again",
            )
            fresh = (await world.login()).data
            assert (await world.call(method, where, body, headers=bearer(fresh))).status < 300


@pytest.mark.parametrize(
    ("method", "body"), [("PATCH", {"email": "mallory@example.com"}), ("DELETE", None)]
)
async def test_nor_does_it_take_over_or_remove_ones_own_account(world, method, body) -> None:
    stolen = await world.signed_up()
    assert (await world.post("logout-all", headers=bearer(stolen))).status == 204
    answer = await world.call(method, f"{USERS}/me", body, headers=bearer(stolen))
    assert (answer.status, answer.message) == (403, "your session has ended; sign in again")
    assert (await world.login()).status == 200


async def test_a_session_of_somebody_else_does_not_help(world) -> None:
    stolen, other = await administrator(world), await world.signed_up("eve@example.com")
    session = await world.db.fetchval(
        "SELECT id::text FROM session WHERE account_id = $1", other["user_id"]
    )
    forged = ISSUER.authorized(
        *BUILT_IN, subject=stolen["user_id"], role=Role.ADMIN, session=session
    )
    assert (await world.call("GET", "/api/v1/audit", headers=forged)).status == 403
