"""Common checks at the start of a use case, and their errors."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from lib.db.errors import ForeignKeyViolationError, UniqueViolationError
from lib.errors import AppError, Code, FieldError, invalid, not_found

T = TypeVar("T")


class Versioned(Protocol):
    """A row with a version."""

    @property
    def version(self) -> int: ...  # noqa: D102 - its name says it


V = TypeVar("V", bound=Versioned)


def or_not_found(thing: T | None, noun: str) -> T:
    """Return `thing`, or raise NOT_FOUND if it is None."""
    if thing is None:
        raise not_found(noun)
    return thing


def check_version(seen: int | None, present: int) -> None:
    """Raise PRECONDITION_FAILED if the caller requires another version."""
    if seen is not None and seen != present:
        raise stale()


def at_version(row: V | None, noun: str, seen: int | None) -> V:
    """Return `row`; raise NOT_FOUND if it is None. Check its version as `check_version` does."""
    found = or_not_found(row, noun)
    check_version(seen, found.version)
    return found


def stale() -> AppError:
    """Return the error for an outdated version."""
    return AppError(Code.PRECONDITION_FAILED, "the version in If-Match is not the current version")


def conflict(message: str) -> AppError:
    """Return the error for an operation that the current state does not allow."""
    return AppError(Code.CONFLICT, message)


def check_distinct(values: Iterable[Hashable], field: str, message: str) -> None:
    """Raise VALIDATION_ERROR that names every repeated value.

    `field` is the path of a value, with `{}` for its index, such as `lines[{}].product_id`.
    """
    seen: set[Hashable] = set()
    problems = []
    for index, value in enumerate(values):
        if value in seen:
            problems.append(FieldError(field.format(index), message))
        seen.add(value)
    if problems:
        raise invalid(*problems)


@contextmanager
def change_errors(
    *, taken: str | None = None, in_use: str | None = None, parent: str | None = None
) -> Iterator[None]:
    """Translate a constraint violation of the database to an error of the resource.

    Args:
        taken: the CONFLICT message if the value already exists.
        in_use: the CONFLICT message if other rows refer to the row.
        parent: the noun for the NOT_FOUND message if the referenced row does not exist.
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
