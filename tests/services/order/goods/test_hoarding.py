"""If one customer orders all stock without paying, others can still order."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from fractions import Fraction

import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from devstack.testing.wait import eventually
from lib.auth import Role
from services.order.app import create_app
from services.order.config import OrderConfig
from services.order.goods.model.holding import HoldingLimits, parse_values
from tests.services.calling import Caller, caller_with
from tests.services.order.goods.fakes import ALICE, BOB

ANY = {"If-Match": "*"}


@pytest.fixture
def other(client, issuer) -> Caller:
    return caller_with(client, issuer, BOB, Role.CUSTOMER)


async def place(caller: Caller, product: str, quantity: int, **body) -> tuple[int, dict]:
    lines = {"lines": [{"product_id": product, "quantity": quantity}]}
    status, answer, _ = await caller("POST", "orders", json={**lines, **body})
    return status, answer


@pytest.mark.parametrize("stock", [1, 2, 3, 10, 1000])
async def test_a_hoarder_leaves_one_for_the_next_customer(customer, other, shelf, stock) -> None:
    product = await shelf.add(stock=stock)
    status, answer = await place(customer, product, stock)
    if stock == 1:
        assert status == 201
        return
    assert status == 409, answer
    (problem,) = answer["error"]["details"]
    assert problem["field"] == "lines[0].quantity"
    assert problem["message"] == f"is more than a customer may reserve: only {stock} are left"
    assert await shelf.stock(product) == stock
    # As much as they may, in orders of any size.
    for quantity in (stock // 2, stock // 4, 1, 1, 1):
        await place(customer, product, max(quantity, 1))
    assert (await place(other, product, 1))[0] == 201
    assert await shelf.stock(product) >= stock - stock // 2 - 2


async def test_many_orders_at_once_hold_no_more_than_one_after_the_other(
    customer, other, shelf
) -> None:
    product = await shelf.add(stock=100)
    await asyncio.gather(*(place(customer, product, 20) for _ in range(12)))
    assert await shelf.stock(product) >= 60
    assert (await place(other, product, 1))[0] == 201


async def test_a_confirmed_order_no_longer_counts(customer, staff, shelf, move) -> None:
    product = await shelf.add(stock=10)
    status, answer = await place(customer, product, 5)
    assert status == 201
    assert (await place(customer, product, 2))[0] == 409
    await move(answer["data"], "confirmed")
    assert (await place(customer, product, 2))[0] == 201


async def test_the_staff_orders_for_a_customer_without_limit(staff, shelf) -> None:
    product = await shelf.add(stock=10, price="90000.00")
    assert (await place(staff, product, 10, user_id=ALICE))[0] == 201
    assert await shelf.stock(product) == 0


async def test_an_order_left_by_a_crash_is_limited_as_well(customer, shelf, orders_db) -> None:
    """The recovery continues a draft under the limits that it was written with."""
    product = await shelf.add(stock=10)
    assert (await place(customer, product, 4))[0] == 201
    draft = "01890000-0000-7000-8000-0000000dead1"
    await orders_db.execute(
        "INSERT INTO goods_draft (id, user_id, pending_validation, created_by, due_at,"
        " product_ids, quantities, held) VALUES ($1::uuid, $2::uuid, false, $2::uuid::text, now(),"
        " ARRAY[$3::uuid], '{2}', goods_held($2, ARRAY[$3::uuid]))",
        draft, ALICE, product,
    )  # fmt: skip

    async def over() -> bool:
        return await orders_db.fetchval("SELECT count(*) FROM goods_draft") == 0

    await eventually(over)
    assert await orders_db.fetchval("SELECT count(*) FROM goods_order") == 1
    assert await shelf.stock(product) == 6


class TestValue:
    @pytest.fixture
    def new_config(self, new_config):
        def new(**settings):
            return new_config(**({"max_waiting_value": "EUR:100,*:50"} | settings))

        return new

    @pytest.mark.parametrize(("currency", "most"), [("EUR", 100), ("USD", 50)])
    async def test_unconfirmed_orders_come_to_no_more_than_the_limit_of_their_currency(
        self, customer, other, shelf, move, currency, most
    ) -> None:
        product = await shelf.add(stock=100, price="10.00", currency=currency)
        status, answer = await place(customer, product, most // 10 + 1)
        message = "your unconfirmed orders would total more than"
        assert status == 409
        assert answer["error"]["message"] == f"{message} {most} {currency}"
        status, answer = await place(customer, product, most // 10)
        assert status == 201
        assert (await place(customer, product, 1))[0] == 409
        assert (await place(other, product, 1))[0] == 201
        # What was refused is given back.

        async def given_back() -> bool:
            return await shelf.stock(product) == 100 - most // 10 - 1

        await eventually(given_back)
        await move(answer["data"], "confirmed")
        assert (await place(customer, product, 1))[0] == 201

    async def test_many_orders_at_once_come_to_no_more_than_the_limit(
        self, customer, shelf, orders_db
    ) -> None:
        product = await shelf.add(stock=1000, price="10.00")
        found = await asyncio.gather(*(place(customer, product, 3) for _ in range(12)))
        assert sorted(status for status, _ in found) == [201] * 3 + [409] * 9
        assert await orders_db.fetchval("SELECT sum(total) FROM goods_order") == 90


async def test_an_unconfirmed_order_holds_its_products_for_a_day(
    new_config, issuer, shelf, orders_db
) -> None:
    """The test covers the default; an older version held products for a week."""
    async with TestClient(TestServer(create_app(new_config(sweep_seconds=0.05)))) as client:
        customer = caller_with(client, issuer, ALICE, Role.CUSTOMER)
        product = await shelf.add(stock=10)
        for hours in (23, 25):
            status, answer = await place(customer, product, 1)
            assert status == 201
            await orders_db.execute(
                "UPDATE goods_order SET created_at = now() - make_interval(hours => $2)"
                " WHERE id = $1",
                answer["data"]["id"], hours,
            )  # fmt: skip

        async def one_left() -> bool:
            return await shelf.stock(product) == 9

        await eventually(one_left)
        sql = "SELECT count(*) FROM goods_order WHERE status = 'pending'"
        assert await orders_db.fetchval(sql) == 1


@given(
    st.integers(1, 10_000),
    st.integers(0, 1_000_000),
    st.floats(0.01, 1.0),
    st.integers(0, 2_000_000),
)
def test_what_is_held_is_never_more_than_the_share(quantity, held, share, stock) -> None:
    limits = HoldingLimits(share, {"*": Decimal(1)})
    may = stock >= max(quantity, limits.min_stock(quantity, held))
    within = Fraction(quantity + held) <= Fraction(share) * stock
    first = quantity + held == 1 and stock >= 1
    assert may == (within or first) or stock >= 2_000_000_000


@pytest.mark.parametrize("text", ["", "EUR", "EUR:1", "*:1,*:2", "EUR:-1,*:1", "eur:1,*:1"])
def test_a_value_limit_that_is_none_is_refused_when_the_service_starts(text) -> None:
    with pytest.raises(ValidationError, match="max_waiting_value"):
        OrderConfig(
            _env_file=None, database_url="postgresql://u@h/d", auth_jwks_url="http://127.0.0.1/j",
            max_waiting_value=text,
        )  # fmt: skip


def test_value_limits_are_read_by_currency() -> None:
    limits = HoldingLimits(0.5, parse_values("EUR:20000, JPY:3000000,*:10.50"))
    assert limits.value("JPY") == 3_000_000
    assert limits.value("CHF") == Decimal("10.50")
