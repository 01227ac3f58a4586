"""The lists of the marketplace by cursors: each row once, for each caller."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterable

import pytest

from lib.auth import Role
from lib.ids import new_id
from tests.services.calling import Caller, caller_with
from tests.services.order.conftest import CUSTOMER, PROVIDER
from tests.services.order.marketplace.conftest import (
    BERLIN,
    HAMBURG,
    NOBODY,
    SERVICE,
    Market,
    after,
    expect,
)
from tests.services.walking import (
    at_most,
    by,
    check_each_once,
    check_refused,
    first_cursor,
    spoilt,
)


@pytest.fixture
async def some(market) -> list[dict]:
    """Return five orders; two start at the same time, and the last of them is paused."""
    days = (5, 3, 4, 3, 2)
    starts = {day: after(days=day) for day in days}
    made = [await market.order(time_start=starts[day], time_end=after(days=9)) for day in days]
    path = f"service-orders/{made[-1]['id']}"
    await expect(200, market.customer("PATCH", path, json={"status": "PAUSED"}))
    return made


@pytest.mark.parametrize("sort", ["asc", "desc"])
@pytest.mark.parametrize("order_by", ["created_at", "time_start"])
@pytest.mark.parametrize(
    ("who", "path", "count"),
    [
        ("staff", "service-orders?", 5),
        ("staff", "service-orders?status=PENDING&", 4),
        ("provider", "service-orders?", 4),
        ("customer", "service-orders?", 5),
        ("customer", "customers/me/service-orders?", 5),
        ("staff", f"customers/{CUSTOMER}/service-orders?service_id={SERVICE}&", 5),
    ],
)
async def test_cursors_lead_to_each_order_once_while_others_are_placed(
    some, market, request, who, path, count, order_by, sort
) -> None:
    caller = request.getfixturevalue(who)
    query = f"{path}order_by={order_by}&sort={sort}"
    more = iter([{"days": 1}, {"days": 3.5}, {"days": 8}])

    async def place() -> None:
        if start := next(more, None):
            await market.order(time_start=after(**start), time_end=after(days=9))

    assert len(await check_each_once(caller, query, between=place)) == count


async def test_a_cursor_of_another_list_order_filter_or_caller_is_refused(
    some, staff, customer, other_customer, provider, subtests
) -> None:
    path = "service-orders"
    cursor, own, opened = [
        await first_cursor(caller, path) for caller in (staff, customer, provider)
    ]
    assert (await staff("GET", f"{path}?page_size=3&cursor={cursor}"))[0] == 200
    assert (await customer("GET", f"customers/me/service-orders?cursor={own}"))[0] == 200
    for caller, refused in [
        (staff, f"{path}?sort=desc&cursor={cursor}"),
        (staff, f"{path}?order_by=time_start&cursor={cursor}"),
        (staff, f"{path}?status=PENDING&cursor={cursor}"),
        (staff, f"{path}?status=PENDING&cursor={opened}"),
        (staff, f"{path}?service_id={NOBODY}&cursor={cursor}"),
        (staff, f"{path}?cursor={own}"),
        (customer, f"{path}?cursor={cursor}"),
        (other_customer, f"{path}?cursor={own}"),
        (provider, f"{path}?cursor={cursor}"),
        (provider, f"{path}?status=PAUSED&cursor={opened}"),
        (provider, f"{path}?near=13.4,52.5&cursor="),
        (provider, f"{path}?near=13.4,52.5&cursor={opened}"),
        *((staff, one) for one in spoilt(path, cursor)),
    ]:
        with subtests.test(path=refused[:80]):
            await check_refused(caller, refused)


async def test_a_list_of_nothing_has_no_cursors(some, provider) -> None:
    _, body, _ = await provider("GET", "service-orders?status=PAUSED&cursor=")
    assert (body["data"], body["meta"]) == ([], {"page_size": 20})


class Trade:
    """Create offers, jobs and reviews of one customer and one provider on different days."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._days = itertools.cycle((5, 3, 4, 3, 2))
        # Those of one day are equal in all that lists are sorted by.
        self._starts = {day: after(days=day) for day in range(2, 6)}

    async def offer(self) -> dict:
        day = next(self._days)
        order = await self._market.order(time_start=self._starts[day], time_end=after(days=9))
        return await self._market.offer(order, price=f"{day}0")

    async def job(self) -> dict:
        return await self._market.accept(await self.offer())

    async def reviews(self) -> None:
        job = await self.job()
        customer, provider = self._market.customer, self._market.provider
        for side, status in ((provider, "IN_PROGRESS"), (customer, "COMPLETED")):
            await expect(200, side("PATCH", f"jobs/{job['id']}", json={"status": status}))
        review = {"job_id": job["id"], "rating": next(self._days)}
        for side in (customer, provider):
            await expect(201, side("POST", "reviews", json=review))


