"""Reservations over HTTP: all lines or none, once per key, and expired automatically."""

from __future__ import annotations

import asyncio
import itertools
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from devstack.testing.wait import eventually
from lib.auth import Role
from lib.db.engine import Engine, engine_of
from services.product.model.reservations import Line, NewReservation
from services.product.service import reservations as service
from services.product.service.steps import Step, status_after
from services.product.store.postgres.models import ReservationStatus
from tests.services.calling import Caller, by_hand
from tests.services.product.conftest import rows_of

DRILL = "01890000-0000-7000-8000-000000000a01"  # 40 of them at 129.00 EUR
HAMMER = "01890000-0000-7000-8000-000000000a02"  # 120 at 19.90 EUR
LADDER = "01890000-0000-7000-8000-000000000a07"  # sold out
WASHER = "01890000-0000-7000-8000-000000000a08"  # 12, not for sale
NOTHING = "01890000-0000-7000-8000-00000000dead"
PATH = "reservations"


def lines(**quantities: int) -> list[dict]:
    ids = {"drill": DRILL, "hammer": HAMMER, "ladder": LADDER, "washer": WASHER, "none": NOTHING}
    return [{"product_id": ids[name], "quantity": count} for name, count in quantities.items()]


async def reserve(caller, key: str, *, ttl_seconds: int = 60, **quantities: int):
    body = {"lines": lines(**quantities), "ttl_seconds": ttl_seconds}
    return await caller("POST", PATH, json=body, headers={"Idempotency-Key": key})


async def stock_of(caller, *ids: str) -> list[int]:
    return [(await caller("GET", f"products/{one}"))[1]["data"]["stock"] for one in ids]


async def ledger_of(staff, product: str) -> list[tuple[int, str, str]]:
    """Return the ledger, oldest first: delta, reason, actor."""
    _, body, _ = await staff("GET", f"products/{product}/movements?page_size=100")
    return [(m["delta"], m["reason"], m["actor"]) for m in reversed(body["data"])]


async def test_a_reservation_takes_from_the_stock_and_says_the_prices(shop, anyone, staff) -> None:
    status, body, headers = await reserve(shop, "order-1", drill=2, hammer=3)
    assert status == 201
    made = body["data"]
    assert made["status"] == "pending"
    assert made["lines"] == [
        {"product_id": DRILL, "quantity": 2, "unit_price": "129.00", "currency": "EUR"},
        {"product_id": HAMMER, "quantity": 3, "unit_price": "19.90", "currency": "EUR"},
    ]
    assert await stock_of(anyone, DRILL, HAMMER) == [38, 117]
    assert (await shop("GET", headers["Location"]))[1]["data"] == made
    assert await ledger_of(staff, DRILL) == [(40, "counted", "system"), (-2, "reserved", "order")]


