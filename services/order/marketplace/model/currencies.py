"""Request types for currencies."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import force_setattr

from lib.resource.input import Input
from lib.texts import one_line
from services.order.marketplace.model.texts import Currency, Symbol

CurrencyCode = Annotated[
    str,
    Meta(
        examples=["CHF"],
        min_length=3,
        max_length=3,
        pattern="^[A-Z]{3}$",
        description="ISO 4217",
        extra={"message": "must be a currency code such as EUR"},
    ),
]


class _Tidy(Input, frozen=True, kw_only=True):
    """Collapse spaces in names when a request is decoded."""

    def __post_init__(self) -> None:
        for field in ("currency", "symbol"):
            given = getattr(self, field)
            if isinstance(given, str):
                force_setattr(self, field, one_line(given))


class NewCurrency(_Tidy, frozen=True, kw_only=True):
    """A currency to create. `currency` is its name."""

    currency: Currency
    code: CurrencyCode
    symbol: Symbol


class CurrencyChange(_Tidy, frozen=True, kw_only=True):
    """A partial update: omitted fields keep their values."""

    currency: Currency | UnsetType = UNSET
    code: CurrencyCode | UnsetType = UNSET
    symbol: Symbol | UnsetType = UNSET
