"""The list of users by cursors: each user once, for each kind and order."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from lib.auth import Role
from lib.ids import new_id
from services.user.store.models import AccountRole
from tests.services.user.cast import Actor, actor
from tests.services.user.world import World
from tests.services.walking import Caller, check_each_once

USERS = "/api/v1/users"
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
    cursor = await first_cursor(admin, "kind=all")
    assert (await admin.call("GET", f"{USERS}?kind=all&page_size=3&cursor={cursor}")).status == 200
    for query in [
        f"cursor={cursor}",
        f"kind=customer&cursor={cursor}",
        f"kind=all&sort=desc&cursor={cursor}",
        f"kind=all&order_by=age&cursor={cursor}",
        f"kind=all&order_by=email&cursor={cursor}",
        f"kind=all&search=a&cursor={cursor}",
        f"kind=all&active=true&cursor={cursor}",
        f"kind=all&department_id={new_id()}&cursor={cursor}",
        f"kind=all&cursor={cursor[1:]}",
        f"kind=all&cursor={cursor}A",
        "kind=all&cursor=x",
        "kind=all&cursor=%C3%A9",
        f"kind=all&cursor={'A' * 5001}",
        f"kind=all&page=1&cursor={cursor}",
        "kind=all&page=2&cursor=",
    ]:
        with subtests.test(query=query[:60]):
            answer = await admin.call("GET", f"{USERS}?{query}")
            assert (answer.status, answer.code) == (400, "VALIDATION_ERROR")
            assert answer.fields == {"cursor"}


async def test_a_cursor_shows_no_age_or_salary_to_those_who_may_not_see_them(world: World) -> None:
    admin, moderator = await actor(world, Role.ADMIN), await actor(world, Role.MODERATOR)
    await add(world, "Aaron", age=17)
    by_salary = await first_cursor(admin, "kind=all&order_by=salary")
    assert {'["Decimal","17000.00"]', "17"} <= keys(by_salary)
    for query in ("order_by=name", "order_by=email", "order_by=created_at&sort=desc"):
        seen = keys(await first_cursor(moderator, f"kind=all&{query}"))
        assert '"Aaron@example.com"' in seen
        assert len(seen) == 4  # name, email, time and ID
    answer = await moderator.call("GET", f"{USERS}?kind=all&order_by=salary&cursor={by_salary}")
    assert answer.status == 403


async def first_cursor(who: Actor, query: str) -> str:
    answer = await who.call("GET", f"{USERS}?{query}&page_size=1&cursor=")
    assert answer.status == 200, answer.body
    return answer.body["meta"]["next_cursor"]


def keys(cursor: str) -> set[str]:
    """Return the sort keys that anybody can read in a cursor, as JSON."""
    raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    return {json.dumps(key, separators=(",", ":")) for key in json.loads(raw[16:])[2]}
