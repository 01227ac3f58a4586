"""Access to other users' objects depends on permissions, which administrators assign."""

from __future__ import annotations

import pytest

from lib.auth import Role
from tests.services.calling import Caller
from tests.services.order.marketplace.conftest import BERLIN, NOBODY, Market, expect

SOMEBODY = "01890000-0000-7000-8000-00000000f401"
# Who has what, whatever the role is called.
HOLDERS = {
    "nothing": (Role.ADMIN, []),
    "jobs:read": (Role.CUSTOMER, ["jobs:read"]),
    "jobs:manage": (Role.STAFF, ["jobs:manage"]),
    "reviews:moderate": (Role.CUSTOMER, ["reviews:moderate"]),
}


async def _world(market: Market) -> dict[str, str]:
    """Return the path of one object of each kind; all belong to other users."""
    done, off = await market.done(), await market.job()
    await expect(200, market.provider("PATCH", f"jobs/{off['id']}", json={"status": "CANCELLED"}))
    offered = await market.offer(await market.order())
    review = {"job_id": done["id"], "rating": 4}
    said = await expect(201, market.provider("POST", "reviews", json=review))
    return {
        "job": f"jobs/{off['id']}",
        "working": f"jobs/{(await market.job('IN_PROGRESS'))['id']}",
        "offer": f"offers/{offered['id']}",
        "order": f"service-orders/{(await market.order())['id']}",
        "review": f"reviews/{said['id']}",
        "list": f"customers/{market.customer.subject}/jobs",
        "location": f"providers/{NOBODY}/location",
    }


# What is done to which, with what, and what the holders above are answered, in their order.
CASES = [
    ("GET", "job", None, (404, 200, 200, 404)),
    ("GET", "offer", None, (404, 200, 200, 404)),
    ("GET", "order", None, (404, 200, 200, 404)),
    ("GET", "review", None, (404, 200, 200, 200)),
    ("GET", "list", None, (403, 200, 200, 403)),
    ("PATCH", "working", {"status": "CANCELLED"}, (404, 403, 200, 404)),
    ("PATCH", "order", {"status": "PAUSED"}, (404, 403, 200, 404)),
    ("POST", "location", {"city_id": BERLIN, "address": "Ring 1"}, (403, 403, 201, 403)),
    ("DELETE", "job", None, (403, 403, 204, 403)),
    ("DELETE", "offer", None, (404, 403, 204, 404)),
    ("DELETE", "order", None, (404, 403, 204, 404)),
    ("DELETE", "review", None, (404, 403, 403, 204)),
]


@pytest.mark.parametrize("holder", HOLDERS)
async def test_a_permission_opens_what_it_says_and_a_role_alone_nothing(
    client, issuer, market, monkeypatch, holder
) -> None:
    role, permissions = HOLDERS[holder]
    paths = await _world(market)
    monkeypatch.setattr(issuer, "_grants", {})
    headers = issuer.authorized(*permissions, subject=SOMEBODY, role=role)
    ask = Caller(client, headers)
    answers = []
    for method, what, body, _ in CASES:
        status, _, _ = await ask(method, paths[what], json=body)
        answers.append((method, what, status))
    place = list(HOLDERS).index(holder)
    assert answers == [(method, what, expected[place]) for method, what, _, expected in CASES]
