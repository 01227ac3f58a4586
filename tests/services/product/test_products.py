"""Products over HTTP on a real database."""

from __future__ import annotations

import asyncio
from uuid import UUID

LIST = "products"
DRILL = f"{LIST}/01890000-0000-7000-8000-000000000a01"
WASHER = f"{LIST}/01890000-0000-7000-8000-000000000a08"
NOTHING = f"{LIST}/01890000-0000-7000-8000-00000000dead"
NEW = {"name": " Saw ", "price": "12.5", "currency": "EUR"}
ANY = {"If-Match": "*"}


async def names(caller, query: str = "") -> list[str]:
    status, body, _ = await caller("GET", f"{LIST}?{query}")
    assert status == 200, body
    return [row["name"] for row in body["data"]]


async def test_the_list_is_filtered_ordered_and_paged(anyone, subtests) -> None:
    for query, expected in [
        ("page_size=2", ["Claw hammer", "Cordless drill"]),
        ("page_size=2&page=2", ["Kitchen tap", "Paint roller set"]),
        ("page_size=2&sort=desc", ["White wall paint", "Step ladder"]),
        ("page_size=2&order_by=price", ["Paint roller set", "Claw hammer"]),
        ("page_size=2&order_by=price&sort=desc", ["Cordless drill", "Kitchen tap"]),
        ("page_size=1&order_by=created_at", ["Cordless drill"]),
        ("status=inactive", ["Pressure washer"]),
        ("currency=USD", ["Step ladder"]),
        ("currency=USD&in_stock=true", []),
        ("min_price=89&max_price=89.00", ["Kitchen tap"]),
        ("min_price=2&max_price=1", []),
        ("search=PAINT", ["Paint roller set", "White wall paint"]),
        ("search=batteries", ["Cordless drill"]),
        ("search=paint&currency=USD", []),
        ("search=%25", []),
    ]:
        with subtests.test(query=query):
            assert await names(anyone, query) == expected


async def test_the_total_counts_what_matches_on_all_pages(anyone) -> None:
    _, body, _ = await anyone("GET", f"{LIST}?page_size=2&min_price=20")
    assert body["meta"] == {"page": 1, "page_size": 2, "total_count": 5, "total_pages": 3}


async def test_a_query_that_makes_no_sense_is_refused(anyone, subtests) -> None:
    for query in [
        "order_by=stock", "order_by=name;select", "status=deleted", "currency=euro",
        "min_price=-1", "min_price=NaN", "max_price=1.001", "page=0", "page_size=101",
        "in_stock=perhaps",
    ]:  # fmt: skip
        with subtests.test(query=query):
            status, body, _ = await anyone("GET", f"{LIST}?{query}")
            assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR")


async def test_a_new_product_is_returned_with_its_place_price_and_stock(staff, anyone) -> None:
    status, body, headers = await staff("POST", LIST, json={**NEW, "stock": 3})
    product = body["data"]
    assert status == 201
    assert (product["name"], product["price"], product["currency"]) == ("Saw", "12.50", "EUR")
    assert (product["stock"], product["status"], product["version"]) == (3, "active", 1)
    assert UUID(product["id"]).version == 7
    assert headers["ETag"] == '"1"'
    status, body, _ = await anyone("GET", headers["Location"])
    assert (status, body["data"]) == (200, product)
    _, prices, _ = await anyone("GET", f"{headers['Location']}/prices")
    assert [(row["price"], row["changed_by"]) for row in prices["data"]] == [("12.50", "a-clerk")]
    _, ledger, _ = await staff("GET", f"{headers['Location']}/movements")
    assert [(row["delta"], row["reason"]) for row in ledger["data"]] == [(3, "counted")]
    assert await names(anyone, "page_size=1&order_by=created_at&sort=desc") == ["Saw"]


async def test_a_product_that_makes_no_sense_is_refused(staff, subtests) -> None:
    for wrong in [
        {"name": " "}, {"name": "x" * 256}, {"name": None}, {"price": 12.5}, {"price": "-1"},
        {"price": "1.999"}, {"price": "99999999999"}, {"price": "12.50\n"}, {"name": "\u200b"},
        {"currency": "eur"}, {"currency": "EUR\n"},
        {"stock": -1}, {"stock": 1.5}, {"status": "deleted"}, {"description": "x" * 4001},
        {"colour": "red"},
    ]:  # fmt: skip
        with subtests.test(wrong=wrong):
            requests = [("POST", LIST, {**NEW, **wrong}), ("PATCH", DRILL, wrong)]
            for method, path, body in requests:
                status, answer, _ = await staff(method, path, json=body, headers=ANY)
                assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")


async def test_a_change_leaves_the_rest_as_it_is(staff, subtests) -> None:
    for change, field, value in (
        ({"name": " Drill "}, "name", "Drill"),
        ({"description": ""}, "description", ""),
        ({"price": "99"}, "price", "99.00"),
        ({"stock": 0}, "stock", 0),
        ({"status": "inactive"}, "status", "inactive"),
    ):
        with subtests.test(change=change):
            _, before, headers = await staff("GET", DRILL)
            status, after, headers = await staff(
                "PATCH", DRILL, json=change, headers={"If-Match": headers["ETag"]}
            )
            version = before["data"]["version"] + 1
            assert (status, headers["ETag"]) == (200, f'"{version}"')
            changed = {name for name, new in after["data"].items() if before["data"][name] != new}
            assert changed == {field, "version", "updated_at"}
            assert after["data"][field] == value


