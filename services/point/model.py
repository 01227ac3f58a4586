"""What a caller may ask for, and how many points a deed is worth."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final
from uuid import UUID

from lib.errors import FieldError, invalid

MAX_USERS: Final = 1_000
BEFORE_ALL: Final = UUID(int=0)
# Older clients receive a balance as an int32; the table has the same limit.
MAX_BALANCE: Final = 2_147_483_647
# Who has done a job gets this many; who pays for something one for each so much of its currency.
FOR_A_JOB_DONE: Final = 10
SPENT_PER_POINT: Final = 10


def points_for_spending(amount: Decimal) -> int:
    """Return the points of somebody who has paid `amount`; what is left of a ten counts nothing."""
    return int(amount // SPENT_PER_POINT)


def that_fit(points: int, balance: int) -> int:
    """Return how many of `points` a balance still has room for."""
    return min(points, MAX_BALANCE - balance)


def user_id(text: str) -> UUID:
    """Read the id of a user. Raises AppError(VALIDATION_ERROR) where it is not a UUID."""
    return _uuid("user_id", text)


def user_ids(texts: Sequence[str]) -> dict[str, UUID]:
    """Read the ids of up to 1,000 users, each under its own spelling.

    Raises:
        AppError: VALIDATION_ERROR naming every id that is none, or the list that is too long.
    """
    if len(texts) > MAX_USERS:
        raise invalid(FieldError("user_ids", f"has {len(texts)} ids; {MAX_USERS} are the most"))
    found: dict[str, UUID] = {}
    wrong: list[FieldError] = []
    for position, text in enumerate(texts):
        try:
            found[text] = UUID(text)
        except ValueError:
            wrong.append(FieldError(f"user_ids[{position}]", "is not a UUID"))
    if wrong:
        raise invalid(*wrong)
    return found


def after_id(text: str) -> UUID:
    """Read the id of the last entry already seen; empty means from the beginning."""
    return _uuid("after_id", text) if text else BEFORE_ALL


def _uuid(field: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise invalid(FieldError(field, "is not a UUID")) from None
