"""Reviews over HTTP: after the work, one by each party, in half stars."""

from __future__ import annotations

import asyncio
import json

import asyncpg
import pytest

from tests.services.order.conftest import PROVIDER
from tests.services.order.marketplace.conftest import NOBODY, expect, refused


def review_of(job: dict, **changes) -> dict:
    return {"job_id": job["id"], "rating": 4.5, "comment": "Quick and clean", **changes}


async def test_each_side_reviews_the_other_once(market) -> None:
    job = await market.done()
    for caller, side in ((market.customer, "CUSTOMER"), (market.provider, "PROVIDER")):
        status, body, headers = await caller("POST", "reviews", json=review_of(job))
        review = body["data"]
        assert (status, headers["ETag"][:3]) == (201, '"1-')
        assert headers["Location"] == f"reviews/{review['id']}"
        assert (review["side"], review["rating"]) == (side, 4.5)
        assert (review["customer_id"], review["provider_id"]) == (
            market.customer.subject,
            market.provider.subject,
        )
        answer = await refused(caller("POST", "reviews", json=review_of(job)))
        assert answer == (409, "CONFLICT", "you have already reviewed this job")


async def test_of_many_reviews_at_once_one_stands(market, sql) -> None:
    job = await market.done()
    answers = await asyncio.gather(
        *(market.customer("POST", "reviews", json=review_of(job, rating=n)) for n in range(6))
    )
    assert sorted(status for status, _, _ in answers) == [201] + [409] * 5
    assert await sql.fetchval("SELECT count(*) FROM review") == 1


async def test_stars_come_in_halves_from_0_to_5(market, subtests) -> None:
    for rating, expected in (
        (0, 201), (0.5, 201), (4.5, 201), (5, 201), (5.0, 201),
        (4.3, 400), (5.5, 400), (-0.5, 400), (0.25, 400), ("4.5", 400), (None, 400), (1e308, 400),
    ):  # fmt: skip
        with subtests.test(rating=rating):
            body = review_of(await market.done(), rating=rating)
            status, answer, _ = await market.customer("POST", "reviews", json=body)
            assert status == expected, answer
            if expected == 201:
                assert answer["data"]["rating"] == rating
                continue
            problem = answer["error"]["details"][0]
            assert problem["field"] == "rating"
            if rating in (4.3, 0.25):
                assert problem["message"] == "must be from 0 to 5 in steps of 0.5"


async def test_the_schema_itself_refuses_other_stars(market, sql, subtests) -> None:
    await market.customer("POST", "reviews", json=review_of(await market.done()))
    for rating in ("4.3", "5.5", "-0.5", "4.25"):
        with subtests.test(rating=rating), pytest.raises(asyncpg.CheckViolationError):
            await sql.execute("UPDATE review SET rating = $1::text::numeric", rating)


@pytest.mark.parametrize(
    "statuses", [(), ("IN_PROGRESS",), ("IN_PROGRESS", "PAUSED"), ("CANCELLED",)]
)
async def test_work_that_is_not_done_is_not_reviewed(market, statuses) -> None:
    job = await market.job(*statuses)
    for caller in (market.customer, market.provider):
        answer = await refused(caller("POST", "reviews", json=review_of(job)))
        assert answer == (409, "CONFLICT", "only completed jobs can be reviewed")


async def test_an_author_changes_stars_and_comment_alone(market) -> None:
    job = await market.done()
    review = await expect(201, market.customer("POST", "reviews", json=review_of(job)))
    path = f"reviews/{review['id']}"
    changed = await expect(200, market.customer("PATCH", path, json={"rating": 2}))
    assert (changed["rating"], changed["comment"], changed["version"]) == (2, "Quick and clean", 2)
    changed = await expect(200, market.customer("PATCH", path, json={"comment": ""}))
    assert (changed["rating"], changed["comment"]) == (2, "")
    assert (await expect(200, market.customer("PATCH", path, json={})))["version"] == 3
    for body, field in (
        ({"job_id": NOBODY}, "job_id"),
        ({"side": "PROVIDER"}, "side"),
        ({"rating": 4.3}, "rating"),
        ({"comment": "x" * 2001}, "comment"),
    ):
        status, answer, _ = await market.customer("PATCH", path, json=body)
        assert (status, answer["error"]["details"][0]["field"]) == (400, field)
    stale = market.customer("PATCH", path, json={"rating": 1}, headers={"If-Match": '"1"'})
    assert (await refused(stale))[:2] == (412, "PRECONDITION_FAILED")
    tag = (await market.customer("GET", path))[2]["ETag"]
    assert tag.startswith('"3-')
    assert (await market.customer("GET", path, headers={"If-None-Match": tag}))[0] == 304


async def test_who_may_review(market, anyone, other_customer, other_provider, staff, admin) -> None:
    job = await market.done()
    for caller, expected in (
        (anyone, 401),
        (other_customer, 404),
        (other_provider, 404),
        (staff, 403),
        (admin, 403),
    ):
        assert (await refused(caller("POST", "reviews", json=review_of(job))))[0] == expected
    missing = await refused(
        market.customer("POST", "reviews", json={"job_id": NOBODY, "rating": 1})
    )
    assert missing == (404, "NOT_FOUND", "job not found")


