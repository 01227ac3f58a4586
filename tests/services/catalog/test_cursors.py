"""The lists of services and of providers by cursors return each item once."""

from __future__ import annotations

import pytest

from lib.auth import Role
from lib.ids import new_id
from tests.services.calling import caller_with
from tests.services.catalog.test_levels import SERVICES
from tests.services.catalog.test_providers import INSTALL, REPAIR
from tests.services.walking import (
    at_most,
    by,
    check_each_once,
    check_refused,
    first_cursor,
    spoilt,
)

SUBCATEGORY = SERVICES[3]["subcategory_id"]


@pytest.fixture
async def some(admin) -> None:
    for number in range(5):
        await add(admin, f"Service {number}")


async def add(admin, name: str) -> None:
    body = {"subcategory_id": SUBCATEGORY, "name": name, "description": "any"}
    status, answer, _ = await admin("POST", "services", json=body)
    assert status == 201, answer


@pytest.mark.parametrize("sort", ["asc", "desc"])
@pytest.mark.parametrize("order_by", ["name", "created_at"])
@pytest.mark.parametrize(
    "path", ["services?", f"subcategories/{SUBCATEGORY}/services?", "services?search=a&"]
)
async def test_cursors_lead_to_each_service_once_while_others_are_added(
    some, anyone, admin, path, order_by, sort
) -> None:
    query = f"{path}order_by={order_by}&sort={sort}"
    more = iter(["Aardvarks walked", "Moles moved", "Zebras washed"])

    async def join() -> None:
        if name := next(more, None):
            await add(admin, name)

    assert len(await check_each_once(anyone, query, between=join)) >= 5


async def test_a_cursor_of_another_list_order_or_filter_is_refused(some, anyone, subtests) -> None:
    cursor = await first_cursor(anyone, "services")
    assert (await anyone("GET", f"services?page_size=3&cursor={cursor}"))[0] == 200
    for path in [
        f"services?sort=desc&cursor={cursor}",
        f"services?order_by=created_at&cursor={cursor}",
        f"services?search=a&cursor={cursor}",
        f"services?subcategory_id={SUBCATEGORY}&cursor={cursor}",
        f"subcategories/{SUBCATEGORY}/services?cursor={cursor}",
        *spoilt("services", cursor),
    ]:
        with subtests.test(path=path[:60]):
            for _ in range(2):  # a refusal is not cached as a page
                await check_refused(anyone, path)


async def test_pages_at_a_cursor_have_their_own_tags(some, anyone, admin) -> None:
    path = "services?page_size=2&cursor="
    _, first, headers = await anyone("GET", path)
    same = {"If-None-Match": headers["ETag"]}
    assert (await anyone("GET", path, headers=same))[0] == 304
    assert (await anyone("GET", path + first["meta"]["next_cursor"], headers=same))[0] == 200
    assert (await anyone("GET", "services?page_size=2", headers=same))[0] == 200
    await add(admin, "Aardvarks walked")
    status, body, _ = await anyone("GET", path, headers=same)
    assert (status, body["data"][0]["name"]) == (200, "Aardvarks walked")


async def test_cursors_lead_to_each_provider_of_a_service_once_while_others_join(
    client, issuer, anyone
) -> None:
    async def offer() -> None:
        one = caller_with(client, issuer, str(new_id()), Role.PROVIDER)
        answer = await one("POST", "providers/me/services", json={"service_id": INSTALL})
        assert answer[0] == 201, answer

    for _ in range(5):
        await offer()
    path, of = f"services/{INSTALL}/providers", by("provider_id")
    assert len(await check_each_once(anyone, path, between=at_most(3, offer), of=of)) == 5
    cursor = await first_cursor(anyone, path)
    for refused in (f"services/{REPAIR}/providers?cursor={cursor}", *spoilt(path, cursor)):
        await check_refused(anyone, refused)
