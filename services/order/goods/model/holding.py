"""Limits on the stock that one customer's unconfirmed orders may hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Final

# The greatest stock that the product service takes.
_MOST: Final = 2_000_000_000
_ENTRY: Final = re.compile(r"([A-Z]{3}|[*]):([0-9]{1,12}([.][0-9]{1,2})?)")
OTHERS: Final = "*"


def parse_values(text: str) -> dict[str, Decimal]:
    """Parse the amounts per currency in `EUR:20000,*:10000`. `*` is for all other currencies.

    Raises:
        ValueError: if an entry does not have this form, a currency is repeated, or the entry `*` is
            missing.
    """
    found: dict[str, Decimal] = {}
    for entry in (part.strip() for part in text.split(",")):
        match = _ENTRY.fullmatch(entry)
        if match is None:
            raise ValueError(f"`{entry}` is not currency:amount, such as EUR:20000")
        if match[1] in found:
            raise ValueError(f"{match[1]} is given twice")
        found[match[1]] = Decimal(match[2])
    if OTHERS not in found:
        raise ValueError(f"the entry {OTHERS}:amount for all other currencies is missing")
    return found


@dataclass(frozen=True, slots=True)
class HoldingLimits:
    """Limits on a customer's unconfirmed orders: a fraction of the stock, and an amount of money.

    `share` is the fraction of a product's available stock, from 0 to 1. `values` is an amount per
    currency.
    """

    share: float
    values: Mapping[str, Decimal]

    def min_stock(self, quantity: int, held: int) -> int:
        """Return the stock that must be available for an order of `quantity`.

        The ordered quantity plus the quantity `held` in the customer's unconfirmed orders must not
        exceed the fraction `share` of this stock. A first unit of a product is always allowed.
        """
        wanted = quantity + held
        if wanted <= 1:
            return wanted
        return min(_MOST, ceil(Fraction(wanted) / Fraction(self.share)))

    def value(self, currency: str) -> Decimal:
        """Return the maximum total of a customer's unconfirmed orders in a currency."""
        return self.values.get(currency, self.values[OTHERS])
