"""What most use cases begin with: the thing is there, and it is the version the caller has seen."""

from __future__ import annotations

from typing import TypeVar

from msgspec import UNSET, Struct, UnsetType

from lib.errors import AppError, Code, not_found
from lib.http.etag import stale

T = TypeVar("T")


def found(thing: T | None, noun: str) -> T:
    """Return the thing or raise NOT_FOUND."""
    if thing is None:
        raise not_found(noun)
    return thing


def check_version(seen: int | None, present: int) -> None:
    """Raise PRECONDITION_FAILED where the caller insists on another version."""
    if seen is not None and seen != present:
        raise stale()


def given(value: T | UnsetType, before: T) -> T:
    """Return a value after a partial change."""
    return before if value is UNSET else value


def conflict(message: str) -> AppError:
    """Return the error for what cannot be done as things are."""
    return AppError(Code.CONFLICT, message)


def is_empty(changes: Struct) -> bool:
    """Whether a partial change gives nothing."""
    return all(getattr(changes, name) is UNSET for name in changes.__struct_fields__)
