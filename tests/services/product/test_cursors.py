"""The lists of products, prices and movements by cursors: each row once, on each engine."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from decimal import Decimal

import pytest

from services.product.store.postgres.keyset import KeysetCursor
from tests.services.calling import Caller
from tests.services.product.conftest import client_of
from tests.services.product.test_products import ANY, DRILL, LIST, NEW, WASHER
from tests.services.walking import (
    at_most,
    check_each_once,
    check_refused,
    first_cursor,
    ids,
    spoilt,
    walk,
)

LEDGERS = (f"{DRILL}/prices", f"{DRILL}/movements")


@pytest.mark.parametrize("sort", ["asc", "desc"])
@pytest.mark.parametrize("order_by", ["name", "price", "created_at"])
async def test_cursors_lead_to_each_product_once_while_others_are_added(
    anyone, staff, order_by, sort
) -> None:
    query = f"{LIST}?order_by={order_by}&sort={sort}&min_price=1"
    more = iter([("Aardvark", "2"), ("Monkey wrench", "50"), ("Zip tie", "9999")])

    async def add() -> None:
        if new := next(more, None):
            body = {**NEW, "name": new[0], "price": new[1]}
            assert (await staff("POST", LIST, json=body))[0] == 201

    await check_each_once(anyone, query, between=add)
    cursor = await first_cursor(anyone, query)
    for other in (f"{query}&search=a", f"{query}&in_stock=true", f"{query}&page=1"):
        await check_refused(anyone, f"{other}&cursor={cursor}")


async def test_a_cursor_of_the_longest_name_is_accepted(anyone, staff) -> None:
    body = {**NEW, "name": "\N{HAMMER AND WRENCH}" * 255, "description": "longest"}
    made = [(await staff("POST", LIST, json=body))[1]["data"]["id"] for _ in range(2)]
    assert ids(await walk(anyone, f"{LIST}?search=longest&page_size=1")) == sorted(made)


@pytest.mark.parametrize("path", LEDGERS)
async def test_cursors_lead_to_each_change_of_a_product_once_while_it_is_changed(
    staff, path
) -> None:
    numbers = itertools.count(1)

    async def change() -> None:
        number = next(numbers)
        body = {"price": f"{number}.50", "stock": 50 + number}
        assert (await staff("PATCH", DRILL, json=body, headers=ANY))[0] == 200

    for _ in range(4):
        await change()
    assert len(await check_each_once(staff, path, between=at_most(3, change))) == 5


async def test_a_cursor_of_another_product_or_of_its_other_changes_is_refused(
    staff, subtests
) -> None:
    for number in (1, 2):
        body = {"price": f"{number}.50", "stock": 50 + number}
        assert (await staff("PATCH", DRILL, json=body, headers=ANY))[0] == 200
    cursors = {path: await first_cursor(staff, path) for path in LEDGERS}
    for path, other in (LEDGERS, LEDGERS[::-1]):
        assert (await staff("GET", f"{path}?page_size=3&cursor={cursors[path]}"))[0] == 200
        for refused in [
            f"{path}?cursor={cursors[other]}",
            f"{path.replace(DRILL, WASHER)}?cursor={cursors[path]}",
            f"{LIST}?cursor={cursors[path]}",
            *spoilt(path, cursors[path]),
        ]:
            with subtests.test(path=refused[:80]):
                await check_refused(staff, refused)


@pytest.mark.parametrize(
    "older",
    [
        lambda cursor: replace(cursor, keys=(*cursor.keys[:-1], Decimal(1))),  # of another type
        lambda cursor: replace(cursor, keys=cursor.keys * 2),
        lambda cursor: replace(cursor, page_of=cursor.page_of.rpartition(" ")[0]),  # of no order
    ],
    ids=["type", "number", "order"],
)
async def test_a_cursor_signed_when_the_list_had_other_sort_keys_is_refused(
    staff, older, monkeypatch
) -> None:
    for number in (1, 2):
        body = {"price": f"{number}.50", "stock": 50 + number}
        assert (await staff("PATCH", DRILL, json=body, headers=ANY))[0] == 200
    sign = KeysetCursor.signed
    with monkeypatch.context() as release:
        release.setattr(KeysetCursor, "signed", lambda cursor, key: sign(older(cursor), key))
        cursors = {path: await first_cursor(staff, path) for path in (LIST, *LEDGERS)}
    for path, cursor in cursors.items():
        await check_refused(staff, f"{path}?page_size=1&cursor={cursor}")


async def test_a_cursor_of_one_engine_is_refused_on_the_other(
    postgres_server, mysql_server, issuer
) -> None:
    servers = (postgres_server, mysql_server)
    urls = [await asyncio.to_thread(one.create, "product", demo=True) for one in servers]
    async with client_of(urls[0], issuer) as postgres, client_of(urls[1], issuer) as mysql:
        callers = (Caller(postgres, {}), Caller(mysql, {}))
        for caller, other in (callers, callers[::-1]):
            cursor = await first_cursor(caller, LIST)
            assert (await caller("GET", f"{LIST}?cursor={cursor}"))[0] == 200
            await check_refused(other, f"{LIST}?cursor={cursor}")
    for server, url in zip(servers, urls, strict=True):
        await asyncio.to_thread(server.give_back, url)