async def test_the_same_key_reserves_once(shop, anyone) -> None:
    _, first, _ = await reserve(shop, "again", drill=1)
    status, second, headers = await reserve(shop, "again", drill=1)
    assert (status, second, headers["Idempotency-Replayed"]) == (201, first, "true")
    status, body, _ = await reserve(shop, "again", drill=2)
    assert (status, body["error"]["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert await stock_of(anyone, DRILL) == [39]


async def test_the_same_key_many_times_at_once_reserves_once(shop, anyone) -> None:
    # All there are: whoever asks next must not take their own reservation for a shortage.
    answers = await asyncio.gather(*(reserve(shop, "at-once", drill=40) for _ in range(24)))
    assert {status for status, _, _ in answers} == {201}
    assert len({body["data"]["id"] for _, body, _ in answers}) == 1
    assert await stock_of(anyone, DRILL) == [0]


async def test_the_same_key_of_another_caller_is_another_one(shop, other_shop, anyone) -> None:
    await reserve(shop, "mine", drill=1)
    await reserve(other_shop, "mine", drill=1)
    assert await stock_of(anyone, DRILL) == [38]


async def test_all_lines_are_reserved_or_none(shop, anyone, subtests) -> None:
    for wanted, problems in (
        ({"drill": 41}, {"lines[0].quantity": "only 40 left"}),
        ({"hammer": 1, "drill": 41}, {"lines[1].quantity": "only 40 left"}),
        ({"ladder": 1, "drill": 1}, {"lines[0].quantity": "only 0 left"}),
        (
            {"washer": 1, "none": 1, "hammer": 1},
            {"lines[0].product_id": "is not for sale", "lines[1].product_id": "is not for sale"},
        ),
    ):
        with subtests.test(wanted=wanted):
            status, body, _ = await reserve(shop, "k", **wanted)
            assert (status, body["error"]["code"]) == (409, "CONFLICT")
            assert {p["field"]: p["message"] for p in body["error"]["details"]} == problems
            assert await stock_of(anyone, DRILL, HAMMER) == [40, 120]
    # What could not be had is not remembered: the key may be used again.
    assert (await reserve(shop, "k", drill=1))[0] == 201


async def test_a_reservation_that_makes_no_sense_is_refused(shop, subtests) -> None:
    for body in [
        {"lines": []},
        {"lines": lines(drill=0)},
        {"lines": lines(drill=1) * 2},
        {"lines": lines(drill=1), "ttl_seconds": 0},
        {"lines": lines(drill=1), "ttl_seconds": 86_401},
        {"lines": [{"product_id": "drill", "quantity": 1}]},
        {"lines": lines(drill=1) * 101},
    ]:
        with subtests.test(body=body):
            status, answer, _ = await shop(
                "POST", PATH, json=body, headers={"Idempotency-Key": "k"}
            )
            assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "two words"}])
async def test_a_reservation_needs_a_key(shop, headers) -> None:
    status, body, _ = await shop("POST", PATH, json={"lines": lines(drill=1)}, headers=headers)
    assert (status, body["error"]["code"]) == (400, "BAD_REQUEST")


async def test_a_step_may_be_repeated_and_not_undone(shop, anyone, subtests) -> None:
    for steps, statuses, taken in (
        ("confirm", ["confirmed"], 2),
        ("confirm confirm", ["confirmed", "confirmed"], 2),
        ("release release", ["released", "released"], 0),
        ("confirm release", ["confirmed", "released"], 0),
        ("release confirm", ["released", 409], 0),
    ):
        with subtests.test(steps=steps):
            (before,) = await stock_of(anyone, DRILL)
            _, made, _ = await reserve(shop, steps.replace(" ", "-"), drill=2)
            seen = []
            for step in steps.split():
                status, body, _ = await shop("POST", f"{PATH}/{made['data']['id']}/{step}")
                seen.append(body["data"]["status"] if status == 200 else status)
            assert seen == statuses
            assert await stock_of(anyone, DRILL) == [before - taken]


async def test_the_ledger_tells_a_release_from_a_return(shop, staff) -> None:
    for key, steps in (("a", ("release",)), ("b", ("confirm", "release"))):
        _, made, _ = await reserve(shop, key, drill=1)
        for step in steps:
            await shop("POST", f"{PATH}/{made['data']['id']}/{step}")
    reasons = [reason for _, reason, _ in await ledger_of(staff, DRILL)]
    assert reasons == ["counted", "reserved", "released", "reserved", "returned"]


@pytest.mark.parametrize(("step", "status"), list(itertools.product(Step, ReservationStatus)))
def test_every_step_from_every_status_is_decided(step, status) -> None:
    allowed = {
        (Step.CONFIRM, "pending"): "confirmed",
        (Step.CONFIRM, "confirmed"): "confirmed",
        (Step.RELEASE, "pending"): "released",
        (Step.RELEASE, "confirmed"): "released",
        (Step.RELEASE, "released"): "released",
        (Step.RELEASE, "expired"): "expired",
    }
    assert status_after(step, status) == allowed.get((step, status.value))


