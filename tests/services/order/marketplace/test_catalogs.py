"""Currencies and cities over HTTP: everybody reads, administrators write."""

from __future__ import annotations

import asyncio

import pytest

from lib.auth import Role
from tests.services.calling import caller_with
from tests.services.order.marketplace.conftest import BERLIN, EUR, NOBODY, USD, expect, refused

YEN = {"currency": "Yen", "code": "JPY", "symbol": "¥"}
LYON = {
    "name": "Lyon",
    "location": {"longitude": 4.8357, "latitude": 45.764},
    "country": "France",
    "iso2": "FR",
    "admin_name": "Auvergne-Rhône-Alpes",
    "capital": "ADMIN",
}
KINDS = [
    ("currencies", YEN, EUR, "currency", {"symbol": "₹"}),
    ("cities", LYON, BERLIN, "city", {"country": "Gaul"}),
]


@pytest.mark.parametrize(("path", "new", "known", "noun", "change"), KINDS)
async def test_an_entry_is_added_read_changed_and_removed(
    admin, anyone, path, new, known, noun, change
) -> None:
    status, body, headers = await admin("POST", path, json=new)
    entry = body["data"]
    where = f"{path}/{entry['id']}"
    assert (status, headers["Location"], headers["ETag"]) == (201, where, '"1"')
    assert {name: entry[name] for name in new} == new
    assert await expect(200, anyone("GET", where)) == entry
    assert (await anyone("GET", where, headers={"If-None-Match": '"1"'}))[0] == 304
    changed = await expect(200, admin("PATCH", where, json=change, headers={"If-Match": '"1"'}))
    assert {name: changed[name] for name in new} == new | change
    assert changed["version"] == 2
    assert await expect(200, admin("PATCH", where, json={})) == changed
    for method in ("PATCH", "DELETE"):
        stale = admin(method, where, json=change, headers={"If-Match": '"1"'})
        assert (await refused(stale))[:2] == (412, "PRECONDITION_FAILED")
    await expect(204, admin("DELETE", where, headers={"If-Match": '"2"'}))
    for method in ("GET", "PATCH", "DELETE"):
        answer = await refused(admin(method, where, json=change))
        assert answer == (404, "NOT_FOUND", f"{noun} not found")


@pytest.mark.parametrize(("path", "new", "known", "noun", "change"), KINDS)
async def test_who_may_write(client, issuer, anyone, path, new, known, noun, change) -> None:
    where = f"{path}/{known}"
    for role, verified, expected in (
        (None, True, (401, 401, 401)),
        (Role.CUSTOMER, True, (403, 403, 403)),
        (Role.PROVIDER, True, (403, 403, 403)),
        (Role.STAFF, True, (403, 403, 403)),
        (Role.MODERATOR, True, (403, 403, 403)),
        (Role.ADMIN, False, (403, 403, 403)),
        (Role.ADMIN, True, (201, 200, 204)),
    ):
        caller = anyone
        if role is not None:
            caller = caller_with(client, issuer, NOBODY, role, verified=verified)
        found = (
            (await caller("POST", path, json=new))[0],
            (await caller("PATCH", where, json=change))[0],
            (await caller("DELETE", where))[0],
        )
        assert found == expected, role


async def test_what_is_no_entry_is_refused_by_field(admin, subtests) -> None:
    for path, new, changes, field in [
        ("currencies", YEN, {"code": "Jpy"}, "code"),
        ("currencies", YEN, {"code": "YEN\n"}, "code"),
        ("currencies", YEN, {"currency": " "}, "currency"),
        ("currencies", YEN, {"currency": "x" * 101}, "currency"),
        ("currencies", YEN, {"symbol": "x" * 11}, "symbol"),
        ("currencies", YEN, {"id": EUR}, "id"),
        ("cities", LYON, {"name": ""}, "name"),
        ("cities", LYON, {"name": "\u200b\ufeff"}, "name"),
        ("cities", LYON, {"iso2": "fr"}, "iso2"),
        ("cities", LYON, {"iso2": "FRA"}, "iso2"),
        ("cities", LYON, {"country": None}, "country"),
        ("cities", LYON, {"capital": "CAPITAL"}, "capital"),
        ("cities", LYON, {"location": {"longitude": 0}}, "location.latitude"),
        ("cities", LYON, {"location": {"longitude": 0, "latitude": 91}}, "location.latitude"),
        ("cities", LYON, {"location": None}, "location"),
        ("cities", LYON, {"population": 1}, "population"),
    ]:
        with subtests.test(path=path):
            known = EUR if path == "currencies" else BERLIN
            for method, where, body in (
                ("POST", path, {**new, **changes}),
                ("PATCH", f"{path}/{known}", changes),
            ):
                status, answer, _ = await admin(method, where, json=body)
                found = answer["error"]["details"][0]
                # Where a place may be left out, it is at fault as a whole; the message says why.
                assert status == 400
                assert found["field"] in (field, field.partition(".")[0]), answer
                assert field.rpartition(".")[2] in f"{found['field']} {found['message']}"


