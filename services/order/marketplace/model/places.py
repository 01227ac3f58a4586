"""Request types for cities and for the workplaces of providers."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import force_setattr

from lib.resource.input import Input, Query
from lib.texts import one_line
from services.order.marketplace.model.texts import Address, PlaceName

MAX_RADIUS_KM: Final = 500.0

Longitude = Annotated[float, Meta(examples=[13.405], ge=-180, le=180, description="degrees east")]
Latitude = Annotated[float, Meta(examples=[52.52], ge=-90, le=90, description="degrees north")]
RadiusKm = Annotated[float, Meta(ge=0.1, le=MAX_RADIUS_KM, description="kilometres")]
Iso2 = Annotated[
    str,
    Meta(
        examples=["DE"],
        min_length=2,
        max_length=2,
        pattern="^[A-Z]{2}$",
        description="ISO 3166-1",
        extra={"message": "must be a country code such as DE"},
    ),
]
Country = Annotated[PlaceName, Meta(examples=["Germany"])]
AdminName = Annotated[PlaceName, Meta(examples=["Brandenburg"])]
Capital: TypeAlias = Literal["PRIMARY", "ADMIN", "MINOR"]


class Location(Input, frozen=True, kw_only=True):
    """Coordinates on the map."""

    longitude: Longitude
    latitude: Latitude


class _Tidy(Input, frozen=True, kw_only=True):
    """Collapse spaces in one-line texts when a request is decoded."""

    def __post_init__(self) -> None:
        for field in ("name", "country", "admin_name", "address"):
            given = getattr(self, field, None)
            if isinstance(given, str):
                force_setattr(self, field, one_line(given))


class NewCity(_Tidy, frozen=True, kw_only=True):
    """A city to create.

    `capital` is `PRIMARY` for the capital of a country, `ADMIN` for the capital of a region, and
    `MINOR` for the capital of a smaller area.
    """

    name: PlaceName
    location: Location
    country: Country
    iso2: Iso2
    admin_name: AdminName | None = None
    capital: Capital | None = None


class CityChange(_Tidy, frozen=True, kw_only=True):
    """A partial update: omitted fields keep their values, and null removes a value."""

    name: PlaceName | UnsetType = UNSET
    location: Location | UnsetType = UNSET
    country: Country | UnsetType = UNSET
    iso2: Iso2 | UnsetType = UNSET
    admin_name: AdminName | UnsetType | None = UNSET
    capital: Capital | UnsetType | None = UNSET


class NewProviderLocation(_Tidy, frozen=True, kw_only=True):
    """The workplace of a provider. The default `location` is the center of the city."""

    city_id: UUID
    address: Address
    location: Location | None = None


class ProviderLocationChange(_Tidy, frozen=True, kw_only=True):
    """A partial update.

    If the request has a new city but no `location`, the location is the center of the new city.
    """

    city_id: UUID | UnsetType = UNSET
    address: Address | UnsetType = UNSET
    location: Location | UnsetType = UNSET


class Nearest(Query, frozen=True, kw_only=True):
    """The center and the radius of a search for providers."""

    longitude: Longitude
    latitude: Latitude
    radius_km: RadiusKm = 25.0
    limit: Annotated[int, Meta(ge=1, le=100, description="maximum number of results")] = 20