async def test_who_may_do_what_with_a_review_of_a_provider(
    market, anyone, other_customer, staff, moderator, admin
) -> None:
    # caller: GET, PATCH, DELETE
    cases = (
        (anyone, (200, 401, 401)),
        (other_customer, (200, 403, 403)),
        (market.provider, (200, 403, 403)),
        (staff, (200, 403, 403)),
        (moderator, (200, 403, 204)),
        (admin, (200, 403, 204)),
        (market.customer, (200, 200, 204)),
    )
    for caller, expected in cases:
        job = await market.done()
        review = await expect(201, market.customer("POST", "reviews", json=review_of(job)))
        assert await _tried(caller, review) == expected, caller.subject


async def test_who_may_do_what_with_a_review_of_a_customer(
    market, anyone, other_provider, staff, moderator, admin
) -> None:
    cases = (
        (anyone, (404, 401, 401)),
        (other_provider, (404, 404, 404)),
        (market.customer, (200, 403, 403)),
        (staff, (200, 403, 403)),
        (moderator, (200, 403, 204)),
        (admin, (200, 403, 204)),
        (market.provider, (200, 200, 204)),
    )
    for caller, expected in cases:
        job = await market.done()
        review = await expect(201, market.provider("POST", "reviews", json=review_of(job)))
        assert await _tried(caller, review) == expected, caller.subject


async def _tried(caller, review: dict) -> tuple[int, int, int]:
    path = f"reviews/{review['id']}"
    return (
        (await caller("GET", path))[0],
        (await caller("PATCH", path, json={"rating": 1}))[0],
        (await caller("DELETE", path))[0],
    )


async def test_the_public_does_not_learn_which_customer_has_written(
    market, anyone, other_customer, other_provider, staff, moderator, admin
) -> None:
    job = await market.done()
    review = await expect(201, market.customer("POST", "reviews", json=review_of(job)))
    paths = (f"reviews/{review['id']}", f"providers/{market.provider.subject}/reviews")
    for caller, knows in (
        (anyone, False),
        (other_customer, False),
        (other_provider, False),
        (market.customer, True),
        (market.provider, True),
        (staff, True),
        (moderator, True),
        (admin, True),
    ):
        for path in paths:
            _, body, _ = await caller("GET", path)
            named = market.customer.subject in json.dumps(body) or job["id"] in json.dumps(body)
            assert named is knows, (caller.subject, path)


async def test_a_review_removed_makes_room_for_another(market) -> None:
    job = await market.done()
    review = await expect(201, market.customer("POST", "reviews", json=review_of(job)))
    path = f"reviews/{review['id']}"
    assert (await refused(market.customer("DELETE", path, headers={"If-Match": '"9"'})))[0] == 412
    await expect(204, market.customer("DELETE", path, headers={"If-Match": '"1"'}))
    assert (await refused(market.customer("GET", path)))[0] == 404
    await expect(201, market.customer("POST", "reviews", json=review_of(job)))


async def test_reviews_of_a_job_that_is_taken_back_go_with_it(market, admin, sql) -> None:
    job = await market.done()
    for side in (market.customer, market.provider):
        review = {"job_id": job["id"], "rating": 5, "comment": "never happened"}
        await expect(201, side("POST", "reviews", json=review))
    path = f"jobs/{job['id']}"
    await expect(200, admin("PATCH", path, json={"status": "CANCELLED"}))
    assert await sql.fetchval("SELECT count(*) FROM review") == 0
    listed = await expect(200, market.customer("GET", f"providers/{PROVIDER}/reviews"))
    assert listed == []
    again = {"job_id": job["id"], "rating": 5}
    assert (await refused(market.customer("POST", "reviews", json=again)))[0] == 409
    assert (await admin("DELETE", path))[0] == 204


async def test_a_cancelled_job_with_reviews_of_older_versions_is_removed(
    market, admin, sql
) -> None:
    job = await market.done()
    review = {"job_id": job["id"], "rating": 5}
    await expect(201, market.customer("POST", "reviews", json=review))
    await sql.execute("UPDATE job SET status = 'CANCELLED'")
    assert (await admin("DELETE", f"jobs/{job['id']}"))[0] == 204


async def test_a_review_and_a_job_taken_back_at_the_same_time_leave_no_review(
    market, admin, sql
) -> None:
    for _ in range(5):
        job = await market.done()
        review = {"job_id": job["id"], "rating": 5}
        made, taken = await asyncio.gather(
            market.customer("POST", "reviews", json=review),
            admin("PATCH", f"jobs/{job['id']}", json={"status": "CANCELLED"}),
        )
        assert made[0] in (201, 409)
        assert taken[0] == 200
        assert await sql.fetchval("SELECT count(*) FROM review") == 0