async def test_of_a_confirmation_and_a_release_at_once_one_comes_first(shop, anyone) -> None:
    for number in range(6):
        _, made, _ = await reserve(shop, f"race-{number}", drill=1)
        path = f"{PATH}/{made['data']['id']}"
        (confirmed, _, _), (released, _, _) = await asyncio.gather(
            shop("POST", f"{path}/confirm"), shop("POST", f"{path}/release")
        )
        assert (released, confirmed) in {(200, 200), (200, 409)}
    assert await stock_of(anyone, DRILL) == [40]


async def test_what_expires_returns_by_itself_and_cannot_be_confirmed(
    shop, anyone, staff, db
) -> None:
    _, made, _ = await reserve(shop, "late", ttl_seconds=4000, drill=3, hammer=1)
    end = datetime.fromisoformat(made["data"]["expires_at"])
    assert abs(end - datetime.now(UTC) - timedelta(seconds=4000)) < timedelta(seconds=300)
    assert await stock_of(anyone, DRILL) == [37]
    # Its time is over.
    await db.execute("UPDATE reservation SET expires_at = created_at")

    async def is_back() -> bool:
        return await stock_of(anyone, DRILL, HAMMER) == [40, 120]

    await eventually(is_back)
    path = f"{PATH}/{made['data']['id']}"
    assert (await shop("GET", path))[1]["data"]["status"] == "expired"
    assert (await shop("POST", f"{path}/confirm"))[0] == 409
    assert (await shop("POST", f"{path}/release"))[0] == 200
    assert await stock_of(anyone, DRILL) == [40]
    assert (await ledger_of(staff, DRILL))[-1] == (3, "expired", "system")


async def test_a_reservation_is_its_owners_and_the_staffs(
    shop, other_shop, staff, customer, anyone, client, issuer
) -> None:
    # A service, but its token is for something else.
    for_users = Caller(
        client, issuer.authorized("service:users", subject="order", role=Role.SERVICE)
    )
    _, made, _ = await reserve(shop, "mine", drill=1)
    path = f"{PATH}/{made['data']['id']}"
    for method, where in (("GET", path), ("POST", f"{path}/confirm"), ("POST", f"{path}/release")):
        for caller, expected in (
            (anyone, 401),
            (customer, 403),
            (for_users, 403),
            (other_shop, 404),
            (staff, 200),
        ):
            assert (await caller(method, where))[0] == expected
    for caller, expected in ((anyone, 401), (customer, 403), (for_users, 403)):
        assert (await reserve(caller, "k", drill=1))[0] == expected
    assert (await shop("GET", f"{PATH}/{NOTHING}"))[0] == 404


async def test_a_removed_product_can_no_longer_be_reserved_but_returned(shop, staff) -> None:
    _, made, _ = await reserve(shop, "before", drill=1)
    assert (await staff("DELETE", f"products/{DRILL}", headers={"If-Match": "*"}))[0] == 204
    assert (await reserve(shop, "after", drill=1))[0] == 409
    status, body, _ = await shop("POST", f"{PATH}/{made['data']['id']}/release")
    assert (status, body["data"]["status"]) == (200, "released")


async def test_reservations_of_the_same_products_in_any_order_do_not_block_each_other(
    shop, anyone
) -> None:
    orders = [{"drill": 1, "hammer": 1}, {"hammer": 1, "drill": 1}]
    answers = await asyncio.gather(
        *(reserve(shop, f"mixed-{n}", **orders[n % 2]) for n in range(40))
    )
    assert {status for status, _, _ in answers} == {201}
    assert await stock_of(anyone, DRILL, HAMMER) == [0, 80]


