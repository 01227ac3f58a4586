"""The workplaces of providers over HTTP, and the nearest provider."""

from __future__ import annotations

import asyncio
import random

import pytest

from lib.auth import Role
from services.order.marketplace.model.box import rounded
from services.order.marketplace.model.places import Nearest
from services.order.marketplace.service.locations import nearest
from tests.services.calling import caller_with
from tests.services.order.conftest import OTHER_PROVIDER, PROVIDER
from tests.services.order.marketplace.conftest import BERLIN, HAMBURG, NOBODY, expect, refused
from tests.services.order.marketplace.test_box import away, kilometres

ADDRESS = "Invalidenstr. 117"
MINE, THEIRS = "providers/me/location", f"providers/{PROVIDER}/location"
HERE = {"longitude": 13.38, "latitude": 52.53}


@pytest.mark.parametrize("path", [MINE, THEIRS])
async def test_a_provider_says_where_they_work_from_and_moves(provider, customer, path) -> None:
    assert (await refused(provider("GET", path)))[:2] == (404, "NOT_FOUND")
    assert (await refused(provider("PATCH", path, json={})))[:2] == (404, "NOT_FOUND")
    body = {"city_id": BERLIN, "address": "  Invalidenstr.   117 ", "location": HERE}
    status, answer, headers = await provider("POST", path, json=body)
    place = answer["data"]
    tag = headers["ETag"]
    assert (status, tag[:3], headers["Location"]) == (201, '"1-', THEIRS)
    assert (place["provider_id"], place["address"], place["location"]) == (PROVIDER, ADDRESS, HERE)
    again = await refused(provider("POST", path, json=body))
    assert again == (409, "CONFLICT", "the provider already has a location")
    assert await expect(200, provider("GET", THEIRS)) == place
    assert (await provider("GET", path, headers={"If-None-Match": tag}))[0] == 304
    changed = await expect(
        200, provider("PATCH", path, json={"address": "Other"}, headers={"If-Match": '"1"'})
    )
    assert (changed["address"], changed["location"], changed["version"]) == ("Other", HERE, 2)
    stale = provider("PATCH", path, json={"address": "X"}, headers={"If-Match": '"1"'})
    assert (await refused(stale))[0] == 412


async def test_without_a_place_it_is_the_middle_of_the_city(provider) -> None:
    body = {"city_id": BERLIN, "address": ADDRESS}
    place = await expect(201, provider("POST", MINE, json=body))
    assert place["location"] == {"longitude": 13.405, "latitude": 52.52}
    moved = await expect(200, provider("PATCH", MINE, json={"city_id": HAMBURG}))
    assert moved["location"] == {"longitude": 9.9937, "latitude": 53.5511}
    exact = await expect(200, provider("PATCH", MINE, json={"city_id": BERLIN, "location": HERE}))
    assert exact["location"] == HERE
    same_city = await expect(200, provider("PATCH", MINE, json={"city_id": BERLIN}))
    assert same_city["location"] == HERE


async def test_of_many_first_words_at_once_one_stands(provider) -> None:
    body = {"city_id": BERLIN, "address": ADDRESS, "location": HERE}
    answers = await asyncio.gather(*(provider("POST", MINE, json=body) for _ in range(6)))
    assert sorted(status for status, _, _ in answers) == [201] + [409] * 5


async def test_the_city_must_be_there(provider) -> None:
    for place in ({}, {"location": HERE}):
        body = {"city_id": NOBODY, "address": ADDRESS, **place}
        assert (await refused(provider("POST", MINE, json=body)))[2] == "city not found"
    await expect(201, provider("POST", MINE, json={"city_id": BERLIN, "address": ADDRESS}))
    for place in ({}, {"location": HERE}):
        answer = provider("PATCH", MINE, json={"city_id": NOBODY, **place})
        assert (await refused(answer))[2] == "city not found"


async def test_what_is_no_place_is_refused_by_field(provider, subtests) -> None:
    for changes, field in [
        ({"address": " "}, "address"),
        ({"address": "x" * 256}, "address"),
        ({"city_id": "Berlin"}, "city_id"),
        ({"location": {"longitude": 181, "latitude": 0}}, "location.longitude"),
        ({"provider_id": NOBODY}, "provider_id"),
    ]:
        with subtests.test(changes=changes):
            body = {"city_id": BERLIN, "address": ADDRESS, **changes}
            status, answer, _ = await provider("POST", MINE, json=body)
            assert (status, answer["error"]["details"][0]["field"]) == (400, field)


@pytest.mark.parametrize(
    ("role", "verified", "mine", "theirs", "others"),
    [
        (None, True, 401, 401, 401),
        (Role.CUSTOMER, True, 403, 403, 403),
        (Role.STAFF, True, 403, 403, 403),
        (Role.PROVIDER, False, 403, 403, 403),
        (Role.PROVIDER, True, 201, 409, 403),
        (Role.ADMIN, True, 403, 201, 201),
    ],
)
async def test_who_may_say_where(
    client, issuer, anyone, role, verified, mine, theirs, others
) -> None:
    caller = anyone
    if role is not None:
        caller = caller_with(client, issuer, PROVIDER, role, verified=verified)
    body = {"city_id": BERLIN, "address": ADDRESS}
    for path, expected in (
        (MINE, mine),
        (THEIRS, theirs),
        (f"providers/{OTHER_PROVIDER}/location", others),
    ):
        assert (await caller("POST", path, json=body))[0] == expected, path


