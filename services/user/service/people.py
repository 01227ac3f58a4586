"""The HR list: people, their points and everybody's statistics, gathered at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from lib.db import Executor
from lib.db.like import contains
from lib.errors import AppError, not_found
from lib.log import get_logger
from services.user.model.people import StaffQuery
from services.user.ports import Points
from services.user.store import staff
from services.user.store.models import Staff
from services.user.views import UserList, with_points

log = get_logger(__name__)

POINTS: Final = "point"


@dataclass(frozen=True, slots=True)
class StaffPage:
    """A page, how many people match in all, and whose part of it is missing."""

    data: UserList
    total: int
    degraded: tuple[str, ...]


async def get_user(db: Executor, user_id: UUID) -> Staff:
    """Return one person. Raises AppError(NOT_FOUND)."""
    person = await staff.get_staff(db, id=user_id)
    if person is None:
        raise not_found("user")
    return person


async def list_users(db: Executor, points: Points, query: StaffQuery) -> StaffPage:
    """Return one page of people with points and statistics.

    Statistics and the total are asked for while the page and then its points are. The first
    failure cancels the rest and is the one raised; only points may be missing instead.
    """
    search = contains(query.search)
    try:
        async with asyncio.TaskGroup() as group:
            page = group.create_task(_page_with_points(db, points, query, search))
            statistics = group.create_task(staff.staff_statistics(db))
            total = group.create_task(_total(db, query, search))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    people, found = page.result()
    users = [with_points(person, None if found is None else found[person.id]) for person in people]
    # Without a filter everybody matches, and statistics have counted everybody.
    matching = total.result()
    everybody = statistics.result()
    return StaffPage(
        data=UserList(users=users, statistics=everybody),
        total=everybody.count if matching is None else matching,
        degraded=(POINTS,) if found is None else (),
    )


async def _page_with_points(
    db: Executor, points: Points, query: StaffQuery, search: str | None
) -> tuple[Sequence[Staff], Mapping[UUID, int] | None]:
    people = await staff.list_staff(
        db,
        department_id=query.department_id,
        search=search,
        sort=query.sql_sort,
        page_size=query.page_size,
        skip=query.offset,
    )
    if not people:
        return people, {}
    return people, await _points_or_none(points, [person.id for person in people])


async def _points_or_none(points: Points, ids: Sequence[UUID]) -> Mapping[UUID, int] | None:
    try:
        return await points.of_users(ids)
    except AppError as error:
        # A list without points is worth more than no list.
        log.warning("points_missing", code=error.code.value, error=error.message)
        return None


async def _total(db: Executor, query: StaffQuery, search: str | None) -> int | None:
    if search is None and query.department_id is None:
        return None
    return await staff.count_staff(db, department_id=query.department_id, search=search)
