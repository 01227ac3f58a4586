"""The `ETag` of an account depends on the contents that its reader sees."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from lib.auth import Role
from services.user.service.access import READ, WRITE
from tests.services.user.cast import actor


async def test_an_account_has_another_tag_for_who_may_see_what_it_earns(world) -> None:
    ann = await actor(world, Role.STAFF, "ann")
    await world.rows.make_staff(id=UUID(ann.id), age=30, salary=Decimal(1000))
    manager = await actor(world, Role.STAFF, "mary", permissions=[WRITE])
    reader = await actor(world, Role.STAFF, "rita", permissions=[WRITE, READ])
    shown = await manager.call("GET", ann.path)
    tag = {"If-None-Match": shown.headers["ETag"]}
    assert "employment" not in shown.data
    assert (await manager.call("GET", ann.path, headers=tag)).status == 304
    for caller in (reader, ann):
        answer = await caller.call("GET", ann.path, headers=tag)
        assert (answer.status, answer.data["employment"]["salary"]) == (200, "1000.00")


async def test_a_change_of_a_joined_row_changes_the_tag(world) -> None:
    ann = await actor(world, Role.STAFF, "ann")
    await world.rows.make_staff(id=UUID(ann.id), age=30, salary=Decimal(1000))
    before = await ann.call("GET", ann.path)
    await world.db.execute("UPDATE staff SET age = 31 WHERE id = $1", ann.id)
    after = await ann.call("GET", ann.path, headers={"If-None-Match": before.headers["ETag"]})
    assert (after.status, after.data["employment"]["age"]) == (200, 31)
    assert after.data["version"] == before.data["version"]


async def test_a_role_that_loses_a_permission_changes_its_tag(world) -> None:
    admin = await actor(world, Role.ADMIN)
    new = {"name": "reviews:hide", "description": "Hide reviews."}
    assert (await admin.call("POST", "/api/v1/permissions", new)).status == 204
    path, given = "/api/v1/roles/MODERATOR", {"permissions": ["users:moderate", "reviews:hide"]}
    before = await admin.call("PUT", path, given)
    seen = {"If-None-Match": before.headers["ETag"]}
    assert (await admin.call("GET", path, headers=seen)).status == 304
    assert (await admin.call("DELETE", "/api/v1/permissions/reviews:hide")).status == 204
    after = await admin.call("GET", path, headers=seen)
    assert (after.status, after.data["permissions"]) == (200, ["users:moderate"])
    assert after.data["version"] == before.data["version"]
