"""Base types of inputs: bodies, query strings and partial updates."""

from __future__ import annotations

from typing import TypeVar

from msgspec import UNSET, Struct, UnsetType

T = TypeVar("T")


class Input(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request body. An unknown field is an error, because it is probably misspelled."""


class Query(Struct, frozen=True, kw_only=True):
    """A query string. Unknown parameters are ignored, and an empty value counts as absent.

    A parameter that legacy systems use under another name is refused. If it were ignored, the
    client would get a page that it did not request.
    """


def given(value: T | UnsetType, before: T) -> T:
    """Return the value of a field after a partial update."""
    return before if value is UNSET else value


def is_empty(changes: Struct) -> bool:
    """Return whether a partial update has no fields."""
    return all(getattr(changes, name) is UNSET for name in changes.__struct_fields__)


def changes_nothing(before: object, changes: Struct) -> bool:
    """Return whether every field in the update equals its current value in `before`."""
    named = ((name, getattr(changes, name)) for name in changes.__struct_fields__)
    return all(value is UNSET or value == getattr(before, name) for name, value in named)
