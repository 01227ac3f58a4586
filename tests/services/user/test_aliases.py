"""The paths of the legacy systems still lead to the same resources."""

from __future__ import annotations

import aiohttp
import pytest

from lib.auth import Role
from tests.services.user.cast import actor
from tests.services.user.drawings import picture
from tests.services.user.world import PASSWORD, bearer

PNG = picture("PNG")


@pytest.fixture
def settings(tmp_path):
    return {"files_folder": tmp_path / "files"}


async def test_an_account_is_read_changed_and_deleted_under_its_former_address(world) -> None:
    ann = await actor(world, Role.CUSTOMER, "ann")
    for path in ("/api/v1/user/me", f"/api/v1/user/{ann.id}"):
        assert (await ann.call("GET", path)).data["id"] == str(ann.id)
    changed = await ann.call("PATCH", "/api/v1/user/me", {"first_name": "Anna"})
    assert (changed.status, changed.data["first_name"]) == (200, "Anna")
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("image", PNG, filename="me.png", content_type="image/png")
    assert (await ann.call("PATCH", "/api/v1/user/me/pfp", data=form)).status == 204
    assert (await ann.call("DELETE", "/api/v1/user/me")).status == 204
    assert (await ann.call("GET", "/api/v1/users/me")).status == 404


async def test_a_put_changes_only_what_it_names_and_needs_no_condition(world) -> None:
    admin = await actor(world, Role.ADMIN, "root")
    ann = await actor(world, Role.CUSTOMER, "ann")
    before = (await admin.call("GET", f"/api/v1/users/{ann.id}")).data
    answer = await admin.call("PUT", f"/api/v1/users/{ann.id}", {"first_name": "Anna"})
    assert answer.status == 200
    same = set(before) - {"first_name", "name", "version", "updated_at", "updated_by"}
    assert {field: answer.data[field] for field in same} == {field: before[field] for field in same}
    assert answer.data["first_name"] == "Anna"
    stale = await admin.call(
        "PUT", f"/api/v1/users/{ann.id}", {"first_name": "A"}, headers={"If-Match": '"1"'}
    )
    assert stale.status == 412


async def test_a_password_is_changed_under_its_former_address(world) -> None:
    session = await world.signed_up()
    answer = await world.call(
        "PATCH",
        "/api/v1/user/me/change-password",
        {"old_password": PASSWORD, "new_password": "battery-staple-8"},
        headers=bearer(session),
    )
    assert answer.status == 204