async def test_every_change_leaves_an_event(shop, staff, database_url) -> None:
    _, made, _ = await reserve(shop, "order-7", drill=1)
    await shop("POST", f"{PATH}/{made['data']['id']}/confirm")
    await shop("POST", f"{PATH}/{made['data']['id']}/release")
    await staff("PATCH", f"products/{DRILL}", json={"price": "1"}, headers={"If-Match": "*"})
    await staff("DELETE", f"products/{DRILL}", headers={"If-Match": "*"})
    rows = await rows_of(
        database_url, "SELECT topic, kind, event_key FROM outbox ORDER BY position"
    )
    assert rows == [
        ("reservations", "reservation.made", made["data"]["id"]),
        ("reservations", "reservation.confirmed", made["data"]["id"]),
        ("reservations", "reservation.released", made["data"]["id"]),
        ("products", "product.changed", DRILL),
        ("products", "product.removed", DRILL),
    ]


async def test_one_statement_tells_of_a_reservation_what_the_steps_tell(
    shop, database_url, monkeypatch
) -> None:
    async def told(key: str) -> list[dict]:
        _, made, _ = await reserve(shop, key, drill=1, hammer=2)
        await shop("POST", f"{PATH}/{made['data']['id']}/confirm")
        await shop("POST", f"{PATH}/{made['data']['id']}/release")
        rows = await rows_of(
            database_url, "SELECT event_key, payload FROM outbox ORDER BY position"
        )
        events = [json.loads(payload) for about, payload in rows if about == made["data"]["id"]]
        for event in events:
            assert event.pop("id") == made["data"]["id"]
            assert event.pop("key") == key
            for line in event["lines"]:
                assert line.pop("reservation_id") == made["data"]["id"]
            for product in event["products"]:
                product["stock_and_version"] = product.pop("stock") + product.pop("version")
                assert datetime.fromisoformat(product.pop("created_at"))
                assert datetime.fromisoformat(product.pop("updated_at"))
        return events

    single_statement = await told("at-once")
    monkeypatch.setattr(service, "engine_of", lambda _: Engine.MYSQL)
    one_by_one = await told("one-by-one")
    # Everything is back, and each product has changed twice.
    for first, second in zip(single_statement, one_by_one, strict=True):
        for p, q in zip(first["products"], second["products"], strict=True):
            assert q.pop("stock_and_version") - p.pop("stock_and_version") == 2
    assert single_statement == one_by_one


async def test_a_batch_confirmation_omits_reservations_that_cannot_be_confirmed(
    shop, other_shop, database_url
) -> None:
    async def made(key: str, by=shop, **options) -> str:
        return (await reserve(by, key, **options))[1]["data"]["id"]

    first, second = await made("1", drill=1), await made("2", drill=2, hammer=3)
    before, released = await made("3", drill=1), await made("4", drill=1)
    theirs, late = await made("5", by=other_shop, drill=1), await made("6", drill=1)
    await shop("POST", f"{PATH}/{before}/confirm")
    await shop("POST", f"{PATH}/{released}/release")
    async with by_hand(database_url) as db:
        caller, wanted = service.Caller("order", trusted=False), list(map(UUID, (late, first)))
        later = datetime.now(UTC) + timedelta(hours=1)
        assert await service.confirm_all(db, wanted, caller, clock=lambda: later) == []
    ids = [second, theirs, NOTHING, first, before, released, first]
    status, body, _ = await shop("POST", f"{PATH}/confirm", json={"ids": ids})
    assert (status, sorted(body["data"]["ids"])) == (200, sorted([first, second]))
    rows = await rows_of(
        database_url,
        "SELECT event_key, payload FROM outbox WHERE kind = 'reservation.confirmed'",
    )
    confirmed = {about: json.loads(payload)["lines"] for about, payload in rows}
    assert set(confirmed) == {first, second, before}
    assert [(x["product_id"], x["quantity"]) for x in confirmed[second]] == [
        (DRILL, 2),
        (HAMMER, 3),
    ]
    assert [(x["product_id"], x["quantity"]) for x in confirmed[first]] == [(DRILL, 1)]
    _, again, _ = await shop("POST", f"{PATH}/confirm", json={"ids": ids})
    assert again["data"]["ids"] == []


