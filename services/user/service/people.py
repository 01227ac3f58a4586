"""The list of users. Points and statistics are fetched concurrently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from lib.db import Executor
from lib.db.like import contains
from lib.errors import AppError
from lib.log import get_logger
from lib.resource.lists import Extent, Walk, page_or_walk_of
from lib.together import together
from services.user.model.people import EMPLOYMENT_KEYS, Kind, PeopleQuery
from services.user.ports import Points
from services.user.store import keyset, staff
from services.user.store.keyset import KeysetPage
from services.user.store.models import AccountRole
from services.user.store.staff import (
    ListAccountsRow,
    ListStaffRow,
    StaffStatisticsRow,
    WalkAccountsByEmploymentRow,
)
from services.user.views import UserList, with_points

log = get_logger(__name__)

POINTS: Final = "point"
_NULLS_AS_LISTED: Final[Mapping[str, Any]] = {
    "age": "age nulls last",
    "age desc": "age desc nulls first",
    "salary": "salary nulls last",
    "salary desc": "salary desc nulls first",
}
_Rows = Sequence[ListStaffRow | ListAccountsRow]


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """A page of users, the total count or cursors, and the services whose data is missing."""

    data: UserList
    total: Extent
    degraded: tuple[str, ...]


async def list_users(
    db: Executor, points: Points, query: PeopleQuery, *, salaries: bool = True
) -> PeoplePage:
    """Return one page of users with points. With `salaries`, include statistics.

    The database computes the statistics while the page and the points of its users are requested.
    The first failure cancels the other requests and is raised. But if only the points are
    unavailable, the page has no points.
    """
    search = contains(query.search)
    async with together() as group:
        page = group.create_task(_page_with_points(db, points, query, search))
        statistics = group.create_task(_statistics(db, salaries=salaries))
    people, total, found = page.result()
    users = [
        with_points(person, None if found is None else found[person.id], salaries=salaries)
        for person in people
    ]
    return PeoplePage(
        data=UserList(users=users, statistics=statistics.result()),
        total=total,
        degraded=(POINTS,) if found is None else (),
    )


async def _page_with_points(
    db: Executor, points: Points, query: PeopleQuery, search: str | None
) -> tuple[_Rows, Extent, Mapping[UUID, int] | None]:
    people, total = await _page(db, query, search)
    if not people:
        return people, total, {}
    return people, total, await _points_or_none(points, [person.id for person in people])


async def _page(db: Executor, query: PeopleQuery, search: str | None) -> tuple[_Rows, Extent]:
    filters: dict[str, Any] = {
        "statuses": query.statuses,
        "department_id": query.department_id,
        "search": search,
    }
    if query.kind is Kind.STAFF:
        walk = Walk(staff.walk_staff, keyset)
        return await page_or_walk_of(
            query, staff.list_staff, walk, db, sort=query.sql_sort, **filters
        )
    # A cursor by employment has ages and salaries, so it is only for those who may sort by them.
    by_employment = query.order_by in EMPLOYMENT_KEYS
    walk = Walk(_walk_by_employment if by_employment else staff.walk_accounts, keyset)
    filters["roles"] = [AccountRole(role) for role in query.kind.roles]
    return await page_or_walk_of(
        query, staff.list_accounts, walk, db, sort=query.sql_sort, **filters
    )


async def _walk_by_employment(
    db: Executor, *, sort: str, **wanted: Any
) -> KeysetPage[WalkAccountsByEmploymentRow]:
    return await staff.walk_accounts_by_employment(db, sort=_NULLS_AS_LISTED[sort], **wanted)


async def _points_or_none(points: Points, ids: Sequence[UUID]) -> Mapping[UUID, int] | None:
    try:
        return await points.of_users(ids)
    except AppError as error:
        # A list without points is worth more than no list.
        log.warning("points_missing", code=error.code.value, error=error.message)
        return None


async def _statistics(db: Executor, *, salaries: bool) -> StaffStatisticsRow | None:
    return await staff.staff_statistics(db) if salaries else None
