"""State transitions of a reservation."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from services.product.store.postgres.models import ReservationStatus


class Step(StrEnum):
    """Transitions of a reservation."""

    CONFIRM = "confirm"
    RELEASE = "release"


_P, _C = ReservationStatus.PENDING, ReservationStatus.CONFIRMED
_R, _E = ReservationStatus.RELEASED, ReservationStatus.EXPIRED
# A step that was taken before is taken again without effect: callers may repeat themselves.
# What expired has been given back, which is all that a release asks for.
_NEXT: Final[Mapping[tuple[Step, ReservationStatus], ReservationStatus]] = {
    (Step.CONFIRM, _P): _C,
    (Step.CONFIRM, _C): _C,
    (Step.RELEASE, _P): _R,
    (Step.RELEASE, _C): _R,
    (Step.RELEASE, _R): _R,
    (Step.RELEASE, _E): _E,
}


def status_after(step: Step, status: ReservationStatus) -> ReservationStatus | None:
    """Return the next status, or None if the transition is not allowed."""
    return _NEXT.get((step, status))