class Counting:
    """A database that counts its statements, in and out of transactions."""

    def __init__(self, inner, counts: list[str] | None = None) -> None:
        self._inner, self.engine = inner, engine_of(inner)
        self.counts = [] if counts is None else counts

    def __getattr__(self, name: str):
        if name in ("fetch", "fetchrow", "fetchval", "execute"):
            self.counts.append(name)
        return getattr(self._inner, name)

    @asynccontextmanager
    async def transaction(self, **options):
        async with self._inner.transaction(**options) as tx:
            yield Counting(tx, self.counts)


@pytest.mark.parametrize(
    ("way", "statements"), [("release", 1), ("confirm release", 2), ("expire", 3 + 1)]
)
async def test_what_is_given_back_costs_postgres_one_statement(
    shop, staff, database_url, way, statements
) -> None:
    many = {"drill": 1, "hammer": 2}
    made = [(await reserve(shop, f"key-{n}", **many))[1]["data"]["id"] for n in range(2)]
    later = datetime.now(UTC) + timedelta(hours=1)
    caller = service.Caller("order", trusted=True)
    async with by_hand(database_url) as db:
        counted = Counting(db)
        for step in way.split():
            if step == "expire":
                assert await service.expire(counted, clock=lambda: later, batch_size=1) == 1
            else:
                await service.settle(counted, UUID(made[0]), Step(step), caller)
    if counted.engine is Engine.POSTGRES:  # MySQL writes to one table at a time
        assert len(counted.counts) == statements
    reason = {"release": "released", "confirm release": "returned", "expire": "expired"}[way]
    assert [line[:2] for line in await ledger_of(staff, HAMMER)][-1] == (2, reason)


async def test_a_step_takes_as_many_statements_for_many_lines_as_for_one(
    shop, database_url
) -> None:
    caller, counts = service.Caller("order", trusted=True), []
    async with by_hand(database_url) as db:
        for number, products in enumerate([[DRILL], [DRILL, HAMMER]]):
            counted = Counting(db)
            wanted = NewReservation(
                lines=[Line(product_id=UUID(one), quantity=1) for one in products]
            )
            made = await service.reserve(counted, wanted, owner="order", key=f"key-{number}")
            counts.append([len(counted.counts)])
            for step in Step:
                await service.settle(counted, made.reservation.id, step, caller)
                counts[number].append(len(counted.counts))
    assert counts[0] == counts[1]


async def test_many_reservations_are_confirmed_with_as_many_statements_as_one(
    shop, database_url
) -> None:
    made = [(await reserve(shop, f"key-{n}", drill=1, hammer=1))[1]["data"]["id"] for n in range(5)]
    caller, counts = service.Caller("order", trusted=True), []
    async with by_hand(database_url) as db:
        for ids in ([made[0]], made[1:]):
            counted = Counting(db)
            assert len(await service.confirm_all(counted, [*map(UUID, ids)], caller)) == len(ids)
            counts.append(len(counted.counts))
    assert counts[0] == counts[1]


async def test_reservations_that_expire_together_return_each_its_own(
    shop, anyone, staff, database_url
):
    for key, quantity in (("a", 1), ("b", 2), ("c", 3)):
        await reserve(shop, key, drill=quantity, hammer=quantity)
    later = datetime.now(UTC) + timedelta(hours=1)
    async with by_hand(database_url) as db:
        assert await service.expire(db, clock=lambda: later) == 3
        assert await service.expire(db, clock=lambda: later) == 0
    assert await stock_of(anyone, DRILL, HAMMER) == [40, 120]
    assert [delta for delta, _, _ in await ledger_of(staff, DRILL)] == [40, -1, -2, -3, 1, 2, 3]