async def test_a_code_names_one_currency(admin) -> None:
    answers = await asyncio.gather(*(admin("POST", "currencies", json=YEN) for _ in range(5)))
    assert sorted(status for status, _, _ in answers) == [201] + [409] * 4
    answer = await refused(admin("PATCH", f"currencies/{USD}", json={"code": "EUR"}))
    assert answer == (409, "CONFLICT", "a currency with this code exists")


async def test_a_currency_that_offers_are_in_keeps_its_code(market, admin) -> None:
    await market.offer(await market.order())
    path = f"currencies/{EUR}"
    for method, body in (("PATCH", {"code": "XEU"}), ("DELETE", None)):
        answer = await refused(admin(method, path, json=body))
        assert answer == (409, "CONFLICT", "currency is still in use")
    renamed = await expect(200, admin("PATCH", path, json={"currency": "  The   euro "}))
    assert (renamed["currency"], renamed["code"]) == ("The euro", "EUR")


async def test_a_name_names_one_city_in_its_region(admin) -> None:
    await expect(201, admin("POST", "cities", json=LYON))
    for body in (LYON, {**LYON, "name": "LYON"}, {**LYON, "name": "  Lyon ", "country": "F"}):
        answer = await refused(admin("POST", "cities", json=body))
        assert answer == (409, "CONFLICT", "a city with this name exists")
    await expect(201, admin("POST", "cities", json={**LYON, "admin_name": "Mississippi"}))
    await expect(201, admin("POST", "cities", json={**LYON, "admin_name": None}))
    assert (await refused(admin("POST", "cities", json={**LYON, "admin_name": None})))[0] == 409
    answer = admin("PATCH", f"cities/{BERLIN}", json={**LYON, "capital": None})
    assert (await refused(answer))[0] == 409


async def test_null_takes_away_what_a_city_need_not_have(admin) -> None:
    path = f"cities/{BERLIN}"
    changed = await expect(200, admin("PATCH", path, json={"admin_name": None, "capital": None}))
    assert (changed["admin_name"], changed["capital"], changed["name"]) == (None, None, "Berlin")


async def test_a_city_that_somebody_works_from_is_not_removed(admin, provider) -> None:
    body = {"city_id": BERLIN, "address": "Invalidenstr. 117"}
    await expect(201, provider("POST", "providers/me/location", json=body))
    answer = await refused(admin("DELETE", f"cities/{BERLIN}"))
    assert answer == (409, "CONFLICT", "city is still in use")


async def test_lists_are_filtered_ordered_and_counted(anyone, subtests) -> None:
    for query, expected in [
        ("currencies", ["EUR", "GBP", "USD"]),
        ("currencies?sort=desc", ["USD", "GBP", "EUR"]),
        ("currencies?order_by=created_at", ["EUR", "USD", "GBP"]),
        ("currencies?search=dollar", ["USD"]),
        ("currencies?search=gb", ["GBP"]),
        ("currencies?search=%25", []),
        ("currencies?page=2&page_size=2", ["USD"]),
        ("currencies?page=9", []),
        ("cities", ["Berlin", "Hamburg", "Paris", "Potsdam", "Rostock"]),
        ("cities?sort=desc&page_size=2", ["Rostock", "Potsdam"]),
        ("cities?iso2=FR", ["Paris"]),
        ("cities?iso2=DE&search=st", ["Rostock"]),
        ("cities?search=p", ["Paris", "Potsdam"]),
    ]:
        with subtests.test(query=query):
            status, body, _ = await anyone("GET", query)
            name = "code" if query.startswith("currencies") else "name"
            assert (status, [row[name] for row in body["data"]]) == (200, expected)
            whole = query.partition("?")[0]
            if "search" not in query and "iso2" not in query:
                assert body["meta"]["total_count"] == {"currencies": 3, "cities": 5}[whole]
            else:
                assert body["meta"]["total_count"] == len(expected)


@pytest.mark.parametrize(("path", "new", "known", "noun", "change"), KINDS)
async def test_the_newest_come_first_or_last(admin, path, new, known, noun, change) -> None:
    added = await expect(201, admin("POST", path, json=new))
    for sort, place in (("asc", -1), ("desc", 0)):
        rows = await expect(200, admin("GET", f"{path}?order_by=created_at&sort={sort}"))
        assert rows[place]["id"] == added["id"]


async def test_what_is_no_list_is_refused_by_field(anyone, subtests) -> None:
    for query, field in [
        ("currencies?order_by=symbol", "order_by"),
        ("currencies?sort=up", "sort"),
        ("currencies?page=0", "page"),
        ("currencies?page_size=101", "page_size"),
        ("cities?iso2=de", "iso2"),
        ("cities?search=" + "x" * 101, "search"),
        ("cities?order_by=country;drop", "order_by"),
    ]:
        with subtests.test(query=query):
            status, body, _ = await anyone("GET", query)
            assert (status, body["error"]["details"][0]["field"]) == (400, field)
