"""A stranger on every route, who wants other users' data or wants to cause damage."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from lib.auth import Role
from services.order.routes import ROUTES
from tests.services.calling import Caller, caller_with
from tests.services.order.marketplace.conftest import (
    BERLIN,
    EUR,
    NOBODY,
    SERVICE,
    Market,
    after,
    expect,
    new_order,
)

TABLES = [
    "currency", "city", "provider_location", "service_order", "offer", "job", "review",
    "goods_order", "goods_draft",
]  # fmt: skip
STRANGER = "01890000-0000-7000-8000-00000000f901"
ANY = {"If-Match": "*"}
OPERATIONS = sorted((route.method, route.path) for route in ROUTES)
# What is for everybody, signed in or not.
PUBLIC = {
    ("GET", "/api/v1/currencies"),
    ("GET", "/api/v1/currencies/{id}"),
    ("GET", "/api/v1/cities"),
    ("GET", "/api/v1/cities/{id}"),
    ("GET", "/api/v1/reviews/{id}"),
    ("GET", "/api/v1/providers/{id}/reviews"),
}
# What everybody may do who has signed in, or has that role: it is about themselves, or for all.
OPEN = {
    ("GET", "/api/v1/cities/{id}/providers"),
    ("GET", "/api/v1/providers/nearest"),
    ("GET", "/api/v1/providers/{id}/location"),
    ("GET", "/api/v1/service-orders"),
    ("GET", "/api/v1/jobs"),
    ("GET", "/api/v1/orders"),
}
OWN = {
    Role.CUSTOMER: {("POST", "/api/v1/service-orders"), ("POST", "/api/v1/orders")},
    Role.PROVIDER: {
        ("POST", "/api/v1/providers/me/location"),
        ("GET", "/api/v1/providers/me/location"),
        ("PATCH", "/api/v1/providers/me/location"),
        ("POST", "/api/v1/orders"),
    },
}
BODIES = {
    ("POST", "currencies"): {"currency": "Pound", "code": "GBP", "symbol": "£"},
    ("PATCH", "currencies"): {"symbol": "X"},
    ("POST", "cities"): {
        "name": "Ghent", "location": {"longitude": 3.7, "latitude": 51.0},
        "country": "Belgium", "iso2": "BE",
    },
    ("PATCH", "cities"): {"name": "Bärlin"},
    ("PATCH", "service-orders"): {"description": "Mine now"},
    ("PATCH", "offers"): {"price": "0.01"},
    ("PATCH", "jobs"): {"status": "CANCELLED"},
    ("PATCH", "reviews"): {"rating": 0},
    ("POST", "providers"): {"city_id": BERLIN, "address": "Ring 1"},
    ("PATCH", "providers"): {"address": "Ring 2"},
    ("PATCH", "orders"): {"status": "cancelled"},
    ("PUT", "orders"): {"status": "cancelled"},
    ("POST", "orders"): {"lines": [{"product_id": NOBODY, "quantity": 1}]},
}  # fmt: skip


async def _things(market: Market, sql) -> dict[str, str]:
    """Return one object of each kind, none of which belongs to the stranger."""
    job = await market.job()
    done = await market.done()
    review = {"job_id": done["id"], "rating": 1}
    said = await expect(201, market.provider("POST", "reviews", json=review))
    await expect(
        201, market.provider("POST", "providers/me/location", json=BODIES["POST", "providers"])
    )
    return {
        "currencies": EUR,
        "cities": BERLIN,
        "service-orders": job["order_id"],
        "offers": job["offer_id"],
        "jobs": job["id"],
        "reviews": said["id"],
        "providers": market.provider.subject,
        "customers": market.customer.subject,
        "orders": str(await sql.fetchval("SELECT id FROM goods_order LIMIT 1")),
        "done": done["id"],
    }


def _body(method: str, kind: str, things: dict[str, str]) -> object:
    if method in ("GET", "DELETE"):
        return None
    made = {
        "service-orders": new_order(),
        "offers": {
            "order_id": things["service-orders"], "price": "1.00", "currency_id": EUR,
            "book_time": after(hours=30),
        },
        "jobs": {"offer_id": things["offers"], "price": "80.00", "currency": "EUR"},
        "reviews": {"job_id": things["done"], "rating": 5},
    }  # fmt: skip
    return BODIES.get((method, kind)) or made[kind]


async def _state(sql) -> object:
    """Return all data of the service except its internal tables."""
    return [
        await sql.fetchval(f"SELECT jsonb_agg(to_jsonb(t) ORDER BY to_jsonb(t)) FROM {table} AS t")
        for table in TABLES
    ]


async def _answers(
    ask: Caller, things: dict[str, str], operations: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    found = {}
    for method, path in operations:
        kind = re.split("/", path)[3]
        where = path.removeprefix("/api/v1/").replace("{id}", things[kind])
        if path.endswith("nearest"):
            where += "?longitude=13&latitude=52"
        seen = {"If-Match": '"2"'} if path.endswith("/accept") else ANY
        status, _, _ = await ask(method, where, json=_body(method, kind, things), headers=seen)
        found[method, path] = status
    return found


@pytest.mark.parametrize("who", ["nobody", "invented", "service"])
async def test_without_a_token_of_a_person_only_what_is_public_is_answered(
    client, issuer, market, sql, who
) -> None:
    things = await _things(market, sql)
    before = await _state(sql)
    forged = issuer.authorized(subject=STRANGER)["Authorization"][:-8] + "AAAAAAAA"
    headers = {"nobody": {}, "invented": {"Authorization": forged}}.get(
        who, issuer.authorized(subject="chat", role=Role.SERVICE)
    )
    answers = await _answers(Caller(client, headers), things, OPERATIONS)
    refused = {operation: status for operation, status in answers.items() if status >= 400}
    open_to = PUBLIC
    if who == "invented":
        open_to = set()
    elif who == "nobody":
        assert {answers[operation] for operation in set(OPERATIONS) - PUBLIC} == {401}
    # What a provider said of a customer is not there for others.
    assert set(OPERATIONS) - refused.keys() == open_to - {("GET", "/api/v1/reviews/{id}")}
    assert max(answers.values()) < 500
    assert await _state(sql) == before


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.PROVIDER])
async def test_a_stranger_gets_at_nothing_of_others_by_its_id(
    client, issuer, market, sql, role
) -> None:
    things = await _things(market, sql)
    before = await _state(sql)
    stranger = caller_with(client, issuer, STRANGER, role)
    mine = {op for op in OPERATIONS if "/me/" in op[1]} | OWN[role]
    answers = await _answers(stranger, things, (op for op in OPERATIONS if op not in mine))
    opened = {operation for operation, status in answers.items() if status < 400}
    assert opened == (PUBLIC | OPEN) - {("GET", "/api/v1/reviews/{id}")}
    assert {answers[op] for op in answers.keys() - opened} <= {403, 404, 409}
    assert await _state(sql) == before


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.PROVIDER])
async def test_an_account_that_is_not_verified_writes_nothing(
    client, issuer, market, sql, role
) -> None:
    things = await _things(market, sql)
    before = await _state(sql)
    subject = {Role.CUSTOMER: market.customer, Role.PROVIDER: market.provider}[role].subject
    ask = caller_with(client, issuer, subject, role, verified=False)
    writes = [op for op in OPERATIONS if op[0] != "GET"]
    answers = await _answers(ask, things, writes)
    # Orders of goods may be cancelled by whoever has them; these are not theirs.
    assert set(answers.values()) <= {403, 404}, answers
    assert await _state(sql) == before


MOMENTS = [
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "2026-02-30T00:00:00Z",
    "-1",
    "NaN",
    "٢٠٢٦-01-01T00:00:00Z",
]
NUMBERS = ["0", "-1", "1000001", "9" * 30, "NaN", "1e3", "Infinity", "0x10", "１"]
QUERIES = [
    *(f"orders?created_from={moment}" for moment in MOMENTS),
    *(f"orders?created_to={moment}" for moment in MOMENTS),
    *(f"currencies?page={number}" for number in NUMBERS),
    *(f"currencies?page_size={number}" for number in NUMBERS),
    *(f"providers/nearest?longitude={number}&latitude=0" for number in (*NUMBERS, "180.1")),
    *(f"providers/nearest?longitude=0&latitude=0&radius_km={number}" for number in NUMBERS),
    *(f"service-orders?near={place}" for place in ("181,0", "0,91", "NaN,0", "1,1,1", "1e3,0")),
    "currencies?page=1000000&page_size=100",
    "service-orders?near=13,52&page=1000000&page_size=100",
    "currencies?search=%25_%5C%27%22%F0%9F%92%A5" + "x" * 80,
    "currencies?search=%FF%FE",
    "currencies?search=" + "x" * 7000,
    "cities?iso2=%00%00",
    "orders/" + "9" * 200,
    "jobs/..%2F..%2Fcurrencies",
]


async def test_no_query_brings_the_service_down(admin, sql) -> None:
    statuses = {query: (await admin("GET", query.replace("+", "%2B")))[0] for query in QUERIES}
    assert {query: status for query, status in statuses.items() if status >= 500} == {}


DAYS = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-14:00",
]
BAD = [
    None,
    [],
    {},
    "",
    0,
    -1,
    10**30,
    1e308,
    True,
    "\u202e\U0001f4a5",
    "x" * 100_000,
    ["x"] * 1000,
]


async def test_no_body_brings_the_service_down(admin, market, sql) -> None:
    things = await _things(market, sql)
    for method, path in OPERATIONS:
        kind = path.split("/")[3]
        good = _body(method, kind, things)
        if not isinstance(good, dict):
            continue
        where = path.removeprefix("/api/v1/").replace("{id}", things[kind])
        bodies = [*BAD, *({**good, field: bad} for field in good for bad in BAD)]
        times = [field for field in good if "time" in field]
        bodies += [{**good, field: day} for field in times for day in DAYS]
        for body in bodies:
            status, said, _ = await admin(method, where, json=body, headers=ANY)
            assert status < 500 or "product" in str(said), (method, path, body, said)


async def test_times_at_the_edge_of_the_calendar_are_refused(market) -> None:
    for start in DAYS:
        for end in DAYS:
            body = new_order(time_start=start, time_end=end)
            status, _, _ = await market.customer("POST", "service-orders", json=body)
            assert status == 400, (start, end)
    order = await market.order()
    for day in DAYS:
        body = {"order_id": order["id"], "price": "1", "currency_id": EUR, "book_time": day}
        assert (await market.provider("POST", "offers", json=body))[0] == 400, day
    assert order["service_id"] == SERVICE
