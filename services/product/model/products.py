"""Request types for products."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from lib.resource.input import Input
from lib.resource.lists import CursorListQuery, orders_of
from lib.texts import BLANK, END, NOT_BLANK

MAX_STOCK: Final = 1_000_000_000
MAX_PRICE: Final = Decimal("9999999999.99")

Name = Annotated[
    str, Meta(examples=["Desk lamp"], min_length=1, max_length=255, pattern=NOT_BLANK, extra=BLANK)
]
Description = Annotated[
    str, Meta(examples=["Bright, and turns in every direction."], max_length=4000)
]
# Money travels as text: a float would change it.
Price = Annotated[
    str,
    Meta(
        examples=["12.50"],
        pattern=rf"^[0-9]{{1,10}}([.][0-9]{{1,2}})?{END}",
        description="an amount with up to two decimals, as a string",
        extra={"message": "must be an amount such as 12.50"},
    ),
]
Currency = Annotated[
    str,
    Meta(
        examples=["EUR"],
        min_length=3,
        max_length=3,
        pattern=r"^[A-Z]{3}$",
        description="ISO 4217",
        extra={"message": "must be a currency code such as EUR"},
    ),
]
Stock = Annotated[
    int, Meta(ge=0, le=MAX_STOCK, description="quantity in stock that is not reserved")
]


class SaleStatus(StrEnum):
    """The availability of a product."""

    ACTIVE = "active"
    INACTIVE = "inactive"


class ListProducts(CursorListQuery, frozen=True, kw_only=True):
    """The query parameters of the list of products. `search` matches names and descriptions."""

    order_by: Annotated[Literal["name", "price", "created_at"], orders_of("products")] = "name"
    search: Annotated[str, Meta(max_length=255, examples=["lamp"])] | None = None
    currency: Currency | None = None
    min_price: Price | None = None
    max_price: Price | None = None
    in_stock: Annotated[bool, Meta(description="only products that are in stock")] = False
    status: SaleStatus = SaleStatus.ACTIVE


class NewProduct(Input, frozen=True, kw_only=True):
    """A product to create. The currency of a product cannot be changed later."""

    name: Name
    description: Description = ""
    price: Price
    currency: Currency
    stock: Stock = 0
    status: SaleStatus = SaleStatus.ACTIVE


class ProductChange(Input, frozen=True, kw_only=True):
    """A partial update: omitted fields keep their values."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    price: Price | UnsetType = UNSET
    stock: Stock | UnsetType = UNSET
    status: SaleStatus | UnsetType = UNSET
