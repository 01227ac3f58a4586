"""Query parameters of the marketplace lists."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta

from lib.errors import FieldError, invalid
from lib.resource.lists import CursorListQuery, ListQuery, orders_of
from lib.texts import END
from services.order.marketplace.model.places import Iso2, Location, RadiusKm
from services.order.marketplace.store.models import JobStatus, OfferStatus, ServiceOrderStatus

Search = Annotated[str, Meta(examples=["e"], max_length=100)]
Near = Annotated[
    str,
    Meta(
        examples=["13.405,52.52"],
        pattern=rf"^-?[0-9]{{1,3}}(\.[0-9]{{1,10}})?,-?[0-9]{{1,2}}(\.[0-9]{{1,10}})?{END}",
        max_length=40,
        description="longitude,latitude",
        extra={"message": "must be longitude,latitude such as 13.4,52.5"},
    ),
]


class Direction(StrEnum):
    """The reviews to list: reviews about a user or reviews written by the user."""

    RECEIVED = "received"
    WRITTEN = "written"


class ListCurrencies(ListQuery, frozen=True, kw_only=True):
    """Filters of the list of currencies. `search` matches codes and names."""

    order_by: Annotated[Literal["code", "created_at"], orders_of("currencies")] = "code"
    search: Search | None = None


class ListCities(ListQuery, frozen=True, kw_only=True):
    """Filters of the list of cities. `search` matches names."""

    order_by: Annotated[Literal["name", "created_at"], orders_of("cities")] = "name"
    search: Search | None = None
    iso2: Iso2 | None = None


class ListOrdersOf(CursorListQuery, frozen=True, kw_only=True):
    """Filters of the service orders of one customer."""

    order_by: Annotated[Literal["created_at", "time_start"], orders_of("service orders")] = (
        "created_at"
    )
    status: ServiceOrderStatus | None = None
    service_id: UUID | None = None


class ListServiceOrders(ListOrdersOf, frozen=True, kw_only=True):
    """Filters of service orders. `near` lists open orders within `radius_km`, nearest first."""

    near: Near | None = None
    radius_km: RadiusKm = 25.0

    def place(self) -> Location | None:
        """Return the coordinates in `near`.

        Raises:
            AppError: VALIDATION_ERROR if the coordinates are outside the globe, or if the request
                has a cursor, because the order of a cursor is not the order of distances.
        """
        if self.near is None:
            return None
        if self.cursor is not UNSET:
            raise invalid(FieldError("cursor", "cannot be combined with near"))
        longitude, latitude = (float(part) for part in self.near.split(","))
        if abs(longitude) > 180 or abs(latitude) > 90:
            raise invalid(FieldError("near", "must be valid coordinates"))
        return Location(longitude=longitude, latitude=latitude)


class ListOffers(CursorListQuery, frozen=True, kw_only=True):
    """Filters of the offers for one order, or of the offers by one provider."""

    order_by: Annotated[Literal["created_at", "price"], orders_of("offers")] = "created_at"
    status: OfferStatus | None = None


class ListJobs(CursorListQuery, frozen=True, kw_only=True):
    """Filters of the jobs of a customer or provider."""

    order_by: Annotated[Literal["created_at", "book_time"], orders_of("jobs")] = "created_at"
    status: JobStatus | None = None


class ListReviews(CursorListQuery, frozen=True, kw_only=True):
    """Filters of the reviews about a user, or written by the user."""

    order_by: Annotated[Literal["created_at", "rating"], orders_of("reviews")] = "created_at"
    direction: Direction = Direction.RECEIVED