@pytest.fixture
def trade(market: Market) -> Trade:
    return Trade(market)


async def check_orders(
    caller: Caller, path: str, orders: Iterable[str], add: Callable[[], Awaitable[object]]
) -> None:
    for order_by, sort in itertools.product(orders, ("asc", "desc")):
        query = f"{path}{'&' if '?' in path else '?'}order_by={order_by}&sort={sort}"
        assert len(await check_each_once(caller, query, between=at_most(2, add))) >= 5


async def test_cursors_lead_to_each_offer_once_while_others_are_made(
    market, trade, client, issuer, staff, subtests
) -> None:
    async def join() -> None:
        other = caller_with(client, issuer, str(new_id()), Role.PROVIDER)
        await market.offer(order, by=other, price="30")

    order = await market.order()
    for _ in range(5):
        await trade.offer()
        await join()
    for caller, path, add in [
        (market.provider, "providers/me/offers", trade.offer),
        (staff, f"providers/{PROVIDER}/offers?status=PENDING", trade.offer),
        (market.customer, f"service-orders/{order['id']}/offers", join),
    ]:
        with subtests.test(path=path):
            await check_orders(caller, path, ("created_at", "price"), add)


async def test_cursors_lead_to_each_job_once_while_others_are_added(
    market, trade, staff, subtests
) -> None:
    for _ in range(5):
        await trade.job()
    for caller, path in [
        (staff, "jobs"),
        (staff, "jobs?status=PENDING"),
        (market.provider, "jobs"),
        (market.customer, "customers/me/jobs"),
        (staff, f"providers/{PROVIDER}/jobs?status=PENDING"),
    ]:
        with subtests.test(path=path, caller=caller.subject):
            await check_orders(caller, path, ("created_at", "book_time"), trade.job)


async def test_cursors_lead_to_each_review_once_while_others_are_written(
    market, trade, anyone, staff, subtests
) -> None:
    for _ in range(5):
        await trade.reviews()
    for caller, path in [
        (anyone, f"providers/{PROVIDER}/reviews"),
        (market.customer, "customers/me/reviews?direction=written"),
        (staff, f"customers/{CUSTOMER}/reviews"),
    ]:
        with subtests.test(path=path):
            await check_orders(caller, path, ("created_at", "rating"), trade.reviews)


async def test_a_cursor_of_offers_jobs_or_reviews_is_of_one_list_order_and_filter(
    market, trade, anyone, staff, subtests
) -> None:
    for _ in range(2):
        await trade.reviews()
    about, jobs = f"providers/{PROVIDER}/reviews", f"customers/{CUSTOMER}/jobs"
    offers = f"providers/{PROVIDER}/offers"
    ratings, found, made = [await first_cursor(staff, path) for path in (about, jobs, offers)]
    assert (await anyone("GET", f"{about}?cursor={ratings}"))[0] == 200
    assert (await market.customer("GET", f"jobs?page_size=2&cursor={found}"))[0] == 200
    for caller, refused in [
        (anyone, f"{about}?sort=desc&cursor={ratings}"),
        (anyone, f"{about}?order_by=rating&cursor={ratings}"),
        (staff, f"{about}?direction=written&cursor={ratings}"),
        (anyone, f"providers/{NOBODY}/reviews?cursor={ratings}"),
        (staff, f"{jobs}?cursor={made}"),
        (staff, f"{jobs}?sort=desc&cursor={found}"),
        (staff, f"{jobs}?status=COMPLETED&cursor={found}"),
        (staff, f"jobs?cursor={found}"),
        (market.provider, f"jobs?cursor={found}"),
        (staff, f"{offers}?order_by=price&cursor={made}"),
        (staff, f"{offers}?status=ACCEPTED&cursor={made}"),
        (staff, f"{offers}?cursor={found}"),
        *((anyone, one) for one in spoilt(about, ratings)),
        *((staff, one) for one in (*spoilt(jobs, found), *spoilt(offers, made))),
    ]:
        with subtests.test(path=refused[:80]):
            await check_refused(caller, refused)


async def test_cursors_lead_to_each_provider_of_a_city_once_while_others_move_there(
    admin, customer
) -> None:
    async def settle() -> None:
        where = {"city_id": BERLIN, "address": "Main Street 1"}
        await expect(201, admin("POST", f"providers/{new_id()}/location", json=where))

    for _ in range(5):
        await settle()
    path, of = f"cities/{BERLIN}/providers", by("provider_id")
    assert len(await check_each_once(customer, path, between=at_most(3, settle), of=of)) == 5
    cursor = await first_cursor(customer, path)
    for refused in (f"cities/{HAMBURG}/providers?cursor={cursor}", *spoilt(path, cursor)):
        await check_refused(customer, refused)
