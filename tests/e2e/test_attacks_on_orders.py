"""Attacks on orders, offers, jobs, stock and lists through the gateway; see docs/attacks.md."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote
from uuid import uuid4

import asyncpg
import pytest

from devstack.testing.wait import eventually
from tests.e2e import people
from tests.e2e.conftest import Stack
from tests.e2e.curling import later
from tests.e2e.deletable import Deletable, User, deletable

JSON = {"Content-Type": "application/json"}
NOWHERE = "01890000-0000-7000-8000-00000000dead"
PRIVATE = (
    "orders/v1/orders", "orders/v1/service-orders", "orders/v1/jobs", "chats/v1/channels",
)  # fmt: skip
SEARCHED = (
    "catalogs/v1/services", "orders/v1/cities", "products/v1/products",
    "departments/v1/departments", "users/v1/users",
)  # fmt: skip
# Wildcards, escapes, characters that change the direction of a line, and half a character.
SEARCHES = (
    "%25", "_", "%5C", "%25%25%25%25", "'", "%27%20OR%201%3D1--", "%E2%80%AE", "%F0%9F%94%A8",
    quote("(" * 200), "%ED%A0%80", "%FF%FE", "%00",
)  # fmt: skip
NO_PLACES = (
    '{"longitude": NaN, "latitude": 1}', '{"longitude": 1e308, "latitude": 1}',
    '{"longitude": 180.0001, "latitude": 1}', '{"longitude": 1, "latitude": -90.0001}',
    '{"longitude": "1", "latitude": "1"}', '{"longitude": Infinity, "latitude": 0}', "[1, 2]",
)  # fmt: skip
A_PLACE = '{"longitude": 180, "latitude": -90}'
NEAR = (
    "near=NaN,NaN&radius_km=1", "near=1e400,0&radius_km=1", "near=0,0&radius_km=-1",
    "near=0,0&radius_km=1e308", "near=0,0&radius_km=NaN", "near=0", "near=0,0,0&radius_km=1",
    "near=181,91&radius_km=1", "near=,&radius_km=1",
)  # fmt: skip
# Each is a time of tomorrow but for what is wrong with it, or long past, or far away.
NO_TIMES = (
    "2020-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "{year}-13-01T00:00:00Z", "tomorrow", "0",
    "{day}T23:59:60Z", "{day}T24:00:00Z", "{day}T00:00:00", "10000-01-01T00:00:00Z",
    "{day}T00:00:00+99:99", "-0001-01-01T00:00:00Z",
)  # fmt: skip
MONEY_THAT_IS_NONE = ("-1.00", "0.001", "1e3", "NaN", "1,00", "٣.00", " 1.00", "9" * 40, "")


@pytest.fixture
async def world(stack, identity_provider) -> AsyncIterator[Deletable]:
    async with deletable(stack, identity_provider) as world:
        yield world


@asynccontextmanager
async def held(stack: Stack, lock: str, *row: str) -> AsyncIterator[None]:
    """Lock the rows of a statement until three transactions wait, then roll back."""
    sql = await asyncpg.connect(
        host="127.0.0.1", port=stack.port("POSTGRES_PORT"), user="postgres",
        password=(stack.secrets / "postgres").read_text(), database="order",
    )  # fmt: skip
    enough = """
        SELECT count(*) >= 3 FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
    """
    try:
        await sql.execute("BEGIN")
        await sql.execute(lock, *row)
        yield
        await eventually(lambda: sql.fetchval(enough))
        await sql.execute("ROLLBACK")
    finally:
        await sql.close()


async def test_a_filter_shows_nothing_of_other_users(world: Deletable) -> None:
    await world.job()
    product, _ = await world.product(stock=5)
    line = {"product_id": product.rpartition("/")[2], "quantity": 1}
    await world.customer.make("orders/v1/orders", lines=[line])
    victim = (await world.customer("GET", "users/v1/users/me")).data["id"]
    newcomer = await world.person()  # owns nothing that an ignored filter would show
    for path in PRIVATE:
        for name in ("user_id", "customer_id", "owner", "subject_id", "created_by", "search"):
            answer = await newcomer("GET", f"{path}?{name}={victim}")
            assert answer.status in (400, 403) or answer.data == [], (path, name, answer.body)
    for path in ("orders", "service-orders", "jobs", "reviews", "offers"):
        for kind in ("customers", "providers"):
            answer = await newcomer("GET", f"orders/v1/{kind}/{victim}/{path}")
            # Only providers have public reviews; this user is a customer.
            assert answer.status in (403, 404) or answer.data == [], (kind, path, answer.body)


async def test_a_conditional_read_does_not_reveal_what_exists(
    world: Deletable,
) -> None:
    for path in (
        f"orders/v1/jobs/{await world.job()}",
        f"orders/v1/service-orders/{await world.order()}",
    ):
        for tag in ('"1"', "*", 'W/"1"', '"0", "1", "2"'):
            headers = {"Authorization": f"Bearer {world.stranger.token}", "If-None-Match": tag}
            async with world.stranger.http.get(f"/api/{path}", headers=headers) as answer:
                assert answer.status in (403, 404), (path, tag)
            async with world.stranger.http.head(f"/api/{path}", headers=headers) as answer:
                assert answer.status in (403, 404, 405), (path, tag)


async def test_no_search_is_a_pattern_or_a_failure(world: Deletable) -> None:
    for path in SEARCHED:
        for search in SEARCHES:
            answer = await world.admin("GET", f"{path}?search={search}")
            assert answer.status in (200, 400), (path, search, answer.body)
            if search in ("%25", "_", "%5C") and answer.status == 200:
                needle = {"%25": "%", "_": "_", "%5C": "\\"}[search]
                found = answer.data
                if path.endswith("users"):
                    found = found["users"]
                assert all(needle in str(one) for one in found), (path, search)
        assert (await world.admin("GET", f"{path}?search={'x' * 5000}")).status in (200, 400, 414)


async def test_no_place_outside_the_world_is_taken(world: Deletable) -> None:
    for place, status in (*((place, 400) for place in NO_PLACES), (A_PLACE, 201)):
        body = (
            f'{{"service_id": "{world.service}", "description": "x", "location": {place},'
            f' "time_start": "{later(hours=24)}", "time_end": "{later(hours=48)}"}}'
        )
        answer = await world.customer(
            "POST", "orders/v1/service-orders", data=body, headers_more=JSON
        )
        assert answer.status == status, (place, answer.body)
    for query in NEAR:
        for path in ("service-orders", "providers/nearest"):
            answer = await world.provider("GET", f"orders/v1/{path}?{query}")
            assert answer.status == 400, (path, query, answer.body)


async def test_no_time_that_is_none_or_past_is_ordered(world: Deletable) -> None:
    day = later(days=2)[:10]
    wrong = [start.format(day=day, year=day[:4]) for start in NO_TIMES]
    for start, status in (*((start, 400) for start in wrong), (f"{day}T23:59:59Z", 201)):
        answer = await world.customer(
            "POST", "orders/v1/service-orders",
            {"service_id": world.service, "description": "x", "time_start": start,
             "location": {"longitude": 1, "latitude": 1}, "time_end": later(days=300)},
        )  # fmt: skip
        assert answer.status == status, (start, answer.body)


async def test_two_offers_accepted_at_once_become_one_job(world: Deletable) -> None:
    rival = await world.person("provider")
    offered = {"service_id": world.service}
    assert (await rival("POST", "catalogs/v1/providers/me/services", offered)).status < 300
    first, order = await world.offered()
    when = (await world.customer("GET", f"orders/v1/service-orders/{order}")).data["time_start"]
    second = await rival.make(
        "orders/v1/offers", order_id=order, price="80.00", currency_id=world.currency,
        book_time=when,
    )  # fmt: skip
    bodies = [
        {"offer_id": first, "price": "85.00", "currency": "EUR"},
        {"offer_id": second, "price": "80.00", "currency": "EUR"},
    ] * 5
    answers = await asyncio.gather(
        *(world.customer("POST", "orders/v1/jobs", body) for body in bodies)
    )
    assert Counter(answer.status for answer in answers)[201] == 1, answers
    assert {answer.status for answer in answers} <= {201, 404, 409, 412}


async def test_a_job_that_is_cancelled_and_completed_at_once_ends_one_way(
    stack: Stack, world: Deletable
) -> None:
    job = await world.job()
    path = f"orders/v1/jobs/{job}"
    # Paused, it is cancelled or resumed, and what was resumed is completed: never both.
    for status in ("IN_PROGRESS", "PAUSED"):
        assert (await world.provider("PATCH", path, {"status": status})).status == 200
    wanted = [
        (who, status)
        for _ in range(3)
        for status in ("CANCELLED", "IN_PROGRESS", "COMPLETED")
        for who in (world.customer, world.provider)
    ]
    row = "SELECT FROM job WHERE id = $1 FOR UPDATE"
    async with held(stack, row, job):
        asked = [asyncio.create_task(who("PATCH", path, {"status": to})) for who, to in wanted]
    answers = await asyncio.gather(*asked)
    assert {answer.status for answer in answers} <= {200, 400, 403, 409, 412}
    ends = {answer.data["status"] for answer in answers if answer.status == 200}
    assert ends in ({"CANCELLED"}, {"IN_PROGRESS"}, {"IN_PROGRESS", "COMPLETED"})
    if "CANCELLED" not in ends:
        assert (await world.customer("PATCH", path, {"status": "COMPLETED"})).status == 200
    final = (await world.customer("GET", path)).data["status"]
    assert final == ("CANCELLED" if "CANCELLED" in ends else "COMPLETED")
    for status in {"CANCELLED", "IN_PROGRESS", "COMPLETED"} - {final}:
        assert (await world.customer("PATCH", path, {"status": status})).status in (403, 409)
    assert (await world.customer("GET", path)).data["status"] == final


async def test_a_customer_moves_no_order_of_goods_but_to_its_cancellation(
    world: Deletable,
) -> None:
    product, _ = await world.product(stock=5)
    line = {"product_id": product.rpartition("/")[2], "quantity": 1}
    order = f"orders/v1/orders/{await world.customer.make('orders/v1/orders', lines=[line])}"
    for status in ("shipped", "delivered", "confirmed", "settled", "PENDING", "paid"):
        for method in ("PATCH", "PUT"):
            answer = await world.customer(method, order, {"status": status}, match="*")
            assert answer.status in (400, 403, 409), (method, status, answer.body)
    cancelled = await world.customer("PATCH", order, {"status": "cancelled"}, match="*")
    assert cancelled.status in (200, 403), cancelled.body


async def test_lines_of_one_product_are_counted_together(world: Deletable) -> None:
    product, _ = await world.product(stock=10)
    line = {"product_id": product.rpartition("/")[2], "quantity": 4}
    answer = await world.customer("POST", "orders/v1/orders", {"lines": [line] * 3})
    assert answer.status in (400, 409, 422), answer.body
    many = await world.customer("POST", "orders/v1/orders", {"lines": [line] * 5000})
    assert many.status in (400, 413), many.body
    assert (await world.admin("GET", product)).data["stock"] == 10


async def test_orders_at_once_sell_no_more_than_there_is(world: Deletable) -> None:
    product, _ = await world.product(stock=3)
    line = {"product_id": product.rpartition("/")[2], "quantity": 1}
    answers = await asyncio.gather(
        *(
            who("POST", "orders/v1/orders", {"lines": [line]})
            for who in (world.customer, world.stranger, world.provider, world.admin)
            for _ in range(5)
        )
    )
    sold = [answer for answer in answers if answer.status == 201]
    assert {answer.status for answer in answers} <= {201, 409, 429}
    assert (await world.admin("GET", product)).data["stock"] == 3 - len(sold) >= 0


async def test_one_key_sent_many_times_at_once_makes_one_order(world: Deletable) -> None:
    product, _ = await world.product(stock=50)
    line = {"product_id": product.rpartition("/")[2], "quantity": 1}
    key = {"Idempotency-Key": f"race-{product}"}
    answers = await asyncio.gather(
        *(
            world.customer("POST", "orders/v1/orders", {"lines": [line]}, headers_more=key)
            for _ in range(20)
        )
    )
    assert {answer.status for answer in answers} <= {201, 409}
    assert len({answer.data["id"] for answer in answers if answer.status == 201}) == 1

    async def given_back() -> bool:  # a reservation made twice is released
        return (await world.admin("GET", product)).data["stock"] == 49

    await eventually(given_back, within=30)


async def test_no_odd_key_of_idempotency_is_a_failure(world: Deletable) -> None:
    product, _ = await world.product(stock=50)
    body = {"lines": [{"product_id": product.rpartition("/")[2], "quantity": 1}]}
    # The last three are valid keys, although they look like a list, a path and an escape.
    for key, status in (
        ("", 400), (" ", 400), ("x" * 256, 400), ("x" * 4000, 400), ("ключ", 400),
        ("a,b", 201), ("../../x", 201), ("%00", 201),
    ):  # fmt: skip
        answer = await world.customer(
            "POST", "orders/v1/orders", body, headers_more={"Idempotency-Key": key}
        )
        assert answer.status == status, (key, answer.body)


async def test_no_price_that_is_none_is_given_to_a_product(world: Deletable) -> None:
    for price in MONEY_THAT_IS_NONE:
        answer = await world.admin(
            "POST",
            "products/v1/products",
            {"name": f"P {price}", "price": price, "currency": "EUR"},
        )
        assert answer.status == 400, (price, answer.body)


async def test_an_offer_to_oneself_or_outside_the_order_is_refused(
    stack: Stack, world: Deletable
) -> None:
    order = await world.order()
    good = {"order_id": order, "price": "1.00", "currency_id": world.currency,
            "book_time": later(hours=28)}  # fmt: skip
    for who in (world.customer, world.stranger):
        assert (await who("POST", "orders/v1/offers", good)).status == 403
    for change, status in (
        ({"book_time": "2020-01-01T00:00:00Z"}, 400), ({"book_time": later(hours=34)}, 400),
        ({"book_time": later(hours=22)}, 400), ({"currency_id": NOWHERE}, 404),
        ({"order_id": NOWHERE}, 404), ({}, 201),
    ):  # fmt: skip
        answer = await world.provider("POST", "orders/v1/offers", good | change)
        assert answer.status == status, (change, answer.body)
    # A customer who becomes a provider keeps the orders of before.
    address = await asyncio.to_thread(people.register, stack)
    await asyncio.to_thread(people.prove, stack, address)
    customer = User(world.admin.http, await asyncio.to_thread(people.sign_in, stack, address))
    own = await world.order(customer)
    me = (await customer("GET", "users/v1/users/me")).data["id"]
    number = {"personal_id_number": f"{uuid4().int % 10**11:011}"}
    assert (await customer("POST", "users/v1/users/me/provider-request", number)).status == 201
    approval = await world.admin("PUT", f"users/v1/provider-requests/{me}", {"approved": True})
    assert approval.status == 204
    provider = User(world.admin.http, await asyncio.to_thread(people.sign_in, stack, address))
    answer = await provider("POST", "orders/v1/offers", good | {"order_id": own})
    assert (answer.status, answer.message) == (403, "you cannot make an offer on your own order")


async def test_ten_reviews_at_once_of_one_job_are_one(world: Deletable) -> None:
    job = await world.job()
    for who, status in ((world.provider, "IN_PROGRESS"), (world.customer, "COMPLETED")):
        assert (await who("PATCH", f"orders/v1/jobs/{job}", {"status": status})).status == 200
    answers = await asyncio.gather(
        *(
            world.customer("POST", "orders/v1/reviews", {"job_id": job, "rating": 1})
            for _ in range(10)
        )
    )
    assert Counter(answer.status for answer in answers) == {201: 1, 409: 9}
    for rating in (-1, 5.01, 6, 1e9, "5", None, True):
        answer = await world.provider(
            "POST", "orders/v1/reviews", {"job_id": job, "rating": rating}
        )
        assert answer.status == 400, (rating, answer.body)


async def test_orders_at_once_of_one_customer_hoard_no_more_than_one_may(
    stack: Stack, world: Deletable
) -> None:
    product, _ = await world.product(stock=100)
    line = {"product_id": product.rpartition("/")[2], "quantity": 20}
    hoarder = await world.person()
    me = (await hoarder("GET", "users/v1/users/me")).data["id"]
    # The same keys: who inserts a draft has counted what the customer holds, and waits for these.
    keys = """
        INSERT INTO goods_draft (id, user_id, pending_validation, created_by, request_key, due_at,
            product_ids, quantities, held)
        SELECT gen_random_uuid(), $1::text::uuid, false, $1, 'hoard-' || number, now(),
            ARRAY[$2::text::uuid], ARRAY[1], ARRAY[0]
        FROM generate_series(0, 19) AS number
    """
    async with held(stack, keys, me, line["product_id"]):
        asked = [
            asyncio.create_task(
                hoarder("POST", "orders/v1/orders", {"lines": [line]},
                        headers_more={"Idempotency-Key": f"hoard-{number}"})
            )
            for number in range(20)
        ]  # fmt: skip
    answers = await asyncio.gather(*asked)
    assert {answer.status for answer in answers} <= {201, 409, 429}
    left = (await world.admin("GET", product)).data["stock"]
    assert left >= 50, left
    other = {"product_id": line["product_id"], "quantity": 1}
    assert (await world.stranger("POST", "orders/v1/orders", {"lines": [other]})).status == 201


async def test_terms_are_not_changed_and_evidence_not_removed_after_the_acceptance(
    world: Deletable,
) -> None:
    offer, order = await world.offered()
    accept = f"orders/v1/offers/{offer}/accept"
    for any_terms in ("", "*"):
        assert (await world.customer("POST", accept, match=any_terms)).status == 428
    assert (await world.stranger("POST", accept, match='"1"')).status == 404
    job = await world.customer.make("orders/v1/jobs", offer_id=offer, price="85.00", currency="EUR")
    for who, method, path, body in (
        (world.provider, "PATCH", f"offers/{offer}", {"price": "9000.00"}),
        (world.provider, "DELETE", f"offers/{offer}", None),
        (world.customer, "DELETE", f"service-orders/{order}", None),
        (world.customer, "PATCH", f"service-orders/{order}", {"description": "Something else"}),
        (world.provider, "PATCH", f"jobs/{job}", {"price": "9000.00"}),
        (world.provider, "PATCH", f"jobs/{job}", {"status": "PENDING", "price": "9000.00"}),
    ):
        answer = await who(method, f"orders/v1/{path}", body, match="*")
        assert answer.status in (400, 403, 409), (method, path, answer.body)
    assert (await world.customer("GET", f"orders/v1/jobs/{job}")).data["price"] == "85.00"


async def test_no_code_of_a_currency_or_country_is_a_look_alike(world: Deletable) -> None:
    for code in ("ＥＵＲ", "eur", "EU", "EURO", "E€R", "İUR", "EUR ", "E\u0000R", "12\u0663"):
        body = {"currency": f"Look-alike {code!r}", "code": code, "symbol": "x"}
        answer = await world.admin("POST", "orders/v1/currencies", body)
        assert answer.status in (400, 409), (code, answer.body)
    for iso2 in ("ＤＥ", "d", "DEU", "D\u0130", "  "):
        body = {"name": "Look-alike", "country": "x", "iso2": iso2,
                "location": {"longitude": 1, "latitude": 1}}  # fmt: skip
        answer = await world.admin("POST", "orders/v1/cities", body)
        assert answer.status == 400, (iso2, answer.body)
