"""The list of orders: filters, pages with totals, stable sort orders, and owners."""

from __future__ import annotations

import pytest

from tests.services.order.goods.fakes import ALICE, BOB
from tests.services.walking import at_most, check_each_once, check_refused, first_cursor, spoilt


@pytest.fixture
async def some(order, move, other_customer, shelf, orders_db) -> dict[str, str]:
    """Four orders by name; each is a day older than the previous one."""
    thing, other = await shelf.add(price="5.00", stock=99), await shelf.add(price="2.00", stock=99)
    made = {
        "first": await order((thing, 1)),
        "second": await move(await order((thing, 2), (other, 1)), "confirmed"),
        "third": await move(await order((other, 4)), "cancelled"),
        "bobs": await order((thing, 1), by=other_customer),
    }
    for days, placed in enumerate(made.values(), 1):
        await orders_db.execute(
            "UPDATE goods_order SET created_at = date '2026-01-10' - $2::int WHERE id = $1",
            placed["id"],
            days,
        )
    return {placed["id"]: name for name, placed in made.items()} | {"thing": thing, "other": other}


async def test_the_list_shows_what_matches_in_the_order_asked_for(some, staff, subtests) -> None:
    for query, names in [
        ("", "first second third bobs"),
        ("sort=asc", "bobs third second first"),
        ("order_by=total&sort=asc", "first bobs third second"),
        ("order_by=total", "second third bobs first"),
        ("status=pending", "first bobs"),
        ("status=cancelled", "third"),
        ("status=shipped", ""),
        (f"user_id={BOB}", "bobs"),
        (f"user_id={ALICE}&status=pending", "first"),
        ("product_id={thing}", "first second bobs"),
        ("product_id={other}&status=confirmed", "second"),
        ("created_from=2026-01-08T00:00:00Z", "first second"),
        ("created_to=2026-01-08T00:00:00Z", "third bobs"),
        ("created_from=2026-01-07T00:00:00Z&created_to=2026-01-09T00:00:00Z", "second third"),
        ("created_to=1900-01-01T00:00:00Z", ""),
    ]:
        with subtests.test(query=query):
            status, body, _ = await staff("GET", f"orders?{query.format(**some)}")
            assert status == 200
            found = [some[one["id"]] for one in body["data"]]
            if query.startswith("order_by=total"):  # two cost the same: the older id comes first
                assert sorted(found) == sorted(names.split())
                totals = [float(one["total"]) for one in body["data"]]
                assert totals == sorted(totals, reverse="sort" not in query)
            else:
                assert found == names.split()
            assert body["meta"]["total_count"] == len(found)
            assert all("user" not in one and one["lines"] for one in body["data"])


async def test_pages_are_whole_without_repeating_and_know_the_total(some, staff) -> None:
    seen = []
    for page in (1, 2, 3):
        _, body, _ = await staff("GET", f"orders?page={page}&page_size=2&order_by=total")
        assert (body["meta"]["total_count"], body["meta"]["total_pages"]) == (4, 2)
        seen += [one["id"] for one in body["data"]]
    assert len(seen) == len(set(seen)) == 4


async def test_customers_see_their_own_and_may_not_ask_for_those_of_others(
    some, customer, other_customer
) -> None:
    _, body, _ = await customer("GET", "orders")
    assert [some[one["id"]] for one in body["data"]] == ["first", "second", "third"]
    _, body, _ = await other_customer("GET", f"orders?user_id={BOB}")
    assert [some[one["id"]] for one in body["data"]] == ["bobs"]
    assert (await customer("GET", f"orders?user_id={BOB}"))[0] == 403


async def test_what_cannot_be_asked_for_is_refused_by_its_name(staff, subtests) -> None:
    for query, field in [
        ("status=banana", "status"),
        ("user_id=1", "user_id"),
        ("product_id=x", "product_id"),
        ("page=0", "page"),
        ("page_size=101", "page_size"),
        ("order_by=user_id", "order_by"),
        ("sort=down", "sort"),
        ("created_from=yesterday", "created_from"),
        ("created_to=2026-01-01T00:00:00", "created_to"),
        ("deleted=perhaps", "deleted"),
    ]:
        with subtests.test(query=query):
            status, body, _ = await staff("GET", f"orders?{query}")
            assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR")
            assert [detail["field"] for detail in body["error"]["details"]] == [field]


@pytest.mark.parametrize(
    "query", ["", "?sort=asc", "?order_by=total", "?order_by=total&sort=asc", "?status=pending"]
)
async def test_cursors_lead_to_each_order_once_while_others_are_placed(
    some, staff, order, shelf, query
) -> None:
    thing = await shelf.add(price="5.00", stock=99)

    async def place() -> None:
        await order((thing, 1))

    await check_each_once(staff, f"orders{query}", size=1, between=at_most(3, place))


async def test_a_cursor_of_another_list_order_filter_or_customer_is_refused(
    some, staff, customer, other_customer, subtests
) -> None:
    cursor = await first_cursor(staff, "orders")
    own = await first_cursor(customer, "orders")
    assert (await staff("GET", f"orders?page_size=3&cursor={cursor}"))[0] == 200
    for caller, query in [
        (staff, f"sort=asc&cursor={cursor}"),
        (staff, f"order_by=total&cursor={cursor}"),
        (staff, f"status=pending&cursor={cursor}"),
        (staff, f"user_id={BOB}&cursor={cursor}"),
        (staff, f"cursor={own}"),
        (customer, f"cursor={cursor}"),
        (other_customer, f"cursor={own}"),
        *((staff, one.removeprefix("orders?")) for one in spoilt("orders", cursor)),
    ]:
        with subtests.test(query=query[:80]):
            await check_refused(caller, f"orders?{query}")
