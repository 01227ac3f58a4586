"""The list as it is answered."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from msgspec import Struct

from services.user.store.models import Staff
from services.user.store.staff import StaffStatisticsRow


class UserWithPoints(Struct, frozen=True, gc=False):
    """One line of the list. `points` is null where the point service did not answer."""

    id: UUID
    name: str
    email: str
    department_id: UUID | None
    age: int
    salary: Decimal
    points: int | None
    version: int
    created_at: datetime
    updated_at: datetime


class UserList(Struct, frozen=True):
    """A page of people; `statistics` are over everybody, whatever the page and its filters."""

    users: list[UserWithPoints]
    statistics: StaffStatisticsRow


def with_points(person: Staff, points: int | None) -> UserWithPoints:
    """Join a person with their points."""
    return UserWithPoints(
        person.id,
        person.name,
        person.email,
        person.department_id,
        person.age,
        person.salary,
        points,
        person.version,
        person.created_at,
        person.updated_at,
    )
