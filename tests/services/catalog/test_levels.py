"""The four levels of the catalogue over HTTP follow the same rules; a table lists them."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from lib.auth import Role
from tests.services.calling import Caller

NOBODY = "01890000-0000-7000-8000-00000000dead"


def demo(suffix: str) -> str:
    return f"01890000-0000-7000-8000-00000000{suffix}"


# Path, what it is called, an entry that is in use, a complete new one, a name taken beside it.
TYPES = ("category-types", "category type", demo("c101"), {"name": "Events"}, "hOME")
CATEGORIES = (
    "categories", "category", demo("c201"),
    {"type_id": demo("c101"), "name": "Painting"}, "PLUMBING",
)  # fmt: skip
SUBCATEGORIES = (
    "subcategories", "subcategory", demo("c301"),
    {"category_id": demo("c201"), "name": "Fridges"}, "ovens AND hobs",
)  # fmt: skip
SERVICES = (
    "services", "service", demo("c401"),
    {"subcategory_id": demo("c301"), "name": "Move a washing machine", "description": "Upstairs"},
    "repair a washing MACHINE",
)  # fmt: skip
LEVELS = [TYPES, CATEGORIES, SUBCATEGORIES, SERVICES]
PARENTS = [
    (CATEGORIES, "type_id", "category type"),
    (SUBCATEGORIES, "category_id", "category"),
    (SERVICES, "subcategory_id", "subcategory"),
]


def ids(case) -> str:
    return case[0] if isinstance(case, tuple) else ""


each = pytest.mark.parametrize("level", LEVELS, ids=ids)


async def names(caller, path: str) -> list[str]:
    status, body, _ = await caller("GET", path)
    assert status == 200, body
    return [row["name"] for row in body["data"]]


async def test_a_new_entry_is_returned_with_its_place_and_version(admin, anyone, subtests) -> None:
    for level in LEVELS:
        with subtests.test(level=level):
            path, _, _, new, _ = level
            status, body, headers = await admin("POST", path, json=new)
            entry = body["data"]
            assert status == 201
            assert {key: entry[key] for key in new} == new
            assert (entry["version"], headers["ETag"]) == (1, '"1"')
            assert UUID(entry["id"]).version == 7
            status, body, headers = await anyone("GET", headers["Location"])
            assert (status, body["data"], headers["ETag"]) == (200, entry, '"1"')
            assert new["name"] in await names(anyone, f"{path}?page_size=100")


async def test_names_lose_the_spaces_that_nobody_sees(admin, subtests) -> None:
    for level in LEVELS:
        with subtests.test(level=level):
            path, _, _, new, _ = level
            status, body, _ = await admin(
                "POST", path, json={**new, "name": "  Home \t\n  & Co\x01 "}
            )
            assert (status, body["data"]["name"]) == (201, "Home & Co")


async def test_a_name_that_makes_no_sense_is_refused(admin, subtests) -> None:
    for level in LEVELS:
        for name in ["", " ", "x", " x ", "\t\n\x01", "x" * 101, None, 7]:
            with subtests.test(name=name, level=level):
                path, _, used, new, _ = level
                for method, where in (("POST", path), ("PATCH", f"{path}/{used}")):
                    status, body, _ = await admin(method, where, json={**new, "name": name})
                    assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR")
                    assert [detail["field"] for detail in body["error"]["details"]] == ["name"]


async def test_names_have_bounds(admin, subtests) -> None:
    for level, longest in [(TYPES, 30), (CATEGORIES, 30), (SUBCATEGORIES, 100), (SERVICES, 100)]:
        with subtests.test(level=level):
            path, _, _, new, _ = level
            for length, expected in ((2, 201), (longest, 201), (longest + 1, 400)):
                status, _, _ = await admin("POST", path, json={**new, "name": "é" * length})
                assert status == expected


async def test_unknown_fields_are_refused(admin, subtests) -> None:
    for level in LEVELS:
        with subtests.test(level=level):
            path, _, used, new, _ = level
            for method, where in (("POST", path), ("PATCH", f"{path}/{used}")):
                status, body, _ = await admin(method, where, json={**new, "nmae": "x"})
                assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR")


async def test_a_name_in_use_is_a_conflict_whatever_its_case(admin, subtests) -> None:
    for level in LEVELS:
        with subtests.test(level=level):
            path, noun, used, new, taken = level
            for method, where in (("POST", path), ("PATCH", f"{path}/{used}")):
                body = {**new, "name": taken}
                if path == "category-types" and method == "PATCH":
                    body = {"name": "garden"}
                status, answer, _ = await admin(method, where, json=body)
                assert (status, answer["error"]["code"]) == (409, "CONFLICT")
                assert answer["error"]["message"] == f"{noun} name is taken"


async def test_the_same_name_may_be_used_under_another_parent(admin) -> None:
    new = {"type_id": demo("c102"), "name": "Cleaning"}
    assert (await admin("POST", "categories", json=new))[0] == 201


@each
async def test_a_rename_to_the_same_name_changes_nothing(admin, level) -> None:
    path, _, used, _, _ = level
    _, before, _ = await admin("GET", f"{path}/{used}")
    name = before["data"]["name"]
    status, after, headers = await admin("PATCH", f"{path}/{used}", json={"name": f" {name} "})
    assert (status, after["data"], headers["ETag"]) == (200, before["data"], '"1"')
    assert (await admin("PATCH", f"{path}/{used}", json={}))[1]["data"] == before["data"]


@each
async def test_a_rename_to_another_case_of_the_same_name_is_a_change(admin, level) -> None:
    path, _, used, _, _ = level
    _, before, _ = await admin("GET", f"{path}/{used}")
    name = before["data"]["name"].upper()
    status, after, headers = await admin("PATCH", f"{path}/{used}", json={"name": name})
    assert (status, after["data"]["name"], headers["ETag"]) == (200, name, '"2"')
    changed = {key for key in after["data"] if after["data"][key] != before["data"][key]}
    assert changed == {"name", "version", "updated_at"}


@each
async def test_a_stale_version_is_refused_and_the_present_one_is_accepted(admin, level) -> None:
    path, _, used, _, _ = level
    one = f"{path}/{used}"
    for expected in (200, 412):
        status, _, _ = await admin(
            "PATCH", one, json={"name": f"Name {expected}"}, headers={"If-Match": '"1"'}
        )
        assert status == expected
    for tag in ('"1"', 'W/"2"', "nonsense"):
        assert (await admin("DELETE", one, headers={"If-Match": tag}))[0] == 412


async def test_what_it_is_to_belong_to_must_be_there(admin, subtests) -> None:
    for level, field, parent in PARENTS:
        with subtests.test(level=level):
            path, _, used, new, _ = level
            for method, where in (("POST", path), ("PATCH", f"{path}/{used}")):
                status, body, _ = await admin(method, where, json={**new, field: NOBODY})
                assert (status, body["error"]["message"]) == (404, f"{parent} not found")
                status, body, _ = await admin(method, where, json={**new, field: "4294967297"})
                assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR")


async def test_an_entry_can_be_moved(admin, anyone) -> None:
    moved = {"type_id": demo("c102")}
    status, body, _ = await admin("PATCH", f"categories/{demo('c202')}", json=moved)
    assert (status, body["data"]["type_id"]) == (200, demo("c102"))
    below = f"category-types/{demo('c102')}"
    assert await names(anyone, f"{below}/categories") == ["Lawn and Hedges", "Plumbing"]
    assert await names(anyone, f"{below}/subcategories") == ["Bathroom", "Kitchen", "Lawn"]


async def test_what_does_not_exist_is_not_found(admin, subtests) -> None:
    for level in LEVELS:
        for method in ["GET", "PATCH", "DELETE"]:
            with subtests.test(method=method, level=level):
                path, noun, _, _, _ = level
                body = {} if method == "PATCH" else None
                status, answer, _ = await admin(method, f"{path}/{NOBODY}", json=body)
                assert (status, answer["error"]["message"]) == (404, f"{noun} not found")
                status, answer, _ = await admin(method, f"{path}/4294967297", json=body)
                assert (status, answer["error"]["code"]) == (400, "VALIDATION_ERROR")


async def test_what_is_referred_to_cannot_be_removed(admin, subtests) -> None:
    for level in [TYPES, CATEGORIES, SUBCATEGORIES]:
        with subtests.test(level=level):
            path, noun, used, _, _ = level
            status, body, _ = await admin("DELETE", f"{path}/{used}")
            assert (status, body["error"]["code"]) == (409, "CONFLICT")
            assert body["error"]["message"] == f"{noun} is still in use"
            assert (await admin("GET", f"{path}/{used}"))[0] == 200


async def test_what_nothing_refers_to_is_removed_and_gone(admin, anyone, subtests) -> None:
    for level in LEVELS:
        with subtests.test(level=level):
            path, _, _, new, _ = level
            _, _, headers = await admin("POST", path, json=new)
            one = headers["Location"]
            assert (await anyone("GET", one))[0] == 200
            assert (await admin("DELETE", one, headers={"If-Match": '"1"'}))[0] == 204
            for method in ("GET", "DELETE"):
                assert (await admin(method, one))[0] == 404
            assert new["name"] not in await names(anyone, f"{path}?page_size=100")


@each
async def test_everybody_reads_and_verified_administrators_write(
    client, issuer, anyone, customer, provider, admin, level
) -> None:
    path, _, used, new, _ = level
    hasty = Caller(client, issuer.authorized(role=Role.ADMIN, verified=False))
    callers = ((anyone, 401), (customer, 403), (provider, 403), (hasty, 403))
    for caller, refused in callers:
        for where in (path, f"{path}/{used}"):
            assert (await caller("GET", where))[0] == 200
        assert (await caller("POST", path, json=new))[0] == refused
        assert (await caller("PATCH", f"{path}/{used}", json={"name": "Other"}))[0] == refused
        assert (await caller("DELETE", f"{path}/{used}"))[0] == refused
    _, body, _ = await hasty("POST", path, json=new)
    assert "refresh the access token" in body["error"]["message"]


@each
async def test_of_many_who_add_the_same_name_one_succeeds(admin, level) -> None:
    path, _, _, new, _ = level
    spellings = [new["name"].upper(), new["name"].lower(), new["name"], f" {new['name']} "] * 3
    answers = await asyncio.gather(
        *(admin("POST", path, json={**new, "name": name}) for name in spellings)
    )
    assert sorted(status for status, _, _ in answers) == [201] + [409] * 11


@pytest.mark.parametrize("level", [CATEGORIES, SUBCATEGORIES, SERVICES], ids=ids)
async def test_no_entry_is_left_without_its_parent(admin, level) -> None:
    """If the parent is removed while an entry is added below it, one of the two is refused."""
    path, _, _, new, _ = level
    above = LEVELS[LEVELS.index(level) - 1]
    field = next(key for key in new if key.endswith("_id"))
    for n in range(5):
        _, body, headers = await admin("POST", above[0], json={**above[3], "name": f"Brief {n}"})
        removed, added = await asyncio.gather(
            admin("DELETE", headers["Location"]),
            admin("POST", path, json={**new, field: body["data"]["id"]}),
        )
        assert (removed[0], added[0]) in {(204, 404), (409, 201)}


async def test_two_who_exchange_names_never_end_with_the_same(admin) -> None:
    one, other = f"services/{demo('c401')}", f"services/{demo('c402')}"
    statuses = set()
    for _ in range(5):
        answers = await asyncio.gather(
            admin("PATCH", one, json={"name": "Repair a washing machine"}),
            admin("PATCH", other, json={"name": "Install a washing machine"}),
        )
        statuses |= {status for status, _, _ in answers}
    assert statuses == {409}


async def test_lists_are_filtered_ordered_searched_and_paged(anyone, subtests) -> None:
    for path, expected in [
        ("category-types", ["Business", "Garden", "Home"]),
        ("category-types?sort=desc&page_size=2", ["Home", "Garden"]),
        ("category-types?page_size=2&page=2", ["Home"]),
        ("category-types?order_by=created_at", ["Home", "Garden", "Business"]),
        ("category-types?order_by=created_at&sort=desc", ["Home", "Garden", "Business"]),  # as old
        ("category-types?search=AR", ["Garden"]),
        ("category-types?search=%25", []),
        ("category-types?page=9", []),
        (f"categories?type_id={demo('c103')}", ["Cleaning"]),
        (f"categories?type_id={NOBODY}", []),
        ("categories?search=clean", ["Cleaning", "Cleaning"]),
        (f"subcategories?category_id={demo('c202')}", ["Bathroom", "Kitchen"]),
        (f"subcategories?type_id={demo('c102')}", ["Lawn"]),
        (f"subcategories?type_id={demo('c102')}&category_id={demo('c201')}", []),
        (f"services?subcategory_id={demo('c303')}", ["Replace a kitchen tap"]),
        ("services?search=SUNDAYS", ["Clear a blocked drain"]),
        (f"category-types/{demo('c101')}/categories", ["Cleaning", "Home Appliance", "Plumbing"]),
        (f"category-types/{demo('c101')}/categories?search=plumb", ["Plumbing"]),
        (f"category-types/{demo('c102')}/subcategories", ["Lawn"]),
        (f"category-types/{demo('c102')}/subcategories?type_id={demo('c101')}", ["Lawn"]),
        (f"categories/{demo('c202')}/subcategories?sort=desc", ["Kitchen", "Bathroom"]),
        (f"subcategories/{demo('c304')}/services", ["Clear a blocked drain"]),
    ]:
        with subtests.test(path=path):
            assert await names(anyone, path) == expected
            assert await names(anyone, path) == expected, "from the cache"


async def test_the_total_counts_what_is_on_all_pages(anyone) -> None:
    for page, shown in ((1, 2), (2, 1), (3, 0)):
        path = f"category-types/{demo('c101')}/categories?page_size=2&page={page}"
        _, body, _ = await anyone("GET", path)
        assert len(body["data"]) == shown
        assert body["meta"] == {
            "page": page, "page_size": 2, "total_count": 3, "total_pages": 2,
        }  # fmt: skip


async def test_a_query_that_makes_no_sense_is_refused(anyone, subtests) -> None:
    for query in [
        "page=0",
        "page=x",
        "page_size=0",
        "page_size=-1",
        "page_size=101",
        "order_by=id",
        "sort=up",
    ]:
        for path in ["services", f"category-types/{demo('c101')}/subcategories"]:
            with subtests.test(path=path, query=query):
                status, body, _ = await anyone("GET", f"{path}?{query}")
                assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR")


async def test_a_list_below_nothing_is_not_found(anyone, subtests) -> None:
    for path, noun in [
        (f"category-types/{NOBODY}/categories", "category type"),
        (f"category-types/{NOBODY}/categories?search=x", "category type"),
        (f"category-types/{NOBODY}/subcategories", "category type"),
        (f"categories/{NOBODY}/subcategories", "category"),
        (f"subcategories/{NOBODY}/services", "subcategory"),
        (f"services/{NOBODY}/providers", "service"),
    ]:
        with subtests.test(path=path):
            status, body, _ = await anyone("GET", path)
            assert (status, body["error"]["message"]) == (404, f"{noun} not found")


@pytest.mark.parametrize(
    "path", ["services", f"services/{demo('c401')}", f"categories/{demo('c201')}/subcategories"]
)
async def test_a_reader_who_has_it_already_gets_304_until_it_changes(admin, anyone, path) -> None:
    _, _, headers = await anyone("GET", path)
    seen = {"If-None-Match": f'"other", {headers["ETag"]}'}
    status, body, again = await anyone("GET", path, headers=seen)
    assert (status, body, again["ETag"]) == (304, None, headers["ETag"])
    assert (await anyone("GET", path, headers={"If-None-Match": '"other"'}))[0] == 200
    await admin("PATCH", f"services/{demo('c401')}", json={"description": "New"})
    await admin("PATCH", f"subcategories/{demo('c301')}", json={"name": "Laundry"})
    assert (await anyone("GET", path, headers=seen))[0] == 200
