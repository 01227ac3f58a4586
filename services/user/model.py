"""The list as it is asked for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from lib.http.pagination import ListQuery


class OrderBy(StrEnum):
    """What the list may be ordered by."""

    NAME = "name"
    EMAIL = "email"
    AGE = "age"
    SALARY = "salary"
    CREATED_AT = "created_at"


class StaffQuery(ListQuery, frozen=True, kw_only=True):
    """Which people, which page of them, in which order."""

    order_by: Annotated[OrderBy, Meta(description="order of the list")] = OrderBy.NAME
    search: (
        Annotated[str, Meta(max_length=100, description="part of the name or of the e-mail")] | None
    ) = None
    department_id: Annotated[UUID | None, Meta(description="people of this department")] = None
