"""All places within a radius are inside the boxes, everywhere on the globe."""

from __future__ import annotations

from math import asin, atan2, cos, degrees, radians, sin, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.order.marketplace.model.box import EARTH_KM, Boxes, around

longitudes = st.floats(-180, 180)
latitudes = st.floats(-90, 90)
radii = st.floats(0.1, 500)


def kilometres(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Return the great-circle distance between two points (longitude, latitude)."""
    (lon_a, lat_a), (lon_b, lat_b) = a, b
    half_lat, half_lon = radians(lat_b - lat_a) / 2, radians(lon_b - lon_a) / 2
    chord = sin(half_lat) ** 2 + cos(radians(lat_a)) * cos(radians(lat_b)) * sin(half_lon) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(chord)))


def away(place: tuple[float, float], bearing: float, distance: float) -> tuple[float, float]:
    """Return the place at a distance in a direction, with a longitude from -180 to 180."""
    longitude, latitude = (radians(part) for part in place)
    angle, course = distance / EARTH_KM, radians(bearing)
    sine = sin(latitude) * cos(angle) + cos(latitude) * sin(angle) * cos(course)
    there = asin(max(-1.0, min(1.0, sine)))
    east = atan2(sin(course) * sin(angle) * cos(latitude), cos(angle) - sin(latitude) * sin(there))
    return (degrees(longitude + east) + 540) % 360 - 180, degrees(there)


def holds(boxes: Boxes, place: tuple[float, float]) -> bool:
    longitude, latitude = place
    return boxes.south <= latitude <= boxes.north and (
        boxes.west <= longitude <= boxes.east or boxes.other_west <= longitude <= boxes.other_east
    )


@settings(max_examples=4 * settings().max_examples)
@given(longitudes, latitudes, radii, st.floats(0, 360), st.floats(0, 1))
def test_what_is_within_the_radius_is_in_a_box(longitude, latitude, radius, bearing, share) -> None:
    place = (longitude, latitude)
    other = away(place, bearing, radius * share)
    assert holds(around(longitude, latitude, radius), other), (place, other, radius)


@given(longitudes, st.floats(-80, 80), radii)
def test_boxes_are_not_much_larger_than_the_radius(longitude, latitude, radius) -> None:
    boxes = around(longitude, latitude, radius)
    assert boxes.north - boxes.south < 2 * degrees(radius / EARTH_KM) + 0.001
    width = boxes.east - boxes.west
    if (boxes.west, boxes.east) != (boxes.other_west, boxes.other_east):
        width += boxes.other_east - boxes.other_west
    edge = cos(radians(min(abs(latitude) + degrees(radius / EARTH_KM), 89)))
    assert width < 2 * degrees(radius / EARTH_KM) / edge + 0.001


@pytest.mark.parametrize(
    ("place", "radius", "inside"),
    [
        ((179.9, 0), 50, (-179.9, 0)),
        ((-179.9, 0), 50, (179.9, 0)),
        ((180, 10), 1, (-180, 10)),
        ((0, 89.9), 50, (180, 89.9)),
        ((0, -90), 1, (123, -90)),
        ((10, 90), 0.1, (-170, 90)),
        ((0, 89), 111.5, (90, 89.99)),
    ],
)
def test_the_date_line_and_the_poles_are_places_like_others(place, radius, inside) -> None:
    assert kilometres(place, inside) <= radius
    assert holds(around(*place, radius), inside)
