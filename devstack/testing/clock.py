"""A clock that stands until a test moves it."""

from __future__ import annotations

from typing import Generic, TypeVar

Moment = TypeVar("Moment")


class Clock(Generic[Moment]):
    """Says `now`, whatever kind of moment that is."""

    def __init__(self, now: Moment) -> None:
        self.now = now

    def __call__(self) -> Moment:
        """Return it."""
        return self.now
