"""Custom roles: their permissions, who may assign them, and their deletion."""

from __future__ import annotations

import asyncio
import base64
import json

import pytest

from lib.auth import Role
from services.user.service import custom_roles
from tests.services.user.cast import PERMISSIONS, actor
from tests.services.user.world import bearer

ROLES = "/api/v1/roles"
USERS = "/api/v1/users"
CLERK = {
    "name": "CLERK",
    "kind": "STAFF",
    "description": "Writes products, nothing else.",
    "permissions": ["products:write"],
}


async def created(world):
    """The administrator, who has created the role CLERK."""
    admin = await actor(world, Role.ADMIN)
    answer = await admin.call("POST", ROLES, CLERK)
    assert answer.status == 201, answer.message
    return admin


async def test_a_role_is_created_shown_changed_and_deleted(world) -> None:
    admin = await created(world)
    shown = await admin.call("GET", f"{ROLES}/clerk")
    expected = {**CLERK, "custom": True, "version": 1}
    assert {name: shown.data[name] for name in expected} == expected
    listed = (await admin.call("GET", ROLES)).data
    assert [role["name"] for role in listed if role["custom"]] == ["CLERK"]
    assert len(listed) == len(Role) + 1
    tag = {"If-Match": shown.headers["ETag"]}
    wanted = {"permissions": ["catalog:write", "products:write"]}
    changed = await admin.call("PUT", f"{ROLES}/CLERK", wanted, headers=tag)
    assert (changed.data["permissions"], changed.data["version"]) == (wanted["permissions"], 2)
    assert (await admin.call("PUT", f"{ROLES}/CLERK", wanted, headers=tag)).status == 412
    assert (await admin.call("DELETE", f"{ROLES}/CLERK", headers=tag)).status == 412
    assert (await admin.call("DELETE", f"{ROLES}/CLERK")).status == 204
    assert (await admin.call("DELETE", f"{ROLES}/CLERK")).status == 404
    assert (await admin.call("GET", f"{ROLES}/CLERK")).status == 404
    told = "SELECT action FROM audit_entry WHERE resource_id = 'CLERK' ORDER BY at, id"
    actions = [row["action"] for row in await world.db.fetch(told)]
    assert actions == ["role.created", "role.changed", "role.removed"]


async def test_roles_created_at_once_do_not_pass_the_limit(world, monkeypatch) -> None:
    monkeypatch.setattr(custom_roles, "MOST", 3)
    admin = await created(world)
    answers = await asyncio.gather(
        *(admin.call("POST", ROLES, {**CLERK, "name": f"CLERK_{at}"}) for at in range(8))
    )
    assert sorted(answer.status for answer in answers) == [201] * 2 + [409] * 6


async def test_who_has_a_created_role_may_do_what_it_says_and_not_what_its_kind_may(world) -> None:
    admin = await created(world)
    session = await world.proved()
    path = f"{USERS}/{session['user_id']}"
    assert (await admin.call("PUT", f"{path}/role", {"role": "CLERK"})).status == 204
    refreshed = await world.post("refresh", {"refresh_token": session["refresh_token"]})
    assert refreshed.status == 401
    again = (await world.login()).data
    assert again["role"] == "STAFF"
    _, payload, _ = again["access_token"].split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert said["scope"] == "products:write"
    # The staff may list people, this role may not.
    assert (await world.call("GET", USERS, headers=bearer(again))).status == 403
    me = (await world.call("GET", f"{USERS}/me", headers=bearer(again))).data
    assert (me["role"], me["custom_role"]) == ("STAFF", "CLERK")
    more = {"permissions": ["products:write", "users:read"]}
    assert (await admin.call("PUT", f"{ROLES}/CLERK", more)).status == 200
    later = (await world.post("refresh", {"refresh_token": again["refresh_token"]})).data
    assert (await world.call("GET", USERS, headers=bearer(later))).status == 200


async def test_a_role_that_somebody_has_is_not_deleted_until_they_have_another(world) -> None:
    admin, bob = await created(world), await actor(world, Role.CUSTOMER, "bob")
    for _ in range(2):
        assert (await admin.call("PUT", f"{bob.path}/role", {"role": "CLERK"})).status == 204
    refused = await admin.call("DELETE", f"{ROLES}/CLERK")
    assert (refused.status, refused.message) == (409, "an account has this role")
    assert (await admin.call("PUT", f"{bob.path}/role", {"role": "STAFF"})).status == 204
    kept = "SELECT custom_role FROM account WHERE id = $1"
    assert await world.db.fetchval(kept, bob.id) is None
    assert (await admin.call("DELETE", f"{ROLES}/CLERK")).status == 204


