"""Cities: names are unique within a region. A city with providers cannot be deleted."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from lib.db import Database, Executor
from lib.db.like import contains
from lib.events import Topic, publish_change
from lib.ids import new_id
from lib.resource.input import given, is_empty
from lib.resource.lists import CursorPageQuery, Extent, Walk, page_of, page_or_walk_of
from lib.resource.rules import at_version, change_errors, or_not_found
from services.order.marketplace.model.lists import ListCities
from services.order.marketplace.model.places import Capital, CityChange, Location, NewCity
from services.order.marketplace.store import cities as store
from services.order.marketplace.store import keyset, locations
from services.order.marketplace.store.models import CapitalKind, City, ProviderLocation

TOPIC = Topic("cities", {f"city.{what}": City for what in ("created", "changed", "removed")})
_TAKEN = "a city with this name exists"


async def get(db: Executor, city_id: UUID) -> City:
    """Return a city or raise NOT_FOUND."""
    return or_not_found(await store.get_city(db, id=city_id), "city")


async def list_page(db: Executor, wanted: ListCities) -> tuple[Sequence[City], int]:
    """Return one page of matching cities and the total count."""
    return await page_of(
        wanted,
        store.list_cities,
        db,
        sort=wanted.sql_sort,
        iso2=wanted.iso2,
        search=contains(wanted.search),
    )


async def providers_of(
    db: Executor, city_id: UUID, wanted: CursorPageQuery
) -> tuple[Sequence[ProviderLocation], Extent]:
    """Return the providers of a city, sorted by ID. Raises NOT_FOUND for an unknown city."""
    await get(db, city_id)
    return await page_or_walk_of(
        wanted,
        locations.list_locations_in_city,
        Walk(locations.walk_locations_in_city, keyset),
        db,
        city_id=city_id,
    )


async def add(db: Database, new: NewCity) -> City:
    """Create a city. Raises CONFLICT if the region has a city of this name."""
    city_id = new_id()
    with change_errors(taken=_TAKEN):
        async with db.transaction() as tx:
            await store.add_city(
                tx,
                id=city_id,
                name=new.name,
                longitude=new.location.longitude,
                latitude=new.location.latitude,
                country=new.country,
                iso2=new.iso2,
                admin_name=new.admin_name,
                capital=_kind(new.capital),
            )
            added = await get(tx, city_id)
            await _publish_event(tx, "city.created", added)
            return added


async def change(db: Database, city_id: UUID, changes: CityChange, *, version: int | None) -> City:
    """Apply a partial update. If `version` is not None, it must be the current version.

    Raises:
        AppError: NOT_FOUND; PRECONDITION_FAILED; CONFLICT if the name is in use.
    """
    with change_errors(taken=_TAKEN):
        async with db.transaction() as tx:
            before = at_version(await store.lock_city(tx, id=city_id), "city", version)
            if is_empty(changes):
                return before
            place = given(
                changes.location, Location(longitude=before.longitude, latitude=before.latitude)
            )
            await store.replace_city(
                tx,
                id=city_id,
                name=given(changes.name, before.name),
                longitude=place.longitude,
                latitude=place.latitude,
                country=given(changes.country, before.country),
                iso2=given(changes.iso2, before.iso2),
                admin_name=given(changes.admin_name, before.admin_name),
                capital=_kind(given(changes.capital, before.capital)),
            )
            after = await get(tx, city_id)
            await _publish_event(tx, "city.changed", after)
            return after


async def remove(db: Database, city_id: UUID, *, version: int | None) -> None:
    """Delete a city if `version` is current. Raises CONFLICT for a city with providers."""
    with change_errors(in_use="city is still in use"):
        async with db.transaction() as tx:
            before = at_version(await store.lock_city(tx, id=city_id), "city", version)
            await store.remove_city(tx, id=city_id)
            await _publish_event(tx, "city.removed", before)


async def _publish_event(tx: Executor, kind: str, city: City) -> None:
    await publish_change(tx, topic=TOPIC, key=city.id, kind=kind, changed=city)


def _kind(capital: Capital | CapitalKind | None) -> CapitalKind | None:
    return None if capital is None else CapitalKind(capital)
