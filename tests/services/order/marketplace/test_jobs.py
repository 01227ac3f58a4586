"""Jobs over HTTP: each status with each requested status and actor, and the effects."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.services.order.marketplace.conftest import NOBODY, agreed, expect, new_offer, refused

# Status → wish → who may; what is not here cannot follow.
JOBS = {
    "PENDING": {"IN_PROGRESS": "provider admin", "CANCELLED": "customer provider admin"},
    "IN_PROGRESS": {
        "PAUSED": "customer provider admin",
        "DONE": "provider admin",
        "COMPLETED": "customer admin",
        "CANCELLED": "admin",
    },
    "PAUSED": {"IN_PROGRESS": "provider admin", "CANCELLED": "customer provider admin"},
    "DONE": {
        "COMPLETED": "customer admin",
        "IN_PROGRESS": "customer provider admin",
        "CANCELLED": "admin",
    },
    "COMPLETED": {"CANCELLED": "admin"},
    "CANCELLED": {},
}
STATUSES = ("PENDING", "IN_PROGRESS", "PAUSED", "DONE", "COMPLETED", "CANCELLED")
# What order and offer are while the job has a status.
ORDER_OF = {"COMPLETED": "COMPLETED", "CANCELLED": "CANCELLED"}
OFFER_OF = {"CANCELLED": "CANCELLED"}


async def test_each_wish_of_each_side_is_granted_or_refused_by_the_table(
    market, admin, sql
) -> None:
    job = await market.job()
    path = f"jobs/{job['id']}"
    actors = {"customer": market.customer, "provider": market.provider, "admin": admin}
    for status in STATUSES:
        for wanted in STATUSES:
            for name, caller in actors.items():
                await sql.execute("UPDATE job SET status = $1, version = 7", status)
                order, offer = ORDER_OF.get(status, "ASSIGNED"), OFFER_OF.get(status, "ACCEPTED")
                await sql.execute("UPDATE service_order SET status = $1", order)
                await sql.execute("UPDATE offer SET status = $1", offer)
                _, body, _ = await caller("PATCH", path, json={"status": wanted})
                case = (status, wanted, name, body)
                if status == wanted:
                    assert body["data"]["version"] == 7, case
                elif wanted not in JOBS[status]:
                    assert body["error"]["code"] == "CONFLICT", case
                elif name not in JOBS[status][wanted].split():
                    assert body["error"]["code"] == "FORBIDDEN", case
                else:
                    assert (body["data"]["status"], body["data"]["version"]) == (wanted, 8), case
                    order = ORDER_OF.get(wanted, "ASSIGNED")
                    if (wanted, name) == ("CANCELLED", "provider"):
                        order = "PENDING"
                    offer = OFFER_OF.get(wanted, "ACCEPTED")
                assert await sql.fetchval("SELECT status FROM service_order") == order, case
                assert await sql.fetchval("SELECT status FROM offer") == offer, case


async def test_a_provider_who_cancels_leaves_the_order_to_others(market, other_provider) -> None:
    job = await market.job()
    await expect(200, market.provider("PATCH", f"jobs/{job['id']}", json={"status": "CANCELLED"}))
    order = await expect(200, market.customer("GET", f"service-orders/{job['order_id']}"))
    assert order["status"] == "PENDING"
    again = await market.accept(await market.offer(order, by=other_provider))
    assert (again["provider_id"], again["status"]) == (other_provider.subject, "PENDING")
    # Whoever gave it up may even offer anew, were it open once more.
    other = f"jobs/{again['id']}"
    await expect(200, other_provider("PATCH", other, json={"status": "CANCELLED"}))
    assert (await market.offer(order))["status"] == "PENDING"


async def test_a_customer_who_cancels_has_no_order_any_more(market) -> None:
    job = await market.job("IN_PROGRESS", "PAUSED")
    await expect(200, market.customer("PATCH", f"jobs/{job['id']}", json={"status": "CANCELLED"}))
    order = await expect(200, market.customer("GET", f"service-orders/{job['order_id']}"))
    assert order["status"] == "CANCELLED"
    answer = await refused(market.provider("POST", "offers", json=new_offer(order)))
    assert answer == (409, "CONFLICT", "the service order is cancelled")


async def test_a_job_done_twice_at_once_is_done_once(market, admin, sql) -> None:
    job = await market.job("IN_PROGRESS")
    path, body = f"jobs/{job['id']}", {"status": "COMPLETED"}
    answers = await asyncio.gather(
        *(caller("PATCH", path, json=body) for caller in (market.customer, admin) * 3)
    )
    assert [status for status, _, _ in answers] == [200] * 6
    assert {answer["data"]["version"] for _, answer, _ in answers} == {3}
    assert await sql.fetchval("SELECT count(*) FROM outbox WHERE kind = 'job.completed'") == 1


async def test_of_done_and_off_at_once_off_stays(market, admin, sql) -> None:
    for _ in range(4):
        job = await market.job("IN_PROGRESS")
        path = f"jobs/{job['id']}"
        answers = await asyncio.gather(
            market.customer("PATCH", path, json={"status": "COMPLETED"}),
            admin("PATCH", path, json={"status": "CANCELLED"}),
        )
        # Whatever comes first: what is off is not completed any more, what is completed taken back.
        assert answers[1][0] == 200
        done = answers[0][0] == 200
        assert done or answers[0][0] == 409
        assert await sql.fetchval("SELECT status FROM job WHERE id = $1", job["id"]) == "CANCELLED"
        told = await sql.fetchval(
            "SELECT count(*) FROM outbox WHERE kind = 'job.completed' AND event_key = $1", job["id"]
        )
        assert told == done


async def test_the_version_that_was_seen_decides(market) -> None:
    job = await market.job()
    path, body = f"jobs/{job['id']}", {"status": "IN_PROGRESS"}
    status, _, headers = await market.customer("GET", path)
    assert (status, headers["ETag"]) == (200, '"1"')
    assert (await market.customer("GET", path, headers={"If-None-Match": '"1"'}))[0] == 304
    answer = market.provider("PATCH", path, json=body, headers={"If-Match": '"2"'})
    assert (await refused(answer))[:2] == (412, "PRECONDITION_FAILED")
    _, _, headers = await market.provider("PATCH", path, json=body, headers={"If-Match": '"1"'})
    assert headers["ETag"] == '"2"'


async def test_only_administrators_remove_and_only_what_is_off(market, admin) -> None:
    job = await market.job()
    path = f"jobs/{job['id']}"
    for caller in (market.customer, market.provider):
        assert (await refused(caller("DELETE", path)))[0] == 403
    answer = await refused(admin("DELETE", path))
    assert answer == (409, "CONFLICT", "only cancelled jobs can be deleted")
    await expect(200, market.customer("PATCH", path, json={"status": "CANCELLED"}))
    assert (await refused(admin("DELETE", path, headers={"If-Match": '"1"'})))[0] == 412
    await expect(204, admin("DELETE", path, headers={"If-Match": '"2"'}))
    assert (await refused(admin("DELETE", path)))[0] == 404


async def test_who_may_do_what_with_a_job(
    market, anyone, other_customer, other_provider, staff, moderator, admin
) -> None:
    job = await market.job()
    path = f"jobs/{job['id']}"
    for caller, expected in (
        (anyone, (401, 401)),
        (other_customer, (404, 404)),
        (other_provider, (404, 404)),
        (staff, (200, 403)),
        (moderator, (200, 403)),
        (market.customer, (200, 200)),
        (market.provider, (200, 200)),
        (admin, (200, 200)),
    ):
        found = (
            (await caller("GET", path))[0],
            (await caller("PATCH", path, json={"status": "PENDING"}))[0],
        )
        assert found == expected, caller.subject


async def test_what_is_no_change_of_a_job_is_refused_by_field(market) -> None:
    job = await market.job()
    for body, field in (
        ({}, "status"),
        ({"status": "FINISHED"}, "status"),
        ({"status": "PAUSED", "provider_id": NOBODY}, "provider_id"),
    ):
        status, answer, _ = await market.customer("PATCH", f"jobs/{job['id']}", json=body)
        assert (status, answer["error"]["details"][0]["field"]) == (400, field)
    for body, field in (({}, "offer_id"), ({"offer_id": 7}, "offer_id")):
        status, answer, _ = await market.customer("POST", "jobs", json=body)
        assert (status, answer["error"]["details"][0]["field"]) == (400, field)


async def test_what_happens_is_told_with_the_change(market, sql) -> None:
    job = await market.done()
    rows = await sql.fetch("SELECT topic, kind, event_key, payload FROM outbox ORDER BY position")
    sides = {
        "customer_id": market.customer.subject,
        "provider_id": market.provider.subject,
    }
    told = [(r["topic"], r["kind"], r["event_key"], json.loads(r["payload"])) for r in rows]
    offer = {"offer_id": job["offer_id"], "order_id": job["order_id"], **sides}
    by_customer = {"actor": sides["customer_id"]}
    begun = {"job_id": job["id"], **offer, **by_customer}
    paid = {"price": "80.00", "currency": "EUR"}
    done = {"job_id": job["id"], "order_id": job["order_id"], **sides, **paid, **by_customer}
    assert told == [
        ("offers", "offer.made", job["order_id"], offer),
        ("jobs", "job.created", job["id"], begun),
        ("jobs", "job.completed", job["id"], done),
    ]


@pytest.mark.parametrize("by", ["customer", "provider", "admin"])
async def test_a_job_that_is_off_is_told_once_with_whose_doing_it_was(
    market, admin, sql, by
) -> None:
    job = await market.job()
    who = {"customer": market.customer, "provider": market.provider, "admin": admin}[by]
    for _ in range(2):
        await expect(200, who("PATCH", f"jobs/{job['id']}", json={"status": "CANCELLED"}))
    rows = await sql.fetch(
        "SELECT kind, payload FROM outbox WHERE kind LIKE '%.cancelled' ORDER BY position"
    )
    told = {row["kind"]: json.loads(row["payload"]) for row in rows}
    assert told["job.cancelled"] == {
        "job_id": job["id"],
        "order_id": job["order_id"],
        "customer_id": market.customer.subject,
        "provider_id": market.provider.subject,
        "by": by,
        "actor": who.subject,
    }
    # Its order is off as well, unless it was the provider's doing: then it takes offers again.
    expected = ["service_order.cancelled"] if by != "provider" else []
    assert [row["kind"] for row in rows] == [*expected, "job.cancelled"]


async def test_what_is_refused_is_not_told(market, sql) -> None:
    job = await market.job()
    before = await sql.fetchval("SELECT count(*) FROM outbox")
    order = await expect(200, market.customer("GET", f"service-orders/{job['order_id']}"))
    await refused(market.provider("POST", "offers", json=new_offer(order)))
    await refused(
        market.customer("POST", "jobs", json={**agreed(job), "offer_id": job["offer_id"]})
    )
    await refused(market.customer("PATCH", f"jobs/{job['id']}", json={"status": "COMPLETED"}))
    assert await sql.fetchval("SELECT count(*) FROM outbox") == before


async def test_jobs_are_listed_under_their_own_address(
    market, admin, other_customer, anyone
) -> None:
    job = await market.job()
    for who in (market.customer, market.provider, admin):
        listed = await expect(200, who("GET", "jobs"))
        assert [one["id"] for one in listed] == [job["id"]]
    assert await expect(200, other_customer("GET", "jobs")) == []
    assert (await anyone("GET", "jobs"))[0] == 401