async def test_reading_takes_a_token_and_my_own_the_role(anyone, customer) -> None:
    assert (await anyone("GET", THEIRS))[0] == 401
    assert (await customer("GET", THEIRS))[0] == 404
    assert (await customer("GET", MINE))[0] == 403
    assert (await anyone("GET", "providers/nearest?longitude=0&latitude=0"))[0] == 401
    assert (await customer("GET", "providers/7/location"))[0] == 400


async def test_the_providers_of_a_city_are_listed_with_totals(admin, customer, anyone) -> None:
    for n in (3, 1, 2):
        path = f"providers/01890000-0000-7000-8000-00000000b00{n}/location"
        await expect(201, admin("POST", path, json={"city_id": BERLIN, "address": ADDRESS}))
    _, body, _ = await customer("GET", f"cities/{BERLIN}/providers?page=2&page_size=2")
    assert [row["provider_id"][-1] for row in body["data"]] == ["3"]
    assert body["meta"] == {"page": 2, "page_size": 2, "total_count": 3, "total_pages": 2}
    assert await expect(200, customer("GET", f"cities/{HAMBURG}/providers")) == []
    assert (await refused(customer("GET", f"cities/{NOBODY}/providers")))[0] == 404
    assert (await anyone("GET", f"cities/{BERLIN}/providers"))[0] == 401


PLACES = [(13.4, 52.5), (179.95, -16.5), (-179.95, 66), (30, 89.6), (-75, -89.9), (0, 90), (0, 0)]


async def test_the_nearest_are_those_that_brute_force_finds(customer, sql) -> None:
    """The test covers each place, the date line and the poles, with radii of every size.

    Distances are to the rounded places, so some providers are equally near.
    """
    dice = random.Random(7)
    providers = {}
    for centre in PLACES:
        for _ in range(60):
            there = away(centre, dice.uniform(0, 360), dice.uniform(0, 700) ** dice.random())
            providers[f"01890000-0000-7000-8000-{len(providers):012x}"] = there
    await sql.executemany(
        "INSERT INTO provider_location (provider_id, city_id, longitude, latitude, address)"
        " VALUES ($1, $2, $3, $4, 'somewhere')",
        [(key, BERLIN, *place) for key, place in providers.items()],
    )
    for centre in [*PLACES, (180, -16.5), (-180, -16.5), (90, -90)]:
        for radius in (0.1, 5, 60, 500):
            limit = dice.choice((1, 10, 100))
            query = f"longitude={centre[0]}&latitude={centre[1]}&radius_km={radius}&limit={limit}"
            found = await expect(200, customer("GET", f"providers/nearest?{query}"))
            distances = {
                key: kilometres(centre, (rounded(place[0]), rounded(place[1])))
                for key, place in providers.items()
            }
            nearest_first = sorted(away_km for away_km in distances.values() if away_km <= radius)
            told = [row["distance_km"] for row in found]
            assert told == pytest.approx(nearest_first[:limit], abs=0.002), (centre, radius)
            assert told == sorted(told)
            for row in found:
                away_km = distances[row["provider_id"]]
                assert row["distance_km"] == pytest.approx(away_km, abs=0.002)


async def test_an_index_finds_the_nearest(sql, explaining) -> None:
    await sql.execute(
        """
        INSERT INTO provider_location (provider_id, city_id, longitude, latitude, address)
        SELECT gen_random_uuid(), (SELECT id FROM city LIMIT 1), random() * 360 - 180,
            random() * 180 - 90, 'somewhere'
        FROM generate_series(1, 5000)
        """
    )
    await sql.execute("ANALYZE provider_location")
    await nearest(explaining, Nearest(longitude=13.4, latitude=52.5))
    assert " provider_location_place " in explaining.plan


async def test_what_is_no_search_is_refused_by_field(customer, subtests) -> None:
    for query, field in [
        ("latitude=0", "longitude"),
        ("longitude=0", "latitude"),
        ("longitude=181&latitude=0", "longitude"),
        ("longitude=nan&latitude=0", "longitude"),
        ("longitude=0&latitude=inf", "latitude"),
        ("longitude=0&latitude=0&radius_km=0", "radius_km"),
        ("longitude=0&latitude=0&radius_km=501", "radius_km"),
        ("longitude=0&latitude=0&radius_km=nan", "radius_km"),
        ("longitude=0&latitude=0&limit=101", "limit"),
        ("longitude=0&latitude=0&limit=0", "limit"),
    ]:
        with subtests.test(query=query):
            status, body, _ = await customer("GET", f"providers/nearest?{query}")
            assert (status, body["error"]["details"][0]["field"]) == (400, field)
