"""Rows are returned with the fields of their view, and only with equal types."""

from __future__ import annotations

import pytest
from msgspec import Struct

from lib.resource.views import view


class Row(Struct):
    id: int
    name: str
    secret: str


class View(Struct):
    id: int
    name: str | None
    stars: float


class Stranger(Struct):
    id: str


class Stray(Struct):
    colour: str


def test_a_view_has_what_it_names_of_a_row_and_what_is_given_beside() -> None:
    assert view(View, Row(1, "first", "hidden"), stars=4.5) == View(1, "first", 4.5)
    assert view(View, Row(1, "first", "hidden"), stars=4.5, name=None) == View(1, None, 4.5)


@pytest.mark.parametrize("kind", [Stranger, Stray], ids=["type", "name"])
def test_a_field_that_is_none_of_the_row_is_refused(kind: type[Struct]) -> None:
    with pytest.raises(TypeError, match=f"{kind.__name__}."):
        view(kind, Row(1, "first", "hidden"))
