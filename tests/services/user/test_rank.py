"""A manager of accounts can change accounts with no more permissions than their own."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.auth import Principal, Role
from lib.errors import AppError
from services.user.service import access
from services.user.service.roles import BUILT_IN
from tests.rows.user.models import AccountRole
from tests.services.user.cast import PERMISSIONS, Actor, actor
from tests.services.user.world import World

USERS = "/api/v1/users"
# Roles that were created, of a kind, with what they may do.
CREATED = {
    "HELPER": (Role.STAFF, ["users:moderate", "users:read"]),
    "CLERK": (Role.CUSTOMER, ["products:write"]),
    "DEPUTY": (
        Role.MODERATOR, ["jobs:read", "roles:write", "users:moderate", "users:read", "users:write"],
    ),
}  # fmt: skip
MAY = {role.value: set(may) for role, may in PERMISSIONS.items()} | {
    name: set(may) for name, (_, may) in CREATED.items()
}
ROLES = sorted(MAY)
# What is done to somebody, and the permission for it.
DONE = [
    ("PATCH", "", {"first_name": "Changed"}),
    ("PATCH", "", {"email": "taken@example.com"}),
    ("POST", "/deactivate", None),
    ("DELETE", "/picture", None),
    ("DELETE", "", None),
]


async def of_role(world: World, name: str, called: str) -> Actor:
    kind, may = CREATED.get(name, (None, ()))
    made = await actor(world, kind or Role(name), called, permissions=may if kind else None)
    if kind is not None:
        await world.db.execute("UPDATE account SET custom_role = $1 WHERE id = $2", name, made.id)
    return made


@pytest.fixture
async def world(world: World) -> World:
    for name, (kind, may) in CREATED.items():
        await world.rows.make_custom_role(name=name, kind=AccountRole(kind.value))
        for one in may:
            await world.rows.make_custom_role_permission(role=name, permission=one)
    return world


@pytest.mark.parametrize(("method", "path", "body"), DONE)
async def test_an_account_is_changed_by_those_who_may_do_all_that_it_may(
    world: World, method: str, path: str, body: object, subtests: pytest.Subtests
) -> None:
    callers = {name: await of_role(world, name, f"caller{name}") for name in ROLES}
    for number, (caller, target) in enumerate(product(ROLES, ROLES)):
        with subtests.test(caller=caller, target=target):
            other = await of_role(world, target, f"other{number}")
            given = {"email": f"new{number}@example.com"} if body and "email" in body else body
            answer = await callers[caller].call(method, f"{other.path}{path}", given)
            manages = not MAY[caller].isdisjoint({"users:write", "users:moderate"})
            superset = caller == "ADMIN" or (target != "ADMIN" and MAY[target] <= MAY[caller])
            assert (answer.status < 300) is (manages and superset), answer.body
            assert answer.status < 300 or answer.code == "FORBIDDEN"


@given(
    st.sets(st.sampled_from(sorted(BUILT_IN))),
    st.sets(st.sampled_from(sorted(BUILT_IN))),
    st.sampled_from(sorted(set(Role) - {Role.SERVICE})),
)
def test_what_is_more_than_the_callers_is_beyond_them(
    mine: set[str], theirs: set[str], kind: Role
) -> None:
    caller = Principal("x", frozenset({kind}), frozenset(mine), True, "", "t", 0.0)
    assert _passes(caller, sorted(theirs)) is (kind is Role.ADMIN or theirs <= mine)


def test_permissions_that_are_not_known_are_beyond_everybody_but_administrators() -> None:
    staff = Principal("x", frozenset({Role.STAFF}), BUILT_IN, True, "", "t", 0.0)
    with pytest.raises(AppError):
        access.check_superset(staff, None, "no")


def _passes(caller: Principal, theirs: Sequence[str]) -> bool:
    try:
        access.check_superset(caller, theirs, "no")
    except AppError:
        return False
    return True
