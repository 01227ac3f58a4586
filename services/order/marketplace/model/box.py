"""Bounding boxes around a point on the globe, which a database index can search."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, cos, degrees, radians, sin
from typing import Final

EARTH_KM: Final = 6371.0088  # mean radius, as in the schema's great_circle_km
# The greatest distance between a place and the same place rounded.
ROUNDING_KM: Final = 0.8
# Degrees, some ten metres: rounding must not leave out what is at the very edge.
_MARGIN: Final = 0.0001


@dataclass(frozen=True, slots=True)
class Boxes:
    """Two boxes in degrees, which are equal or lie on either side of the 180° meridian."""

    south: float
    north: float
    west: float
    east: float
    other_west: float
    other_east: float


def rounded(degrees_: float) -> float:
    """Return a coordinate rounded to 0.01 degrees, about 1 km, as the SQL queries round."""
    return round(degrees_ * 100) / 100


def around(longitude: float, latitude: float, radius_km: float) -> Boxes:
    """Return boxes that contain all points within `radius_km` of the coordinates."""
    angle = radius_km / EARTH_KM
    south = latitude - degrees(angle) - _MARGIN
    north = latitude + degrees(angle) + _MARGIN
    if south <= -90 or north >= 90:
        # A pole is inside: so is every longitude.
        return Boxes(max(south, -90.0), min(north, 90.0), -180.0, 180.0, -180.0, 180.0)
    width = degrees(asin(min(1.0, sin(angle) / cos(radians(latitude))))) + _MARGIN
    west, east = longitude - width, longitude + width
    if west < -180:
        return Boxes(south, north, -180.0, east, west + 360, 180.0)
    if east > 180:
        return Boxes(south, north, west, 180.0, -180.0, east - 360)
    return Boxes(south, north, west, east, west, east)
