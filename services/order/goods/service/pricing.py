"""Totals of the lines of an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from lib.errors import FieldError, invalid
from services.order.ports import Held

MAX_TOTAL: Final = Decimal("999999999999.99")


@dataclass(frozen=True, slots=True)
class Price:
    """An amount and its currency."""

    total: Decimal
    currency: str


def price_of(lines: Sequence[Held]) -> Price:
    """Return the total of the lines.

    Raises:
        AppError: VALIDATION_ERROR if the lines have several currencies, or if the total is too high
            for an order.
    """
    currency = lines[0].currency
    strangers = [
        FieldError(f"lines[{index}].product_id", f"is sold in {line.currency}, not in {currency}")
        for index, line in enumerate(lines)
        if line.currency != currency
    ]
    if strangers:
        raise invalid(*strangers)
    total = sum((line.unit_price * line.quantity for line in lines), start=Decimal(0))
    if total > MAX_TOTAL:
        raise invalid(FieldError("lines", f"cost more than {MAX_TOTAL} in total"))
    return Price(total, currency)
