"""The list as it is asked for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Final, Literal, TypeAlias
from uuid import UUID

from msgspec import Meta

from lib.http.pagination import ListQuery, Sort


class OrderBy(StrEnum):
    """What the list may be ordered by."""

    NAME = "name"
    EMAIL = "email"
    AGE = "age"
    SALARY = "salary"
    CREATED_AT = "created_at"


SqlSort: TypeAlias = Literal[
    "name",
    "name desc",
    "email",
    "email desc",
    "age",
    "age desc",
    "salary",
    "salary desc",
    "created_at",
    "created_at desc",
]
# Ascending, descending: each is a query of its own, prepared when the SQL is compiled.
_SORTS: Final[dict[OrderBy, tuple[SqlSort, SqlSort]]] = {
    OrderBy.NAME: ("name", "name desc"),
    OrderBy.EMAIL: ("email", "email desc"),
    OrderBy.AGE: ("age", "age desc"),
    OrderBy.SALARY: ("salary", "salary desc"),
    OrderBy.CREATED_AT: ("created_at", "created_at desc"),
}


class StaffQuery(ListQuery, frozen=True, kw_only=True):
    """Which people, which page of them, in which order."""

    order_by: Annotated[OrderBy, Meta(description="order of the list")] = OrderBy.NAME
    search: (
        Annotated[str, Meta(max_length=100, description="part of the name or of the e-mail")] | None
    ) = None
    department_id: Annotated[UUID | None, Meta(description="people of this department")] = None

    @property
    def sql_sort(self) -> SqlSort:
        """The order, as the query names it."""
        return _SORTS[self.order_by][self.sort is Sort.DESC]
