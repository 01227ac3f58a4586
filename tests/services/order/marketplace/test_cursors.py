"""The lists of service orders by cursors: each order once, for everybody who lists them."""

from __future__ import annotations

import pytest

from tests.services.order.conftest import CUSTOMER
from tests.services.order.marketplace.conftest import NOBODY, SERVICE, after, expect
from tests.services.walking import ids, walk


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
    expected = ids([(await caller("GET", f"{query}&page_size=100"))[1]])
    assert len(expected) == count
    more = iter([{"days": 1}, {"days": 3.5}, {"days": 8}])

    async def place() -> None:
        if start := next(more, None):
            await market.order(time_start=after(**start), time_end=after(days=9))

    bodies = await walk(caller, f"{query}&page_size=1", between=place)
    found = ids(bodies)
    assert len(found) == len(set(found))
    assert [one for one in found if one in expected] == expected
    assert all(body["meta"].keys().isdisjoint(("page", "total_count")) for body in bodies)
    last = bodies[-1]["meta"]["previous_cursor"]
    back = await walk(caller, f"{query}&page_size=2", to="previous_cursor", cursor=last)
    before = ids(back[::-1])
    assert len(before) == len(set(before))
    rest = [one for one in ids(bodies[:-1]) if one in expected]
    assert [one for one in before if one in expected] == rest


async def test_a_cursor_of_another_list_order_filter_or_caller_is_refused(
    some, staff, customer, other_customer, provider, subtests
) -> None:
    path = "service-orders?page_size=1&cursor="
    cursor, own, opened = [
        (await caller("GET", path))[1]["meta"]["next_cursor"]
        for caller in (staff, customer, provider)
    ]
    assert (await staff("GET", f"service-orders?page_size=3&cursor={cursor}"))[0] == 200
    assert (await customer("GET", f"customers/me/service-orders?cursor={own}"))[0] == 200
    for caller, query in [
        (staff, f"sort=desc&cursor={cursor}"),
        (staff, f"order_by=time_start&cursor={cursor}"),
        (staff, f"status=PENDING&cursor={cursor}"),
        (staff, f"status=PENDING&cursor={opened}"),
        (staff, f"service_id={NOBODY}&cursor={cursor}"),
        (staff, f"cursor={own}"),
        (customer, f"cursor={cursor}"),
        (other_customer, f"cursor={own}"),
        (provider, f"cursor={cursor}"),
        (provider, f"status=PAUSED&cursor={opened}"),
        (provider, "near=13.4,52.5&cursor="),
        (provider, f"near=13.4,52.5&cursor={opened}"),
        (staff, f"cursor={cursor[1:]}"),
        (staff, f"cursor={cursor}A"),
        (staff, "cursor=x"),
        (staff, "cursor=%C3%A9"),
        (staff, f"cursor={'A' * 5001}"),
        (staff, f"cursor={cursor}&cursor={cursor}"),
        (staff, f"cursor={cursor}&page=1"),
        (staff, "cursor=&page=2"),
    ]:
        with subtests.test(query=query[:80]):
            status, body, _ = await caller("GET", f"service-orders?{query}")
            assert status == 400, body
            assert body["error"]["code"] == "VALIDATION_ERROR"
            assert [one["field"] for one in body["error"]["details"]] == ["cursor"]


async def test_a_list_of_nothing_has_no_cursors(some, provider) -> None:
    _, body, _ = await provider("GET", "service-orders?status=PAUSED&cursor=")
    assert (body["data"], body["meta"]) == ([], {"page_size": 20})
