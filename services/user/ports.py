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
            AppError: SERVICE_UNAVAILABLE, DEADLINE_EXCEEDED or CIRCUIT_OPEN if there is no
                response; VALIDATION_ERROR for more than 1,000 users.
        """
        ...

    async def ledger(
        self, user_id: UUID, *, after: UUID | None, limit: int
    ) -> Sequence[PointEntry]:
        """Return up to `limit` entries of a user's ledger after `after`, oldest first.

        Raises:
            AppError: SERVICE_UNAVAILABLE, DEADLINE_EXCEEDED or CIRCUIT_OPEN if there is no
                response.
        """
        ...


class ExportedChannel(Struct, frozen=True):  # with chat
    """A chat channel and its messages, newest first."""

    channel: Annotated[dict[str, Any], Meta(examples=[{"kind": "job"}])]
    messages: Annotated[
        list[dict[str, Any]], Meta(examples=[[{"text": "Shall I turn the water off?"}]])
    ]


class Elsewhere(Struct, frozen=True):
    """The data that the other services hold about an account.

    `missing` lists the services that did not respond.
    """

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
        """Return all data that the other services hold about an account.

        Services that do not respond are listed by name.
        """
        ...


class Identity(Struct, frozen=True):
    """A user of an identity provider, from a verified ID token.

    `email_verified` is true only if the provider says so and the settings trust the provider's
    addresses.
    """

    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    given_name: str = ""
    family_name: str = ""
    name: str = ""


class ProviderAnswer(Struct, frozen=True):
    """The parameters of an identity provider's redirect, and the secrets of the sign-in request.

    `issuer` is the `iss` parameter of RFC 9207.
    """

    code: str
    issuer: str | None
    nonce: str
    verifier: str


class IdentityProviders(Protocol):
    """The identity providers from the settings, by name."""

    def names(self) -> Sequence[str]:
        """Return the names of the providers."""
        ...

    def name_of(self, issuer: str) -> str | None:
        """Return the provider's name for an issuer, or None if the settings lack the issuer."""
        ...

    async def authorization_url(self, name: str, *, state: str, nonce: str, verifier: str) -> str:
        """Return the identity provider's URL at which the user signs in.

        Raises:
            AppError: NOT_FOUND for a name that is not in the settings; SERVICE_UNAVAILABLE,
                DEADLINE_EXCEEDED or CIRCUIT_OPEN if the provider's response is missing or invalid.
        """
        ...

    async def identify(self, name: str, answer: ProviderAnswer) -> Identity:
        """Exchange the code for an ID token, verify the token, and return its user.

        Raises:
            AppError: as `authorization_url` does; UNAUTHORIZED if the provider refuses the code, or
                if its ID token is for another client or another sign-in, or is not valid now.
        """
        ...
