"""Workplaces of providers, and the search for providers nearby."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from msgspec import UNSET

from lib.db import Database, Executor
from lib.resource.input import is_empty
from lib.resource.rules import at_version, change_errors, or_not_found
from services.order.marketplace.model.box import ROUNDING_KM, around
from services.order.marketplace.model.caller import Caller
from services.order.marketplace.model.places import (
    Location,
    Nearest,
    NewProviderLocation,
    ProviderLocationChange,
)
from services.order.marketplace.service import cities
from services.order.marketplace.store import jobs
from services.order.marketplace.store import locations as store
from services.order.marketplace.store.locations import NearestLocationsRow
from services.order.marketplace.store.models import ProviderLocation

_NOUN = "provider location"


async def get(db: Executor, provider_id: UUID) -> ProviderLocation:
    """Return the workplace of a provider. Raises NOT_FOUND."""
    return or_not_found(await store.get_location(db, provider_id=provider_id), _NOUN)


async def may_know_place(db: Executor, provider_id: UUID, caller: Caller) -> bool:
    """Return whether the caller may see the exact workplace of a provider.

    The provider and the staff may see it, and a customer who has an active job with the provider.
    """
    if caller.may_see_of(provider_id):
        return True
    if caller.id is None or not caller.verified:
        return False
    return await jobs.has_job_under_way(db, customer_id=caller.id, provider_id=provider_id)


async def nearest(db: Executor, wanted: Nearest) -> Sequence[NearestLocationsRow]:
    """Return the nearest providers within the radius, with distances in kilometres.

    The radius and the distances refer to the rounded locations, because most callers see only
    these.
    """
    boxes = around(wanted.longitude, wanted.latitude, wanted.radius_km + ROUNDING_KM)
    return await store.nearest_locations(
        db,
        longitude=wanted.longitude,
        latitude=wanted.latitude,
        **asdict(boxes),
        radius_km=wanted.radius_km,
        wanted=wanted.limit,
    )


async def add(db: Database, provider_id: UUID, new: NewProviderLocation) -> ProviderLocation:
    """Set the workplace of a provider.

    Raises:
        AppError: NOT_FOUND if the city does not exist; CONFLICT if the provider already has a
            workplace.
    """
    with change_errors(taken="the provider already has a location", parent="city"):
        async with db.transaction() as tx:
            place = new.location or await _middle_of(tx, new.city_id)
            await store.add_location(
                tx,
                provider_id=provider_id,
                city_id=new.city_id,
                longitude=place.longitude,
                latitude=place.latitude,
                address=new.address,
            )
            return await get(tx, provider_id)


async def change(
    db: Database, provider_id: UUID, changes: ProviderLocationChange, *, version: int | None
) -> ProviderLocation:
    """Apply a partial update. If `version` is not None, it must be the current version.

    Raises:
        AppError: NOT_FOUND, also for the city; PRECONDITION_FAILED.
    """
    with change_errors(parent="city"):
        async with db.transaction() as tx:
            locked = await store.lock_location(tx, provider_id=provider_id)
            before = at_version(locked, _NOUN, version)
            if is_empty(changes):
                return before
            place = await _place_after(tx, before, changes)
            await store.change_location(
                tx,
                provider_id=provider_id,
                city_id=before.city_id if changes.city_id is UNSET else changes.city_id,
                longitude=place.longitude,
                latitude=place.latitude,
                address=before.address if changes.address is UNSET else changes.address,
            )
            return await get(tx, provider_id)


async def _place_after(
    tx: Executor, before: ProviderLocation, changes: ProviderLocationChange
) -> Location:
    if changes.location is not UNSET:
        return changes.location
    if changes.city_id is not UNSET and changes.city_id != before.city_id:
        return await _middle_of(tx, changes.city_id)
    return Location(longitude=before.longitude, latitude=before.latitude)


async def _middle_of(tx: Executor, city_id: UUID) -> Location:
    city = await cities.get(tx, city_id)
    return Location(longitude=city.longitude, latitude=city.latitude)
