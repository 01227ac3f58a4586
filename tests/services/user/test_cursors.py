"""The lists of users, audit entries and applications by cursors: each row once."""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any

import pytest

from lib.auth import Role
from lib.ids import new_id
from services.user.store.models import AccountRole
from tests.services.user.cast import Actor, actor
from tests.services.user.world import World
from tests.services.walking import (
    Caller,
    at_most,
    by,
    check_each_once,
    check_refused,
    first_cursor,
    spoilt,
    walk,
)

USERS, AUDIT = "/api/v1/users", "/api/v1/audit"
WAITING = "/api/v1/provider-requests"
ORDERS = ["name", "email", "age", "salary", "created_at"]


@pytest.fixture
def demo():
    return True


def calling(who: Actor) -> Caller:
    async def call(method: str, path: str) -> tuple[int, Any, Any]:
        answer = await who.call(method, path)
        return answer.status, answer.body, answer.headers

    return call


def ids(bodies: list[dict[str, Any]]) -> list[str]:
    return [user["id"] for body in bodies for user in body["data"]["users"]]


async def add(world: World, name: str, *, age: int | None) -> None:
    account = await world.rows.make_account(
        id=new_id(), email=f"{name}@example.com", first_name=name, role=AccountRole.STAFF
    )
    if age is not None:
        await world.rows.make_staff(id=account.id, age=age, salary=age * 1000)


@pytest.mark.parametrize("sort", ["asc", "desc"])
@pytest.mark.parametrize("order_by", ORDERS)
@pytest.mark.parametrize("kind", ["staff", "all"])
async def test_cursors_lead_to_each_user_once_while_others_are_added(
    world: World, kind: str, order_by: str, sort: str
) -> None:
    admin = await actor(world, Role.ADMIN)
    for role in (Role.MODERATOR, Role.CUSTOMER, Role.PROVIDER):
        await actor(world, role)
    caller, query = calling(admin), f"{USERS}?kind={kind}&order_by={order_by}&sort={sort}"
    more = iter([("Aaron", 18), ("Mona", 31), ("Nobody", None), ("Zoe", 99)])

    async def join() -> None:
        if new := next(more, None):
            await add(world, new[0], age=new[1])

    await check_each_once(caller, query, between=join, of=ids)


async def test_a_cursor_of_another_kind_order_or_filter_is_refused(world: World, subtests) -> None:
    admin = await actor(world, Role.ADMIN)
    cursor = await first_cursor(calling(admin), f"{USERS}?kind=all")
    path = f"{USERS}?kind=all"
    assert (await admin.call("GET", f"{path}&page_size=3&cursor={cursor}")).status == 200
    for refused in [
        f"{USERS}?cursor={cursor}",
        f"{USERS}?kind=customer&cursor={cursor}",
        f"{path}&sort=desc&cursor={cursor}",
        f"{path}&order_by=age&cursor={cursor}",
        f"{path}&order_by=email&cursor={cursor}",
        f"{path}&search=a&cursor={cursor}",
        f"{path}&active=true&cursor={cursor}",
        f"{path}&department_id={new_id()}&cursor={cursor}",
        *spoilt(path, cursor),
    ]:
        with subtests.test(path=refused[:60]):
            await check_refused(calling(admin), refused)


async def test_a_cursor_shows_no_age_or_salary_to_those_who_may_not_see_them(world: World) -> None:
    admin, moderator = await actor(world, Role.ADMIN), await actor(world, Role.MODERATOR)
    await add(world, "Aaron", age=17)
    by_salary = await first_cursor(calling(admin), f"{USERS}?kind=all&order_by=salary")
    assert {'["Decimal","17000.00"]', "17"} <= keys(by_salary)
    for query in ("order_by=name", "order_by=email", "order_by=created_at&sort=desc"):
        seen = keys(await first_cursor(calling(moderator), f"{USERS}?kind=all&{query}"))
        assert '"Aaron@example.com"' in seen
        assert len(seen) == 4  # name, email, time and ID
    answer = await moderator.call("GET", f"{USERS}?kind=all&order_by=salary&cursor={by_salary}")
    assert answer.status == 403


def keys(cursor: str) -> set[str]:
    """Return the sort keys that anybody can read in a cursor, as JSON."""
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    return {json.dumps(key, separators=(",", ":")) for key in json.loads(raw[16:])[2]}


@pytest.mark.parametrize(
    "query", ["", "?resource_type=role", "?search=REVIEWER&since=2020-01-01T00:00:00Z"]
)
async def test_cursors_lead_to_each_audit_entry_once_while_others_are_written(
    world: World, query: str
) -> None:
    admin, numbers = await actor(world, Role.ADMIN), itertools.count(1)

    async def act() -> None:
        role = {"name": f"REVIEWER_{'ABCDEFGHIJ'[next(numbers)]}", "kind": "STAFF"}
        role |= {"description": "any", "permissions": []}
        assert (await admin.call("POST", "/api/v1/roles", role)).status == 201

    for _ in range(5):
        await act()
    assert len(await check_each_once(calling(admin), AUDIT + query, between=at_most(3, act))) >= 5


async def test_a_cursor_of_the_audit_trail_is_of_its_filters(world: World, subtests) -> None:
    admin, moderator = await actor(world, Role.ADMIN), await actor(world, Role.MODERATOR)
    for role in (Role.CUSTOMER, Role.PROVIDER):
        other = await actor(world, role)
        assert (await admin.call("POST", f"{other.path}/deactivate")).status == 200
    path = f"{AUDIT}?resource_type=account"
    cursor = await first_cursor(calling(admin), path)
    assert (await admin.call("GET", f"{path}&page_size=3&cursor={cursor}")).status == 200
    assert (await moderator.call("GET", f"{path}&cursor={cursor}")).status == 403
    for refused in [
        f"{AUDIT}?cursor={cursor}",
        f"{path}&actor={admin.id}&cursor={cursor}",
        f"{path}&action=account.deactivated&cursor={cursor}",
        f"{path}&since=2020-01-01T00:00:00Z&cursor={cursor}",
        f"{path}&search=a&cursor={cursor}",
        f"{USERS}?cursor={cursor}",
        *spoilt(path, cursor),
    ]:
        with subtests.test(path=refused[:60]):
            await check_refused(calling(admin), refused)


async def test_cursors_lead_to_each_application_once_while_others_are_decided(world: World) -> None:
    moderator = await actor(world, Role.MODERATOR)
    for number in range(6):
        customer = await actor(world, Role.CUSTOMER, f"customer{number}")
        given = {"personal_id_number": f"0100101234{number}"}
        asked = await customer.call("POST", "/api/v1/users/me/provider-request", given)
        assert asked.status == 201, asked.body
    found = by("account_id")([{"data": (await moderator.call("GET", WAITING)).data}])
    undecided = iter(found)

    async def decide() -> None:
        decision = {"approved": False, "reason": "not now"}
        answer = await moderator.call("PUT", f"{WAITING}/{next(undecided)}", decision)
        assert answer.status == 204

    pages = await walk(calling(moderator), f"{WAITING}?page_size=2", between=decide)
    assert by("account_id")(pages) == found
    path = f"{WAITING}?page_size=1"
    cursor = await first_cursor(calling(moderator), WAITING)
    assert (await moderator.call("GET", f"{path}&cursor={cursor}")).status == 200
    for refused in spoilt(WAITING, cursor):
        await check_refused(calling(moderator), refused)
