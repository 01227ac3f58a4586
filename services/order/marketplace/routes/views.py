"""Response types: a location is an object with coordinates, and a rating is a number."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from lib.resource.views import ReaderView, view
from services.order.marketplace.model.box import rounded
from services.order.marketplace.model.caller import Caller
from services.order.marketplace.model.places import Location
from services.order.marketplace.store.locations import NearestLocationsRow
from services.order.marketplace.store.models import (
    CapitalKind,
    City,
    ProviderLocation,
    Review,
    ReviewSide,
    ServiceOrder,
    ServiceOrderStatus,
)


class CityView(Struct, frozen=True):
    """A city."""

    id: UUID
    name: str
    location: Location
    country: str
    iso2: str
    admin_name: str | None
    capital: CapitalKind | None
    version: int
    created_at: datetime
    updated_at: datetime


class ProviderLocationView(ReaderView, frozen=True):
    """The workplace of a provider.

    `distance_km` is the distance from the coordinates in the query. `location` is exact for the
    provider, the staff and customers who have an active job with the provider. For other callers,
    `location` and `distance_km` are rounded to about 1 km, and `address` is absent.
    """

    provider_id: UUID
    city_id: UUID
    location: Location
    version: int
    created_at: datetime
    updated_at: datetime
    address: str | UnsetType = UNSET
    distance_km: float | UnsetType = UNSET


class ServiceOrderView(ReaderView, frozen=True):
    """A service order.

    `distance_km` is the distance from the coordinates in the query. `location` is exact for the
    customer of the order, the staff and the verified provider whose offer was accepted. For other
    callers, `location` and `distance_km` are rounded to about 1 km.
    """

    id: UUID
    customer_id: UUID
    service_id: UUID
    location: Location
    time_start: datetime
    time_end: datetime
    description: str
    status: ServiceOrderStatus
    version: int
    created_at: datetime
    updated_at: datetime
    distance_km: float | UnsetType = UNSET


class ReviewView(ReaderView, frozen=True, gc=False):
    """A review of one party of a job by the other party.

    `job_id` and `customer_id` are included only for the two parties, staff and moderators.
    """

    id: UUID
    side: ReviewSide
    provider_id: UUID
    rating: float
    comment: str
    version: int
    created_at: datetime
    updated_at: datetime
    job_id: UUID | UnsetType = UNSET
    customer_id: UUID | UnsetType = UNSET


def view_of_city(row: City) -> CityView:
    """Convert a city to its response type."""
    return view(CityView, row, location=_place(row, exact=True))


def view_of_location(
    row: ProviderLocation, *, exact: bool, distance_km: float | UnsetType = UNSET
) -> ProviderLocationView:
    """Convert a workplace to its response type. The location is rounded unless `exact` is true."""
    return view(
        ProviderLocationView,
        row,
        location=_place(row, exact=exact),
        address=row.address if exact else UNSET,
        distance_km=distance_km,
    )


def view_of_nearest(row: NearestLocationsRow, caller: Caller) -> ProviderLocationView:
    """Convert a search result to its response type, with the distance rounded to 0.001 km."""
    place = row.provider_location
    exact = caller.may_see_of(place.provider_id)
    return view_of_location(place, exact=exact, distance_km=round(row.distance_km, 3))


def view_of_order(
    row: ServiceOrder, *, exact: bool, distance_km: float | UnsetType = UNSET
) -> ServiceOrderView:
    """Convert an order to its response type. The location is rounded unless `exact` is true."""
    return view(ServiceOrderView, row, location=_place(row, exact=exact), distance_km=distance_km)


def view_of_review(row: Review, caller: Caller) -> ReviewView:
    """Convert a review to its response type. Public reviews do not identify the customer."""
    knows = caller.moderates or caller.may_see_of(row.customer_id, row.provider_id)
    return view(
        ReviewView,
        row,
        rating=float(row.rating),
        job_id=row.job_id if knows else UNSET,
        customer_id=row.customer_id if knows else UNSET,
    )


def _place(row: City | ProviderLocation | ServiceOrder, *, exact: bool) -> Location:
    if exact:
        return Location(longitude=row.longitude, latitude=row.latitude)
    return Location(longitude=rounded(row.longitude), latitude=rounded(row.latitude))
