"""The audit trail has the events of orders and jobs once, with their actor."""

from __future__ import annotations

import pytest

from devstack.testing.wait import eventually
from lib.auth import Role
from lib.ids import new_id
from tests.services.telling import tell
from tests.services.user.cast import actor

CUSTOMER, PROVIDER, STAFF = (str(new_id()) for _ in range(3))


@pytest.fixture
def settings(own_redis_url):
    return {"redis_url": own_redis_url}


async def test_orders_and_jobs_are_in_the_audit_trail_once_with_who_did_it(world, redis) -> None:
    order_id, job_id = str(new_id()), str(new_id())
    order = {"order_id": order_id, "user_id": CUSTOMER, "total": "12.50", "currency": "EUR"}
    sides = {"customer_id": CUSTOMER, "provider_id": PROVIDER}
    job = {"job_id": job_id, "order_id": order_id, **sides}
    shipped = order | {"status": "shipped", "actor": STAFF}
    # As it was told before events named anybody.
    cancelled = order | {"status": "cancelled"}
    done = job | {"price": "80.00", "currency": "EUR", "actor": PROVIDER}
    await tell(redis, "orders", "order.shipped", shipped, request="request-1")
    await tell(redis, "orders", "order.cancelled", cancelled, request="request-2")
    await tell(redis, "jobs", "job.completed", done, request="request-3")

    admin = await actor(world, Role.ADMIN)
    entries = (await admin.call("GET", "/api/v1/audit?resource_type=order")).data
    told = [(e["action"], e["actor"], e["resource_id"], e["request_id"]) for e in entries]
    assert told == [
        ("order.cancelled", "order", order_id, "request-2"),
        ("order.shipped", STAFF, order_id, "request-1"),
    ]
    (entry,) = (await admin.call("GET", f"/api/v1/audit?search={job_id}")).data
    assert (await admin.call("GET", f"/api/v1/audit/{entry['id']}")).data == entry
    assert (await admin.call("GET", f"/api/v1/audit/{job_id}")).status == 404
    assert (entry["action"], entry["actor"]) == ("job.completed", PROVIDER)
    assert entry["resource_type"] == "job"
    assert entry["details"].pop("happened_at")
    assert entry["details"] == {"order_id": order_id, **sides}


async def test_changes_of_things_are_in_the_audit_trail_with_who_made_them(world, redis) -> None:
    thing, other = str(new_id()), str(new_id())
    told = [
        ("products", "product.changed", {"id": thing, "name": "Drill", "actor": STAFF}),
        ("departments", "department.removed", {"id": thing, "actor": STAFF}),
        ("cities", "city.created", {"id": thing, "actor": STAFF}),
        ("catalog", "service.removed", {"id": thing, "version": 3, "actor": STAFF}),
        ("catalog", "provider_service.added",
         {"provider_id": thing, "service_id": other, "actor": STAFF}),
    ]  # fmt: skip
    for topic, kind, payload in told:
        await tell(redis, topic, kind, payload)
    admin = await actor(world, Role.ADMIN)
    entries = (await admin.call("GET", f"/api/v1/audit?resource_id={thing}")).data
    assert {(e["action"], e["resource_type"], e["actor"]) for e in entries} == {
        (kind, kind.partition(".")[0], STAFF) for _, kind, _ in told
    }
    assert len(entries) == len(told)


async def test_nobody_works_in_a_department_that_is_removed(world, redis) -> None:
    department, admin = str(new_id()), await actor(world, Role.ADMIN)
    employment = {"department_id": department, "age": 30, "salary": "50000"}
    new = {"first_name": "Cleo", "last_name": "Clerk", "email": "cleo@example.com"}
    added = await admin.call("POST", "/api/v1/users", new | {"employment": employment})
    assert added.status == 201, added.body
    path = f"/api/v1/users/{added.data['id']}"
    assert (await admin.call("GET", path)).data["employment"]["department_id"] == department
    await tell(redis, "departments", "department.removed", {"id": department})

    async def left() -> bool:
        found = (await admin.call("GET", path)).data
        return found["employment"]["department_id"] is None and found["version"] == 2

    await eventually(left)


async def test_the_trail_is_read_from_and_to_the_edge_of_the_calendar(world) -> None:
    admin = await actor(world, Role.ADMIN)
    edges = "since=0001-01-01T00:00:00%2B14:00&until=9999-12-31T23:59:59-14:00"
    answer = await admin.call("GET", f"/api/v1/audit?{edges}")
    assert answer.status == 200, answer.body
