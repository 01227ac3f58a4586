"""Request types for reviews: half stars and a comment."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from lib.resource.input import Input
from services.order.marketplace.model.texts import Comment

Rating = Annotated[
    float,
    Meta(
        examples=[4.5],
        ge=0,
        le=5,
        multiple_of=0.5,
        description="number of stars, a multiple of 0.5",
        extra={"message": "must be from 0 to 5 in steps of 0.5"},
    ),
]


class NewReview(Input, frozen=True, kw_only=True):
    """A review to create. The author reviews the other party of the job."""

    job_id: UUID
    rating: Rating
    comment: Comment = ""


class ReviewChange(Input, frozen=True, kw_only=True):
    """A partial update: omitted fields keep their values."""

    rating: Rating | UnsetType = UNSET
    comment: Comment | UnsetType = UNSET


def exact(rating: float) -> Decimal:
    """Return a rating as an exact decimal: `4.5` → `Decimal("4.50")`."""
    return Decimal(rating).quantize(Decimal("0.01"))