async def test_a_change_of_nothing_is_none(staff) -> None:
    status, body, _ = await staff("PATCH", DRILL, json={}, headers={"If-Match": '"1"'})
    assert (status, body["data"]["version"]) == (200, 1)


async def test_every_price_and_every_stock_is_explained(staff) -> None:
    for change in ({"price": "1"}, {"stock": 7}, {"price": "2", "stock": 9}, {"name": "D"}):
        assert (await staff("PATCH", DRILL, json=change, headers=ANY))[0] == 200
    _, prices, _ = await staff("GET", f"{DRILL}/prices")
    assert [row["price"] for row in prices["data"]] == ["2.00", "1.00", "129.00"]
    _, ledger, _ = await staff("GET", f"{DRILL}/movements")
    moves = [(m["product_version"], m["delta"], m["stock_after"]) for m in ledger["data"]]
    assert moves == [(4, 2, 9), (3, -33, 7), (1, 40, 40)]


async def test_a_write_needs_the_version_seen(staff, subtests) -> None:
    for method in ["PATCH", "DELETE"]:
        for condition, expected in [
            ({}, (428, "PRECONDITION_REQUIRED")),
            ({"If-Match": '"2"'}, (412, "PRECONDITION_FAILED")),
            ({"If-Match": 'W/"1"'}, (412, "PRECONDITION_FAILED")),
            ({"If-Match": "nonsense"}, (412, "PRECONDITION_FAILED")),
        ]:
            with subtests.test(condition=condition, method=method):
                body = {"name": "X"} if method == "PATCH" else None
                status, answer, _ = await staff(method, DRILL, json=body, headers=condition)
                assert (status, answer["error"]["code"]) == expected


async def test_of_many_who_saw_the_same_version_one_writes(staff) -> None:
    answers = await asyncio.gather(
        *(
            staff("PATCH", DRILL, json={"name": f"D{n}"}, headers={"If-Match": '"1"'})
            for n in range(12)
        )
    )
    statuses = [status for status, _, _ in answers]
    assert statuses.count(200) == 1
    assert set(statuses) == {200, 412}
    _, body, _ = await staff("GET", DRILL)
    assert body["data"]["version"] == 2


async def test_any_version_will_do_for_who_says_so(staff) -> None:
    answers = await asyncio.gather(
        *(staff("PATCH", DRILL, json={"stock": n}, headers=ANY) for n in range(1, 9))
    )
    assert {status for status, _, _ in answers} == {200}
    _, body, _ = await staff("GET", DRILL)
    assert body["data"]["version"] == 9
    _, ledger, _ = await staff("GET", f"{DRILL}/movements")
    assert sum(m["delta"] for m in ledger["data"]) == body["data"]["stock"]


async def test_a_removed_product_is_gone(staff, anyone) -> None:
    assert (await staff("DELETE", DRILL, headers={"If-Match": '"1"'}))[0] == 204
    for path in (DRILL, f"{DRILL}/prices"):
        assert (await anyone("GET", path))[0] == 404
    assert (await staff("DELETE", DRILL, headers=ANY))[0] == 404
    assert "Cordless drill" not in await names(anyone)


async def test_a_reader_who_has_the_version_gets_304(anyone) -> None:
    assert (await anyone("GET", DRILL, headers={"If-None-Match": '"1"'}))[0] == 304
    assert (await anyone("GET", WASHER))[1]["data"]["status"] == "inactive"


async def test_writing_and_the_ledger_are_for_the_staff(anyone, customer, shop, subtests) -> None:
    for method, path, options in [
        ("POST", LIST, {"json": NEW}),
        ("PATCH", DRILL, {"json": {"name": "x"}, "headers": ANY}),
        ("DELETE", DRILL, {"headers": ANY}),
        ("GET", f"{DRILL}/movements", {}),
    ]:
        with subtests.test(method=method):
            for caller, expected in ((anyone, 401), (customer, 403), (shop, 403)):
                assert (await caller(method, path, **options))[0] == expected


async def test_a_product_that_does_not_exist_is_not_found(staff, subtests) -> None:
    for method, path in [
        ("GET", NOTHING), ("PATCH", NOTHING), ("DELETE", NOTHING),
        ("GET", f"{NOTHING}/prices"), ("GET", f"{NOTHING}/movements"),
    ]:  # fmt: skip
        with subtests.test(method=method):
            body = {"name": "x"} if method == "PATCH" else None
            status, answer, _ = await staff(method, path, json=body, headers=ANY)
            assert (status, answer["error"]["code"]) == (404, "NOT_FOUND")


async def test_a_key_that_would_not_be_heeded_is_refused_and_nothing_is_added(staff) -> None:
    key = {"Idempotency-Key": "once"}
    status, body, _ = await staff("POST", LIST, json=NEW, headers=key)
    assert (status, body["error"]["code"]) == (400, "BAD_REQUEST")
    assert "Idempotency-Key" in body["error"]["message"]
    assert await names(staff, "search=saw") == []
