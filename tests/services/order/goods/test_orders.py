"""Orders of goods over HTTP, with a real product service: each outcome of each route."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from devstack.testing.wait import eventually
from lib.errors import AppError, Code
from lib.store import QUERY_NAMES as SHARED
from services.order.goods.routes.deps import SHOP
from services.order.goods.service import placing
from services.order.goods.store import QUERY_NAMES
from services.order.goods.store.models import GoodsDraft
from tests.services.order.goods.fakes import ALICE, BOB, INACTIVE, NOBODY, Trouble

ANY = {"If-Match": "*"}
# What a request may run; the rest is what goes on beside it.
BESIDE = {
    "ClaimDrafts", "ClaimOrders", "ClaimUnsettled", "ForgetAnswers", "ForgetHandled",
    "LockUnconfirmed", "MeasureBacklog",
}  # fmt: skip
ASKED = {*QUERY_NAMES.values(), *SHARED.values()} - BESIDE


def lines_of(*lines: tuple[str, object]) -> dict:
    return {"lines": [{"product_id": product, "quantity": n} for product, n in lines]}


async def test_an_order_holds_its_products_at_the_prices_of_the_moment(
    customer, shelf, orders_db
) -> None:
    cheap, dear = await shelf.add(price="0.10", stock=6), await shelf.add(price="99.99", stock=4)
    status, body, headers = await customer("POST", "orders", json=lines_of((dear, 2), (cheap, 3)))
    assert status == 201
    order = body["data"]
    assert headers["Location"] == f"orders/{order['id']}"
    assert headers["ETag"] == '"1"'
    assert order["lines"] == [
        {"product_id": dear, "quantity": 2, "unit_price": "99.99"},
        {"product_id": cheap, "quantity": 3, "unit_price": "0.10"},
    ]
    assert (order["total"], order["currency"]) == ("200.28", "EUR")
    assert (order["status"], order["pending_validation"]) == ("pending", False)
    assert order["user"] == {
        "id": ALICE, "name": "Alice", "email": "alice@example.com", "active": True
    }  # fmt: skip
    assert (order["user_id"], order["created_by"], order["version"]) == (ALICE, ALICE, 1)
    assert UUID(order["id"]).version == 7
    assert (await shelf.stock(cheap), await shelf.stock(dear)) == (3, 2)
    assert await shelf.reservations() == ["confirmed"]
    assert await orders_db.fetchval("SELECT stock::text FROM goods_order") == "sold"
    assert await orders_db.fetchval("SELECT count(*) FROM goods_draft") == 0
    # What happens to the price later is no matter of this order.
    await shelf.db.execute("UPDATE product SET price = 1")
    _, again, _ = await customer("GET", f"orders/{order['id']}")
    assert again["data"] == order


async def test_an_order_that_cannot_be_is_refused_and_leaves_nothing(
    customer, orders_db, subtests
) -> None:
    for body, status, code, field in [
        ({}, 400, "VALIDATION_ERROR", "lines"),
        ({"lines": []}, 400, "VALIDATION_ERROR", "lines"),
        (lines_of(*[(str(uuid4()), 1)] * 101), 400, "VALIDATION_ERROR", "lines"),
        (lines_of(("x", 1)), 400, "VALIDATION_ERROR", "lines[0].product_id"),
        (lines_of((str(uuid4()), 0)), 400, "VALIDATION_ERROR", "lines[0].quantity"),
        (lines_of((str(uuid4()), 10_001)), 400, "VALIDATION_ERROR", "lines[0].quantity"),
        (lines_of((str(uuid4()), "1")), 400, "VALIDATION_ERROR", "lines[0].quantity"),
        (lines_of((ALICE, 1), (ALICE, 2)), 400, "VALIDATION_ERROR", "lines[1].product_id"),
        ({"total": "1.00"} | lines_of((ALICE, 1)), 400, "VALIDATION_ERROR", "total"),
        (lines_of((ALICE, 1)), 409, "CONFLICT", "lines[0].product_id"),
    ]:
        with subtests.test(body=body):
            answered, said, _ = await customer("POST", "orders", json=body)
            assert (answered, said["error"]["code"]) == (status, code)
            assert field in [detail["field"] for detail in said["error"]["details"]]
            assert await orders_db.fetchval("SELECT count(*) FROM goods_order") == 0
            assert await orders_db.fetchval("SELECT count(*) FROM goods_draft") == 0


async def test_more_than_there_is_cannot_be_ordered_and_nothing_of_it_is_held(
    customer, shelf
) -> None:
    much, few = await shelf.add(stock=5), await shelf.add(stock=1)
    status, body, _ = await customer("POST", "orders", json=lines_of((much, 1), (few, 2)))
    assert (status, body["error"]["code"]) == (409, "CONFLICT")
    assert body["error"]["details"] == [{"field": "lines[1].quantity", "message": "only 1 left"}]
    assert (await shelf.stock(much), await shelf.stock(few)) == (5, 1)


@pytest.mark.parametrize(
    ("prices", "field"),
    [
        ((("1.00", "EUR"), ("1.00", "USD")), "lines[1].product_id"),
        ((("9999999999.99", "EUR"),), "lines"),
    ],
    ids=["two currencies", "too much money"],
)
async def test_what_has_no_one_price_is_refused_and_given_back(
    customer, shelf, orders_db, prices, field
) -> None:
    products = [
        await shelf.add(price=price, currency=currency, stock=10_000) for price, currency in prices
    ]
    status, body, _ = await customer("POST", "orders", json=lines_of(*((p, 900) for p in products)))
    assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert body["error"]["details"][0]["field"] == field

    async def given_back() -> bool:
        drafts = await orders_db.fetchval("SELECT count(*) FROM goods_draft")
        return drafts == 0 and await shelf.stock(products[0]) == 10_000

    await eventually(given_back)
    assert await shelf.reservations() == ["released"]


@pytest.mark.parametrize(
    ("user_id", "status", "message"),
    [
        (NOBODY, 404, "user not found"),
        (INACTIVE, 400, "user is not active"),
        (BOB, 201, None),
    ],
)
async def test_who_orders_must_exist_and_be_active(staff, shelf, user_id, status, message) -> None:
    product = await shelf.add(stock=3)
    body = lines_of((product, 1)) | {"user_id": user_id}
    answered, said, _ = await staff("POST", "orders", json=body)
    assert answered == status
    if message is None:
        assert said["data"]["user_id"] == user_id
        assert said["data"]["created_by"] == staff.subject
    else:
        assert said["error"]["message"] == message
        assert await shelf.stock(product) == 3


async def test_only_the_staff_orders_for_others_and_nobody_without_a_token(
    customer, anyone, client, issuer, shelf
) -> None:
    body = lines_of((await shelf.add(), 1))
    assert (await customer("POST", "orders", json=body | {"user_id": BOB}))[0] == 403
    assert (await customer("POST", "orders", json=body | {"user_id": ALICE}))[0] == 201
    for method, path in (
        ("POST", "orders"),
        ("GET", "orders"),
        ("GET", f"orders/{uuid4()}"),
        ("PATCH", f"orders/{uuid4()}"),
        ("DELETE", f"orders/{uuid4()}"),
    ):
        assert (await anyone(method, path, json=body))[0] == 401
    for role in ("SERVICE", "CUSTOMER", "STAFF"):
        nobody = issuer.authorized(subject="chat", role=role)
        async with client.post("/api/v1/orders", json=body, headers=nobody) as answer:
            assert answer.status == 403
        async with client.get("/api/v1/orders", headers=nobody) as answer:
            assert answer.status == (200 if role == "STAFF" else 403)


async def test_who_has_not_verified_their_address_orders_nothing_and_may_look(
    client, issuer, shelf, orders_db
) -> None:
    body = lines_of((await shelf.add(), 1))
    for role, user_id in (("CUSTOMER", None), ("STAFF", ALICE)):
        headers = issuer.authorized(subject=ALICE, role=role, verified=False)
        wanted = body if user_id is None else body | {"user_id": user_id}
        async with client.post("/api/v1/orders", json=wanted, headers=headers) as answer:
            error = (await answer.json())["error"]
            assert answer.status == 403
            assert "refresh the access token" in error["message"]
        async with client.get("/api/v1/orders", headers=headers) as answer:
            assert answer.status == 200
    assert await orders_db.fetchval("SELECT count(*) FROM goods_order") == 0


async def test_the_same_request_orders_once(customer, shelf, orders_db) -> None:
    product = await shelf.add(stock=9)
    headers = {"Idempotency-Key": "once"}
    answers = [
        await customer("POST", "orders", json=lines_of((product, 2)), headers=headers)
        for _ in range(2)
    ]
    assert [status for status, _, _ in answers] == [201, 201]
    assert answers[0][1]["data"] == answers[1][1]["data"]
    # Also where the kept answer is gone, as after a crash before it was kept.
    await orders_db.execute("DELETE FROM idempotency_key")
    status, body, _ = await customer("POST", "orders", json=lines_of((product, 2)), headers=headers)
    assert (status, body["data"]["id"]) == (201, answers[0][1]["data"]["id"])
    await orders_db.execute("DELETE FROM idempotency_key")
    status, body, _ = await customer("POST", "orders", json=lines_of((product, 3)), headers=headers)
    assert (status, body["error"]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert await shelf.stock(product) == 7


async def test_a_request_sent_again_gets_the_order_that_its_draft_becomes_meanwhile(
    customer, shelf, orders_db, monkeypatch
) -> None:
    product, headers = await shelf.add(stock=9), {"Idempotency-Key": "meanwhile"}
    wanted = lines_of((product, 2))
    _, first, _ = await customer("POST", "orders", json=wanted, headers=headers)
    await orders_db.execute("DELETE FROM idempotency_key")

    async def found_a_moment_ago(_, *, created_by: str, request_key: str | None) -> GoodsDraft:
        now = datetime.now(UTC)
        return GoodsDraft(
            UUID(first["data"]["id"]),
            UUID(ALICE),
            False,
            False,
            created_by,
            request_key,
            now,
            now,
            [0],
            [UUID(product)],
            [2],
        )

    monkeypatch.setattr(placing.drafts, "find_draft", found_a_moment_ago)
    status, body, _ = await customer("POST", "orders", json=wanted, headers=headers)
    assert (status, body["data"]["id"]) == (201, first["data"]["id"])


async def test_the_same_request_many_times_at_once_orders_once(customer, shelf, orders_db) -> None:
    product = await shelf.add(stock=9)
    headers = {"Idempotency-Key": "at-once"}
    answers = await asyncio.gather(
        *(
            customer("POST", "orders", json=lines_of((product, 2)), headers=headers)
            for _ in range(6)
        )
    )
    assert {status for status, _, _ in answers} <= {201, 409}
    assert len({body["data"]["id"] for status, body, _ in answers if status == 201}) == 1
    assert await shelf.stock(product) == 7


@pytest.mark.parametrize("failing", [{1}, {1, 2, 3}, {2, 9, 20}, set(range(1, 16))])
async def test_a_request_repeated_while_others_of_it_have_no_answer_is_never_left_undecided(
    client, customer, shelf, orders_db, monkeypatch, failing
) -> None:
    """Thirty requests run at once.

    For some, the product service is unavailable, and they release the key.
    """
    products, asked = client.app[SHOP].products, 0
    reserve = products.reserve

    async def sometimes(*given):
        nonlocal asked
        asked += 1
        number = asked
        held = await reserve(*given)
        if number in failing:
            raise AppError(Code.SERVICE_UNAVAILABLE, "the product service is not available")
        return held

    monkeypatch.setattr(products, "reserve", sometimes)
    product = await shelf.add(stock=90)
    body, headers = lines_of((product, 2)), {"Idempotency-Key": "thirty"}
    answers = await asyncio.gather(
        *(customer("POST", "orders", json=body, headers=headers) for _ in range(30))
    )
    for status, answer, named in answers:
        assert status in (201, 503) or "Retry-After" in named, answer
    made = [answer["data"]["id"] for status, answer, _ in answers if status == 201]
    assert len(set(made)) == 1
    assert len(made) >= 30 - len(failing) - 3

    async def given_back() -> bool:
        return await shelf.stock(product) == 88

    await eventually(given_back)
    assert await orders_db.fetchval("SELECT count(*) FROM goods_order") == 1


async def test_orders_at_the_same_time_do_not_pass_the_limit_of_those_that_wait(
    customer, shelf, orders_db, monkeypatch
) -> None:
    monkeypatch.setattr(placing, "MAX_WAITING", 3)
    product = await shelf.add(stock=50)
    answers = await asyncio.gather(
        *(customer("POST", "orders", json=lines_of((product, 1))) for _ in range(12))
    )
    assert sorted(status for status, _, _ in answers) == [201] * 3 + [409] * 9

    async def given_up() -> bool:
        return await orders_db.fetchval("SELECT count(*) FROM goods_draft") == 0

    await eventually(given_up)
    assert await shelf.stock(product) == 47


async def test_others_do_not_see_an_order_and_the_staff_does(
    order, customer, other_customer, staff
) -> None:
    placed = await order()
    path = f"orders/{placed['id']}"
    assert (await customer("GET", path))[0] == 200
    assert (await staff("GET", path))[0] == 200
    for method, body in (("GET", None), ("PATCH", {"status": "cancelled"})):
        status, said, _ = await other_customer(method, path, json=body, headers=ANY)
        assert (status, said["error"]["message"]) == (404, "order not found")
    assert (await customer("DELETE", path, headers=ANY))[0] == 403


async def test_a_customers_request_for_the_order_of_another_waits_for_no_lock(
    order, other_customer, orders_db
) -> None:
    placed = await order()
    change = {"json": {"status": "cancelled"}, "headers": ANY}
    async with orders_db.transaction() as tx, asyncio.timeout(30):
        await tx.execute("SELECT FROM goods_order WHERE id = $1 FOR UPDATE", placed["id"])
        assert (await other_customer("PATCH", f"orders/{placed['id']}", **change))[0] == 404


async def test_an_order_that_is_none_is_not_found_and_an_id_that_is_none_is_refused(staff) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        assert (await staff(method, f"orders/{uuid4()}", json={}, headers=ANY))[0] == 404
        assert (await staff(method, "orders/17", json={}, headers=ANY))[0] == 400


async def test_a_change_names_the_version_it_is_of(order, staff) -> None:
    placed = await order()
    path, body = f"orders/{placed['id']}", {"status": "confirmed"}
    assert (await staff("PATCH", path, json=body))[0] == 428
    assert (await staff("DELETE", path))[0] == 428
    assert (await staff("PATCH", path, json=body, headers={"If-Match": '"9"'}))[0] == 412
    status, said, headers = await staff("PATCH", path, json=body, headers={"If-Match": '"1"'})
    assert (status, headers["ETag"], said["data"]["version"]) == (200, '"2"', 2)
    assert said["data"]["updated_by"] == staff.subject
    assert (await staff("PATCH", path, json=body, headers={"If-Match": '"1"'}))[0] == 412
    assert (await staff("DELETE", path, headers={"If-Match": '"1"'}))[0] == 412


async def test_put_is_a_change_as_older_systems_send_it(order, staff) -> None:
    placed = await order()
    change = {"json": {"status": "confirmed"}, "headers": ANY}
    status, body, _ = await staff("PUT", f"orders/{placed['id']}", **change)
    assert (status, body["data"]["status"]) == (200, "confirmed")


async def test_nothing_given_changes_nothing_and_nonsense_is_refused(order, staff) -> None:
    placed = await order()
    path = f"orders/{placed['id']}"
    status, said, headers = await staff("PATCH", path, json={}, headers=ANY)
    assert (status, headers["ETag"], said["data"]["status"]) == (200, '"1"', "pending")
    for body in ({"status": "banana"}, {"total": "1"}, {"status": None}):
        status, said, _ = await staff("PATCH", path, json=body, headers=ANY)
        assert (status, said["error"]["code"]) == (400, "VALIDATION_ERROR")


async def test_a_removed_order_is_hidden_and_its_stock_is_back(
    order, staff, customer, shelf
) -> None:
    product = await shelf.add(stock=6)
    placed = await order((product, 3))
    assert (await staff("DELETE", f"orders/{placed['id']}", headers=ANY))[0] == 204
    assert await shelf.stock(product) == 6
    for who in (staff, customer):
        assert (await who("GET", f"orders/{placed['id']}"))[0] == 404
        assert (await who("GET", "orders"))[1]["data"] == []
    assert (await staff("DELETE", f"orders/{placed['id']}", headers=ANY))[0] == 404
    removed = (await staff("GET", "orders?deleted=true"))[1]["data"]
    assert [(one["id"], one["status"]) for one in removed] == [(placed["id"], "cancelled")]
    assert (await customer("GET", "orders?deleted=true"))[0] == 403


async def test_an_order_on_its_way_cannot_be_removed_and_a_delivered_one_keeps_its_stock(
    order, move, staff, shelf
) -> None:
    product = await shelf.add(stock=4)
    placed = await move(await order((product, 1)), "confirmed", "shipped")
    assert (await staff("DELETE", f"orders/{placed['id']}", headers=ANY))[0] == 409
    await move(placed, "delivered")
    assert (await staff("DELETE", f"orders/{placed['id']}", headers=ANY))[0] == 204
    assert await shelf.stock(product) == 3


async def test_an_order_shows_no_user_who_is_gone_or_whom_nobody_can_name(
    order, customer, users
) -> None:
    placed = await order()
    del users.people[ALICE]
    assert "user" not in (await customer("GET", f"orders/{placed['id']}"))[1]["data"]
    users.people[ALICE] = "active"
    assert "user" in (await customer("GET", f"orders/{placed['id']}"))[1]["data"]
    users.trouble = Trouble.BROKEN
    status, body, _ = await customer("GET", f"orders/{placed['id']}")
    assert status == 200
    assert "user" not in body["data"]


async def test_who_has_many_orders_waiting_places_no_more_until_one_is_confirmed(
    order, customer, other_customer, move, shelf, monkeypatch
) -> None:
    monkeypatch.setattr(placing, "MAX_WAITING", 3)
    item = await shelf.add(stock=50)
    placed = [await order((item, 1)) for _ in range(3)]
    status, said, _ = await customer("POST", "orders", json=lines_of((item, 1)))
    assert (status, said["error"]["code"]) == (409, "CONFLICT")
    assert (await other_customer("POST", "orders", json=lines_of((item, 1))))[0] == 201
    await move(placed[0], "confirmed")
    assert (await customer("POST", "orders", json=lines_of((item, 1))))[0] == 201


async def test_an_order_is_three_statements_however_many_lines_it_has(
    customer, shelf, client_metrics
) -> None:
    items = [await shelf.add(stock=5) for _ in range(40)]

    async def ran() -> Counter[str]:
        found = re.findall(
            r'db_query_duration_seconds_count\{query="(\w+)"\} ([\d.]+)', await client_metrics()
        )
        return Counter({name: int(float(n)) for name, n in found if name in ASKED})

    for wanted in (items[:1], items):
        before = await ran()
        body = lines_of(*((item, 1) for item in wanted))
        status, said, _ = await customer(
            "POST", "orders", json=body, headers={"Idempotency-Key": f"of-{len(wanted)}"}
        )
        assert (status, len(said["data"]["lines"])) == (201, len(wanted))
        assert await ran() - before == Counter(AddDraft=1, AddOrder=1, NoteSold=1)
