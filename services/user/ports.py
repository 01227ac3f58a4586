"""Interfaces to other services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

from msgspec import Meta, Struct


class PointEntry(Struct, frozen=True):
    """A ledger entry: points earned (spent if `amount` is negative) and the new balance."""

    id: UUID
    amount: int
    balance_after: int
    reason: Annotated[str, Meta(examples=["order delivered"])]
    created_at: datetime


class Points(Protocol):
    """Source of points."""

    async def of_users(self, user_ids: Sequence[UUID]) -> Mapping[UUID, int]:
        """Return the points of each user; users without points have 0.

        Raises:
            AppError: SERVICE_UNAVAILABLE, DEADLINE_EXCEEDED or CIRCUIT_OPEN where there is no
                answer; VALIDATION_ERROR for more users than may be asked for at once (1,000).
        """
        ...

    async def ledger(
        self, user_id: UUID, *, after: UUID | None, limit: int
    ) -> Sequence[PointEntry]:
        """Return up to `limit` entries of a user's ledger after `after`, oldest first.

        Raises:
            AppError: SERVICE_UNAVAILABLE, DEADLINE_EXCEEDED or CIRCUIT_OPEN where there is no
                answer.
        """
        ...


class ExportedChannel(Struct, frozen=True):  # with chat
    """A conversation, newest message first."""

    channel: Annotated[dict[str, Any], Meta(examples=[{"kind": "job"}])]
    messages: Annotated[
        list[dict[str, Any]], Meta(examples=[[{"text": "Shall I turn the water off?"}]])
    ]


class Elsewhere(Struct, frozen=True):
    """The data of the other services. `missing` lists those that did not respond."""

    points: Annotated[
        list[dict[str, Any]], Meta(examples=[[{"amount": 10, "reason": "order delivered"}]])
    ]
    orders: Annotated[
        dict[str, list[dict[str, Any]]], Meta(examples=[{"goods": [{"status": "pending"}]}])
    ]
    chats: list[ExportedChannel]  # with chat
    missing: Annotated[list[str], Meta(examples=[["order"]])]


class Others(Protocol):
    """The other services that hold data about an account."""

    async def collect(self, account_id: UUID) -> Elsewhere:
        """Return all their data about an account.

        Services that do not respond are listed by name.
        """
        ...
