"""Every `DELETE` route deletes for its owner, once, and for no other user.

The routes come from the services' own tables, so a route without a row here fails the test.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from tests.e2e.deletable import Deletable, User, deletable
from tools import access_page

UNKNOWN = "01890000-0000-7000-8000-00000000dead"
NO_CONTENT, NO_NAME = 204, "no_such_name"


@dataclass(frozen=True)
class Row:
    """The use of one route, and its responses if they differ from the rule.

    `condition` is the route's use of `If-Match`: needed, heard (checked if present) or ignored.
    """

    make: str
    condition: str = "heard"
    absent: str = UNKNOWN
    again: int = 404
    done: int = NO_CONTENT
    # The answer to the owner for an absent one; 403 if only staff may name other users.
    missing: int = 404
    # It is public, so a refusal reveals nothing.
    public: bool = False
    # The path has no ID: it cannot name a resource of another user.
    own: bool = False


ROWS = {
    "catalog /api/v1/category-types/{id}": Row("category_type"),
    "catalog /api/v1/categories/{id}": Row("category"),
    "catalog /api/v1/subcategories/{id}": Row("subcategory"),
    "catalog /api/v1/services/{id}": Row("a_service"),
    "catalog /api/v1/providers/me/services/{service_id}": Row("own_service", "ignored"),
    "catalog /api/v1/providers/{provider_id}/services/{service_id}": Row(
        "service_of_a_provider", "ignored"
    ),
    # The channel stays, so taking a block back twice succeeds.
    "chat /api/v1/channels/{id}/block": Row("block", "ignored", again=200, done=200),
    "department /api/v1/departments/{id}": Row("department"),
    "order /api/v1/orders/{id}": Row("goods_order", "needed"),
    "order /api/v1/currencies/{id}": Row("a_currency"),
    "order /api/v1/cities/{id}": Row("a_city"),
    "order /api/v1/service-orders/{id}": Row("service_order"),
    "order /api/v1/offers/{id}": Row("offer"),
    "order /api/v1/jobs/{id}": Row("cancelled_job"),
    "order /api/v1/reviews/{id}": Row("review", public=True),
    "product /api/v1/products/{id}": Row("product", "needed"),
    "user /api/v1/auth/sessions/{id}": Row("session", "ignored"),
    "user /api/v1/auth/totp": Row("totp", "ignored", own=True),
    "user /api/v1/auth/passkeys/{id}": Row("passkey", "ignored", absent="00" * 32),
    "user /api/v1/users/me/identities/{id}": Row("identity", "ignored"),
    "user /api/v1/users/{id}/second-factor": Row("factors_of_a_user", "ignored", again=NO_CONTENT),
    "user /api/v1/users/{id}": Row("user", missing=403, again=403),
    "user /api/v1/user/{id}": Row("user_by_the_former_name", missing=403, again=403),
    "user /api/v1/users/{id}/picture": Row("picture", missing=403, again=NO_CONTENT),
    "user /api/v1/roles/{name}": Row("role", absent=NO_NAME.upper()),
    "user /api/v1/permissions/{name}": Row("permission", "ignored", absent=f"tests:{NO_NAME}"),
}


def test_every_delete_route_has_a_row() -> None:
    routes = {
        f"{service} {name.removeprefix('DELETE ')}"
        for service, name, _ in access_page.routes()
        if name.startswith("DELETE ")
    }
    assert routes == ROWS.keys()


@pytest.fixture
async def world(stack, identity_provider) -> AsyncIterator[Deletable]:
    async with deletable(stack, identity_provider) as world:
        yield world


async def test_a_delete_works_for_its_owner_once_and_for_no_other_user(
    world: Deletable, subtests
) -> None:
    for route, row in ROWS.items():
        with subtests.test(route=route):
            path, owner = await getattr(world, row.make)()
            if not row.own:
                await _check_absent_and_foreign(world, route, row, path, owner)
            await _check_condition(row, path, owner)
            done = await owner("DELETE", path, match="*" if row.condition != "ignored" else "")
            assert done.status == row.done, done.body
            again = await owner("DELETE", path, match="*")
            assert again.status == row.again, again.body
            assert "refer" not in again.message


async def _check_absent_and_foreign(
    world: Deletable, route: str, row: Row, path: str, owner: User
) -> None:
    absent = _absent(route, row, path)
    missing = await owner("DELETE", absent, match="*")
    assert missing.status == row.missing, missing.body
    foreign = await world.stranger("DELETE", path, match="*")
    unknown = await world.stranger("DELETE", absent, match="*")
    assert foreign.status in {404, 403}, foreign.body
    if row.public:
        assert (foreign.status, unknown.status) == (403, 404)
    else:  # the refusal does not reveal whether it exists
        assert (foreign.status, foreign.message) == (unknown.status, unknown.message)
    for answer in (missing, foreign, unknown):
        assert "refer" not in answer.message, answer.body


async def _check_condition(row: Row, path: str, owner: User) -> None:
    if row.condition != "ignored":
        stale = await owner("DELETE", path, match='"999"')
        assert (stale.status, stale.body["error"]["code"]) == (412, "PRECONDITION_FAILED")
    if row.condition == "needed":
        without = await owner("DELETE", path)
        assert (without.status, without.body["error"]["code"]) == (428, "PRECONDITION_REQUIRED")


def _absent(route: str, row: Row, path: str) -> str:
    """Return the same path, but its last ID does not exist."""
    parts, template = path.split("/"), route.partition("/api/v1/")[2].split("/")
    names = [number for number, part in enumerate(template) if part.startswith("{")]
    parts[2 + names[-1]] = row.absent
    return "/".join(parts)
