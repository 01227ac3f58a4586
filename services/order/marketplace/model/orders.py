"""Request types for service orders, and the rules of their time window."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal, TypeAlias
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import force_setattr

from lib.errors import FieldError, invalid
from lib.resource.input import Input
from lib.texts import trimmed
from services.order.marketplace.model.places import Location
from services.order.marketplace.model.texts import Description

MAX_OPEN_ORDERS: Final = 100  # of one customer
HORIZON: Final = timedelta(days=366)

Moment = Annotated[datetime, Meta(tz=True, description="a time with a time zone")]
# What its customer may ask for; the others follow from what becomes of offers and job.
WantedStatus: TypeAlias = Literal["PENDING", "PAUSED", "CANCELLED"]


class _Described(Input, frozen=True, kw_only=True):
    """Remove white space at both ends of the description when a request is decoded."""

    description: str | UnsetType = UNSET

    def __post_init__(self) -> None:
        if isinstance(self.description, str):
            force_setattr(self, "description", trimmed(self.description))


class NewServiceOrder(_Described, frozen=True, kw_only=True):
    """A service order to create: the work, its place and a time window in the future."""

    service_id: UUID
    location: Location
    time_start: Moment
    time_end: Moment
    description: Description


class ServiceOrderChange(_Described, frozen=True, kw_only=True):
    """A partial update: omitted fields keep their values."""

    service_id: UUID | UnsetType = UNSET
    location: Location | UnsetType = UNSET
    time_start: Moment | UnsetType = UNSET
    time_end: Moment | UnsetType = UNSET
    description: Description | UnsetType = UNSET
    status: WantedStatus | UnsetType = UNSET

    @property
    def changes_terms(self) -> bool:
        """Return whether any field except the status is present."""
        terms = (
            self.service_id,
            self.location,
            self.time_start,
            self.time_end,
            self.description,
        )
        return any(value is not UNSET for value in terms)


def check_window(start: datetime, end: datetime, *, now: datetime) -> None:
    """Refuse a window that has started, ends before it starts, or is too far in the future.

    Raises:
        AppError: VALIDATION_ERROR for such a window.
    """
    problems = []
    if start <= now:
        problems.append(FieldError("time_start", "must be in the future"))
    if end <= start:
        problems.append(FieldError("time_end", "must be after time_start"))
    elif end - now > HORIZON:
        problems.append(FieldError("time_end", f"must be within {HORIZON.days} days"))
    if problems:
        raise invalid(*problems)
