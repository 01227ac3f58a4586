"""The other party of a job and the customer of an order get emails about actions."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from lib.auth import Role
from lib.ids import new_id
from tests.services.telling import tell
from tests.services.user.cast import actor
from tests.services.user.world import World


@pytest.fixture
def settings(own_redis_url):
    return {"redis_url": own_redis_url}


async def mails_after(world: World, redis: Redis, topic: str, kind: str, payload: dict) -> list:
    """Send an event twice; return the resulting emails as template and account."""
    await tell(redis, topic, kind, payload)
    rows = await world.db.fetch(
        "SELECT template, account_id::text FROM mail_outbox "
        "WHERE template LIKE 'job_%' OR template LIKE 'service_%' ORDER BY template"
    )
    return [tuple(row) for row in rows]


FOR_CUSTOMER, FOR_PROVIDER = "job_cancelled_for_customer", "job_cancelled_for_provider"


@pytest.mark.parametrize(
    ("by", "templates"),
    [
        ("customer", [FOR_PROVIDER]),
        ("provider", [FOR_CUSTOMER]),
        ("admin", [FOR_CUSTOMER, FOR_PROVIDER]),
    ],
)
async def test_the_side_that_did_not_cancel_a_job_has_one_mail(world, redis, by, templates) -> None:
    customer, provider = await actor(world, Role.CUSTOMER), await actor(world, Role.PROVIDER)
    people = {FOR_CUSTOMER: customer.id, FOR_PROVIDER: provider.id}
    payload = {
        "job_id": str(new_id()),
        "order_id": str(new_id()),
        "customer_id": customer.id,
        "provider_id": provider.id,
        "by": by,
        "actor": "order",
    }
    mails = await mails_after(world, redis, "jobs", "job.cancelled", payload)
    assert mails == [(template, people[template]) for template in templates]


async def test_the_customer_of_an_order_that_found_nobody_has_one_mail(world, redis) -> None:
    customer = await actor(world, Role.CUSTOMER)
    payload = {"order_id": str(new_id()), "customer_id": customer.id, "actor": "order"}
    mails = await mails_after(world, redis, "service-orders", "service_order.expired", payload)
    assert mails == [("service_order_expired", customer.id)]
    admin = await actor(world, Role.ADMIN)
    (entry,) = (await admin.call("GET", "/api/v1/audit?resource_type=service_order")).data
    assert (entry["action"], entry["actor"]) == ("service_order.expired", "order")


async def test_a_customer_is_told_that_a_job_is_said_to_be_done(world, redis) -> None:
    customer = await actor(world, Role.CUSTOMER)
    payload = {
        "job_id": str(new_id()),
        "order_id": str(new_id()),
        "customer_id": customer.id,
        "provider_id": str(new_id()),
        "actor": "x",
    }
    mails = await mails_after(world, redis, "jobs", "job.done", payload)
    assert mails == [("job_done_for_customer", customer.id)]


async def test_who_is_gone_has_no_mail(world, redis) -> None:
    payload = {"order_id": str(new_id()), "customer_id": str(new_id()), "actor": "order"}
    assert await mails_after(world, redis, "service-orders", "service_order.expired", payload) == []
