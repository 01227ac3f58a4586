"""Parse the IDs in requests, and compute the points for a payment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final
from uuid import UUID

from lib.errors import FieldError, invalid

MAX_USERS: Final = 1_000
_RATE: Final = re.compile(r"[A-Z]{3}:[0-9]{1,6}([.][0-9]{1,8})?")
# Only roughly right, and on the safe side: what is not here is worth nothing.
RATES: Final = "EUR:1,USD:0.9,GBP:1.15,CHF:1.05,PLN:0.23,CZK:0.04,GEL:0.32"
BEFORE_ALL: Final = UUID(int=0)
# Older clients receive a balance as an int32; the table has the same limit.
MAX_BALANCE: Final = 2_147_483_647
# Who has done a job gets this many; who pays for something one for each so much of its currency.
FOR_A_JOB_DONE: Final = 10
SPENT_PER_POINT: Final = 10
# Prices are what two people agree on, and both may be one: no deed is worth more than this,
# nor a day, nor do the same two earn more often together.
PER_AWARD: Final = 500
PER_DAY: Final = 2_000
PER_PAIR: Final = 3
DAY_SECONDS: Final = 86_400.0
PAIR_SECONDS: Final = 30 * DAY_SECONDS


def points_for_spending(amount: Decimal) -> int:
    """Return the points for a payment of `amount`: one point for each full 10 units."""
    return int(amount // SPENT_PER_POINT)


def parse_rates(text: str) -> dict[str, Decimal]:
    """Parse `USD:0.9,GBP:1.15` into the value of one unit of each currency.

    Raises:
        ValueError: if an entry is invalid; the message names the entry.
    """
    rates: dict[str, Decimal] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        code, _, rate = entry.partition(":")
        if not _RATE.fullmatch(entry) or code in rates or not Decimal(rate):
            raise ValueError(f"{entry} must be currency:rate, such as USD:0.9, once per currency")
        rates[code] = Decimal(rate)
    return rates


def that_fit(points: int, balance: int) -> int:
    """Return how many of the points can be added before the balance reaches its maximum."""
    return min(points, MAX_BALANCE - balance)


def user_id(text: str) -> UUID:
    """Parse a user ID. Raises AppError(VALIDATION_ERROR) for an invalid ID."""
    return _uuid("user_id", text)


def user_ids(texts: Sequence[str]) -> dict[str, UUID]:
    """Parse up to 1,000 user IDs, each keyed by its original spelling.

    Raises:
        AppError: VALIDATION_ERROR, which names every invalid ID, or the list if it is too long.
    """
    if len(texts) > MAX_USERS:
        raise invalid(FieldError("user_ids", f"has {len(texts)} ids; the maximum is {MAX_USERS}"))
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
    """Parse the ID of the last seen entry. An empty ID means the start of the ledger."""
    return _uuid("after_id", text) if text else BEFORE_ALL


def _uuid(field: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise invalid(FieldError(field, "is not a UUID")) from None