async def test_who_deletes_their_account_keeps_no_role_from_being_deleted(world) -> None:
    admin, bob = await created(world), await actor(world, Role.CUSTOMER, "bob")
    assert (await admin.call("PUT", f"{bob.path}/role", {"role": "CLERK"})).status == 204
    assert (await admin.call("DELETE", bob.path)).status == 204
    assert (await admin.call("DELETE", f"{ROLES}/CLERK")).status == 204


async def test_a_bad_role_is_refused(world, subtests) -> None:
    admin = await created(world)
    for method, path, body, status in [
        ("POST", ROLES, CLERK, 409),
        ("POST", ROLES, {**CLERK, "name": "STAFF"}, 409),
        ("POST", ROLES, {**CLERK, "name": "KING", "kind": "ADMIN"}, 409),
        ("POST", ROLES, {**CLERK, "name": "ROBOT", "kind": "SERVICE"}, 409),
        ("POST", ROLES, {**CLERK, "name": "KING", "kind": "KING"}, 400),
        ("POST", ROLES, {**CLERK, "name": "a clerk"}, 400),
        ("POST", ROLES, {**CLERK, "name": "OTHER", "permissions": ["no:such"]}, 400),
        ("PUT", f"{ROLES}/KING", {"permissions": []}, 404),
        ("PUT", f"{ROLES}/CLERK", {"permissions": ["no:such"]}, 400),
        ("GET", f"{ROLES}/%00", None, 404),
        ("DELETE", f"{ROLES}/%00", None, 404),
        ("DELETE", f"{ROLES}/STAFF", None, 409),
        ("DELETE", f"{ROLES}/KING", None, 404),
    ]:
        with subtests.test(method=method):
            assert (await admin.call(method, path, body)).status == status


async def test_what_is_no_role_is_given_to_nobody(world) -> None:
    admin, bob = await created(world), await actor(world, Role.CUSTOMER, "bob")
    assert (await admin.call("PUT", f"{bob.path}/role", {"role": "KING"})).status == 400


async def test_a_role_of_providers_is_given_to_none_who_is_no_provider(world) -> None:
    admin, bob = await created(world), await actor(world, Role.CUSTOMER, "bob")
    new = {**CLERK, "name": "PLUMBER", "kind": "PROVIDER"}
    assert (await admin.call("POST", ROLES, new)).status == 201
    assert (await admin.call("PUT", f"{bob.path}/role", {"role": "PLUMBER"})).status == 409


async def test_who_is_no_administrator_creates_and_gives_nothing_beyond_themselves(world) -> None:
    await created(world)
    granted = [*PERMISSIONS[Role.MODERATOR], "roles:read", "roles:write"]
    deputy = await actor(world, Role.MODERATOR, permissions=granted)
    friend = await actor(world, Role.CUSTOMER)
    beyond = {**CLERK, "name": "MINE"}
    assert (await deputy.call("POST", ROLES, beyond)).status == 403
    within = {**beyond, "permissions": ["users:moderate"]}
    assert (await deputy.call("POST", ROLES, within)).status == 201
    more = {"permissions": ["users:write"]}
    assert (await deputy.call("PUT", f"{ROLES}/MINE", more)).status == 403
    for path in (deputy.path, friend.path):
        answer = await deputy.call("PUT", f"{path}/role", {"role": "CLERK"})
        assert (answer.status, answer.message) == (
            403,
            "the role has permissions that you do not have",
        )
    assert (await deputy.call("PUT", f"{friend.path}/role", {"role": "MINE"})).status == 204


async def test_an_account_whose_own_role_may_do_more_is_not_taken_over(world) -> None:
    admin = await created(world)
    moderator = await actor(world, Role.MODERATOR)
    bob = await actor(world, Role.CUSTOMER, "bob")
    assert (await admin.call("PUT", f"{bob.path}/role", {"role": "CLERK"})).status == 204
    answer = await moderator.call("PATCH", bob.path, {"email": "mine@example.com"})
    assert (answer.status, answer.message) == (
        403,
        "the account has permissions that you do not have",
    )


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.STAFF, Role.MODERATOR])
async def test_only_who_writes_roles_creates_and_deletes_them(world, role) -> None:
    await created(world)
    caller = await actor(world, role, "caller")
    assert (await caller.call("POST", ROLES, {**CLERK, "name": "OTHER"})).status == 403
    assert (await caller.call("DELETE", f"{ROLES}/CLERK")).status == 403
    assert (await world.call("POST", ROLES, CLERK)).status == 401
