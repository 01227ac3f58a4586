"""Request types for offers: a price and a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from lib.errors import FieldError, invalid
from lib.resource.input import Input
from lib.texts import END
from services.order.marketplace.model.currencies import CurrencyCode
from services.order.marketplace.model.orders import Moment

MAX_OPEN_OFFERS: Final = 500  # of one provider

# Money travels as text: a float would change it.
OfferPrice = Annotated[
    str,
    Meta(
        examples=["85.00"],
        pattern=rf"^[0-9]{{1,10}}([.][0-9]{{1,2}})?{END}",
        description="a positive amount with up to two decimals, as a string",
        extra={"message": "must be a positive amount such as 12.50"},
    ),
]


class NewOffer(Input, frozen=True, kw_only=True):
    """An offer to create. `book_time` must lie within the time window of the order."""

    order_id: UUID
    price: OfferPrice
    currency_id: UUID
    book_time: Moment


class OfferChange(Input, frozen=True, kw_only=True):
    """A partial update: omitted fields keep their values."""

    price: OfferPrice | UnsetType = UNSET
    currency_id: UUID | UnsetType = UNSET
    book_time: Moment | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class Agreed:
    """The accepted price: an amount and the code of its currency."""

    price: Decimal
    currency: str


class AcceptedOffer(Input, frozen=True, kw_only=True):
    """The offer to accept, which creates a job.

    Send the offer's `ETag` in `If-Match`, or the offer's price and currency in the body.
    """

    offer_id: UUID
    price: OfferPrice | None = None
    currency: CurrencyCode | None = None

    def agreed(self) -> Agreed | None:
        """Return the accepted price, or None if the body has none.

        Raises:
            AppError: VALIDATION_ERROR for a price without a currency, or a currency without a
                price.
        """
        if self.price is None and self.currency is None:
            return None
        if self.price is None:
            raise invalid(FieldError("price", "is required if the request has a currency"))
        if self.currency is None:
            raise invalid(FieldError("currency", "is required if the request has a price"))
        return Agreed(amount(self.price), self.currency)


def amount(price: str) -> Decimal:
    """Return a price as a number.

    Raises:
        AppError: VALIDATION_ERROR for a price of zero.
    """
    found = Decimal(price)
    if not found:
        raise invalid(FieldError("price", "must be more than 0"))
    return found


def check_book_time(book_time: datetime, *, start: datetime, end: datetime, now: datetime) -> None:
    """Refuse a time in the past or outside the order's time window.

    Raises:
        AppError: VALIDATION_ERROR for such a time.
    """
    if not start <= book_time <= end:
        raise invalid(FieldError("book_time", "must be within the time window of the order"))
    if book_time <= now:
        raise invalid(FieldError("book_time", "must be in the future"))
