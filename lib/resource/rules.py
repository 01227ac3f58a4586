"""What most use cases begin with, and the refusals they share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from lib.db.errors import ForeignKeyViolationError, UniqueViolationError
from lib.errors import AppError, Code, not_found

T = TypeVar("T")


def or_not_found(thing: T | None, noun: str) -> T:
    """Return the thing or raise NOT_FOUND."""
    if thing is None:
        raise not_found(noun)
    return thing


def check_version(seen: int | None, present: int) -> None:
    """Raise PRECONDITION_FAILED where the caller insists on another version."""
    if seen is not None and seen != present:
        raise stale()


def stale() -> AppError:
    """Return the error for a version that is no longer the current one."""
    return AppError(Code.PRECONDITION_FAILED, "the version in If-Match is not the current one")


def conflict(message: str) -> AppError:
    """Return the error for what cannot be done as things are."""
    return AppError(Code.CONFLICT, message)


@contextmanager
def change_errors(
    *, taken: str | None = None, in_use: str | None = None, parent: str | None = None
) -> Iterator[None]:
    """Say what the database refuses in the words of the resource.

    Args:
        taken: the CONFLICT of a value that is there already.
        in_use: the CONFLICT of a row that others refer to.
        parent: the noun of the row referred to, where it is NOT_FOUND.
    """
    try:
        yield
    except UniqueViolationError as error:
        if taken is None:
            raise
        raise conflict(taken) from error
    except ForeignKeyViolationError as error:
        if parent is not None:
            raise not_found(parent) from error
        if in_use is None:
            raise
        raise conflict(in_use) from error
