"""The life of an order of goods: which status may follow which, and who may say so."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Status(StrEnum):
    """How far an order has come."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


_NEXT: Final[Mapping[Status, frozenset[Status]]] = {
    Status.PENDING: frozenset({Status.CONFIRMED, Status.CANCELLED}),
    Status.CONFIRMED: frozenset({Status.SHIPPED, Status.CANCELLED}),
    Status.SHIPPED: frozenset({Status.DELIVERED}),
    Status.DELIVERED: frozenset(),
    Status.CANCELLED: frozenset(),
}


def may_follow(before: Status, after: Status) -> bool:
    """Whether an order may go from one status to the other; none follows itself."""
    return after in _NEXT[before]


def may_be_removed(status: Status) -> bool:
    """Whether an order may disappear: not while it is on its way to somebody."""
    return status is not Status.SHIPPED
