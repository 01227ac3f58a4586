"""Orders while other services fail: accepted and completed later, or refused completely."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from aiohttp.test_utils import TestClient, TestServer

from devstack.embedded.ports import free_port
from devstack.testing.proxy import proxy
from devstack.testing.wait import eventually
from lib.auth import Role
from lib.clock import utc_now
from lib.errors import AppError, Code
from lib.ids import new_id
from services.order.app import create_app
from services.order.config import OrderConfig
from services.order.goods.routes.deps import SHOP
from services.order.goods.service import finishing, placing
from services.order.goods.store import drafts
from services.order.goods.store.models import GoodsDraft
from services.order.ports import Wanted
from tests.services.calling import caller_with
from tests.services.order.goods.fakes import ALICE, Trouble, running_users

ANY = {"If-Match": "*"}
_TIMES = ("user_seconds", "circuit_timeout", "lease_seconds", "recovery_seconds")


@pytest.fixture
def new_config(new_config):
    """A configuration whose circuit is tested again soon, so that waiting work continues soon."""

    def new(**settings):
        given = {"user_seconds": 1.0, "circuit_timeout": 0.3, "lease_seconds": 0.2}
        return new_config(**(given | settings))

    return new


@pytest.mark.parametrize("trouble", list(Trouble))
async def test_without_an_answer_about_the_user_an_order_is_accepted_and_validated_later(
    order, staff, customer, users, trouble
) -> None:
    users.trouble = trouble
    placed = await order()
    assert "user" not in placed
    assert (placed["status"], placed["pending_validation"]) == ("pending", True)
    path = f"orders/{placed['id']}"
    status, body, _ = await staff("PATCH", path, json={"status": "confirmed"}, headers=ANY)
    assert (status, body["error"]["code"]) == (409, "CONFLICT")
    users.trouble = None

    async def validated() -> bool:
        return not (await customer("GET", path))[1]["data"]["pending_validation"]

    await eventually(validated)
    status, body, _ = await staff("PATCH", path, json={"status": "confirmed"}, headers=ANY)
    assert (status, body["data"]["status"]) == (200, "confirmed")


@pytest.mark.parametrize(
    ("now", "reason"), [("inactive", "user is not active"), (None, "user not found")]
)
async def test_an_order_of_somebody_who_may_not_order_is_cancelled_and_its_stock_is_back(
    order, customer, users, shelf, orders_db, now, reason
) -> None:
    item = await shelf.add(stock=5)
    users.trouble = Trouble.BROKEN
    placed = await order((item, 2))
    assert await shelf.stock(item) == 3
    users.people[ALICE] = now
    if now is None:
        del users.people[ALICE]
    users.trouble = None

    async def given_back() -> bool:
        return await shelf.stock(item) == 5

    await eventually(given_back)
    _, body, _ = await customer("GET", f"orders/{placed['id']}")
    cancelled = body["data"]
    assert (cancelled["status"], cancelled["cancel_reason"]) == ("cancelled", reason)
    assert (cancelled["pending_validation"], cancelled["updated_by"]) == (False, "system")
    kinds = await orders_db.fetch("SELECT kind FROM outbox ORDER BY position")
    assert [tuple(row) for row in kinds] == [("order.created",), ("order.cancelled",)]


async def test_the_circuit_opens_asks_again_after_its_pause_and_closes(
    order, users, client_metrics
) -> None:
    async def opened() -> bool:
        return 'circuit_breaker_state{upstream="user"} 2.0' in await client_metrics()

    async def closed() -> bool:
        return 'circuit_breaker_state{upstream="user"} 0.0' in await client_metrics()

    async def answered() -> bool:
        return "user" in await order()

    users.trouble = Trouble.BROKEN
    for _ in range(3):
        assert not await answered()
    await eventually(opened)  # it may just be asking again
    users.trouble = None
    await eventually(closed)
    await eventually(answered)


async def test_orders_that_were_left_behind_are_gone_on_with_at_once(
    order, customer, users, orders_db
) -> None:
    """If the orders ran one after the other, the last would wait beyond its lease."""
    users.trouble = Trouble.BROKEN
    for _ in range(2):
        await order()
    users.together, users.trouble = asyncio.Barrier(2), None

    async def validated() -> bool:
        # Due together, or each might go on failing while the other rests.
        await orders_db.execute("UPDATE goods_order SET due_at = now() WHERE due_at IS NOT NULL")
        _, listed, _ = await customer("GET", "orders")
        return not any(one["pending_validation"] for one in listed["data"])

    await eventually(validated)


async def test_with_the_settings_of_every_day_a_user_service_that_is_back_is_found_in_seconds(
    new_config, issuer, shelf, users
) -> None:
    body = {"lines": [{"product_id": await shelf.add(stock=50), "quantity": 1}]}
    usual = {name: OrderConfig.model_fields[name].default for name in _TIMES}
    async with TestClient(TestServer(create_app(new_config(**usual)))) as client:
        customer = caller_with(client, issuer, ALICE, Role.CUSTOMER)
        users.trouble = Trouble.BROKEN
        for _ in range(5):
            assert (await customer("POST", "orders", json=body))[0] == 201

        async def opened() -> bool:
            async with client.get("/metrics") as answer:
                return 'circuit_breaker_state{upstream="user"} 2.0' in await answer.text()

        async def validated() -> bool:
            _, listed, _ = await customer("GET", "orders")
            return not any(one["pending_validation"] for one in listed["data"])

        await eventually(opened)
        users.trouble = None
        await eventually(validated, within=0.8 * usual["circuit_timeout"])


async def test_users_who_do_not_exist_do_not_open_the_circuit(staff, shelf, client_metrics) -> None:
    item = await shelf.add()
    for number in range(6):
        body = {
            "user_id": f"01890000-0000-7000-8000-00000000f9{number:02}",
            "lines": [{"product_id": item, "quantity": 1}],
        }
        assert (await staff("POST", "orders", json=body))[0] == 404
    assert 'circuit_breaker_state{upstream="user"} 0.0' in await client_metrics()


async def test_without_the_product_service_nothing_is_ordered_and_nothing_stays_held(
    new_config, product_url, issuer, shelf, orders_db
) -> None:
    item = await shelf.add(stock=5)
    body = {"lines": [{"product_id": item, "quantity": 2}]}
    port = int(product_url.rpartition(":")[2])
    async with proxy("127.0.0.1", port) as way:
        config = new_config(product_url=f"http://127.0.0.1:{way.port}", product_seconds=3)
        async with TestClient(TestServer(create_app(config))) as client:
            customer = caller_with(client, issuer, ALICE, Role.CUSTOMER)
            # The reservation arrives, its answer does not: nobody here knows of it.
            way.stalled = True
            headers = {"Idempotency-Key": "again"}
            status, said, _ = await customer("POST", "orders", json=body, headers=headers)
            assert (status, said["error"]["code"]) in {
                (503, "SERVICE_UNAVAILABLE"),
                (504, "DEADLINE_EXCEEDED"),
            }
            assert (await customer("GET", "orders"))[1]["data"] == []
            assert await shelf.stock(item) == 3
            way.heal()
            way.cut()

            async def given_back() -> bool:
                drafts = await orders_db.fetchval("SELECT count(*) FROM goods_draft")
                return drafts == 0 and await shelf.stock(item) == 5

            await eventually(given_back)
            # The key is free: the same request may be sent again.
            status, said, _ = await customer("POST", "orders", json=body, headers=headers)
            assert status == 201, said
            assert await shelf.stock(item) == 3


async def test_an_order_can_be_cancelled_without_the_product_service_and_gives_back_later(
    new_config, product_url, issuer, shelf
) -> None:
    item = await shelf.add(stock=5)
    port = int(product_url.rpartition(":")[2])
    async with proxy("127.0.0.1", port) as way:
        config = new_config(product_url=f"http://127.0.0.1:{way.port}")
        async with TestClient(TestServer(create_app(config))) as client:
            customer = caller_with(client, issuer, ALICE, Role.CUSTOMER)
            body = {"lines": [{"product_id": item, "quantity": 2}]}
            _, said, _ = await customer("POST", "orders", json=body)
            way.refusing = True
            way.cut()
            path = f"orders/{said['data']['id']}"
            status, said, _ = await customer(
                "PATCH", path, json={"status": "cancelled"}, headers=ANY
            )
            assert (status, said["data"]["status"]) == (200, "cancelled")
            assert await shelf.stock(item) == 3
            way.heal()

            async def given_back() -> bool:
                return await shelf.stock(item) == 5

            await eventually(given_back)


async def test_an_order_whose_reservation_has_expired_is_cancelled(
    order, orders_db, shelf, customer
) -> None:
    item = await shelf.add(stock=5)
    placed = await order((item, 2))
    # As if it had never been confirmed, and the process had slept past the end.
    await shelf.db.execute("UPDATE reservation SET status = 'pending', expires_at = now()")
    await orders_db.execute("UPDATE goods_order SET stock = 'reserved', due_at = now()")

    async def cancelled() -> bool:
        _, body, _ = await customer("GET", f"orders/{placed['id']}")
        return body["data"]["status"] == "cancelled"

    await eventually(cancelled)
    assert await shelf.stock(item) == 5
    assert await shelf.reservations() == ["expired"]


async def test_what_could_not_be_placed_for_long_is_given_up_and_never_an_order(
    client, new_config, orders_db, shelf
) -> None:
    item = await shelf.add(stock=5)
    shop = client.app[SHOP]
    draft_id = new_id()
    draft = await drafts.add_draft(
        shop.db,
        id=draft_id,
        user_id=UUID(ALICE),
        pending_validation=False,
        created_by=ALICE,
        request_key=None,
        lease_seconds=3600.0,
        most=1,
        product_ids=[UUID(item)],
        quantities=[2],
    )
    # A crash behind the reservation, and nobody there for an hour.
    await shop.products.reserve(draft_id, [Wanted(UUID(item), 2)])
    assert await shelf.stock(item) == 3
    await orders_db.execute(
        "UPDATE goods_draft SET created_at = now() - interval '1 hour', due_at = now()"
    )

    async def gone() -> bool:
        return await orders_db.fetchval("SELECT count(*) FROM goods_draft") == 0

    await eventually(gone)
    assert await shelf.stock(item) == 5
    # Whoever still has it in hand finds that it is over.
    with pytest.raises(AppError) as refused:
        await placing.proceed(shop, draft)
    assert refused.value.code is Code.CONFLICT
    assert await orders_db.fetchval("SELECT count(*) FROM goods_order") == 0
    assert await shelf.reservations() == ["released"]


async def test_an_order_is_never_given_up_by_who_took_it_for_a_draft(
    client, order, shelf, orders_db
) -> None:
    item = await shelf.add(stock=5)
    placed = await order((item, 2))
    late = GoodsDraft(
        UUID(placed["id"]), UUID(ALICE), False, False, ALICE, None, utc_now(), utc_now(),
        [0], [UUID(item)], [2],
    )  # fmt: skip
    await placing.give_up(client.app[SHOP], late)
    # Nor does it give anything back that somebody else has placed it meanwhile.
    same = await placing.proceed(client.app[SHOP], late)
    await finishing.try_now(client.app[SHOP], same)
    assert await shelf.stock(item) == 3
    assert await shelf.reservations() == ["confirmed"]
    assert await orders_db.fetchval("SELECT stock::text FROM goods_order") == "sold"


async def test_a_process_that_starts_before_the_user_service_goes_on_by_itself_when_it_is_there(
    new_config, shelf, issuer
) -> None:
    port = free_port()
    away = f"http://127.0.0.1:{port}"
    config = new_config(user_url=away, auth_token_url=f"{away}/api/v1/auth/token")
    body = {"lines": [{"product_id": await shelf.add(), "quantity": 1}]}
    async with TestClient(TestServer(create_app(config))) as client:
        customer = caller_with(client, issuer, ALICE, Role.CUSTOMER)

        async def token_check() -> tuple[int, str]:
            async with client.get("/readyz") as answer:
                return answer.status, (await answer.json())["checks"]["service-token"]

        assert await token_check() == (200, "unavailable")
        status, answer, _ = await customer("POST", "orders", json=body)
        assert (status, answer["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
        assert await shelf.reservations() == []
        async with running_users(issuer, port=port):
            # Nobody orders meanwhile.
            await eventually(lambda: _is(token_check, (200, "ok")))

            async def ordered() -> bool:
                return (await customer("POST", "orders", json=body))[0] == 201

            await eventually(ordered)


async def _is(found, expected) -> bool:
    return await found() == expected


@pytest.fixture
def impatient(monkeypatch) -> None:
    """Before the service starts, limit its statements to a second."""
    monkeypatch.setenv("ORDER_DB_STATEMENT_SECONDS", "1")


@pytest.mark.usefixtures("impatient")
async def test_an_order_whose_lines_cannot_be_read_in_time_is_no_fault_of_the_service(
    order, customer, orders_db
) -> None:
    placed = await order()
    async with orders_db.transaction() as tx:
        await tx.execute("LOCK TABLE goods_order_line IN ACCESS EXCLUSIVE MODE")
        status, body, _ = await customer("GET", f"orders/{placed['id']}")
    assert (status, body["error"]["code"]) == (504, "DEADLINE_EXCEEDED")
