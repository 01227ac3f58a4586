"""Rules of departments: names are unique, and a change can require the current version."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias
from uuid import UUID

from msgspec import UnsetType
from msgspec.structs import asdict

from lib.db import Database, Executor
from lib.db.like import contains
from lib.events import Topic, publish_change
from lib.ids import new_id
from lib.resource.input import given
from lib.resource.lists import Sort, page_of
from lib.resource.rules import at_version, change_errors, or_not_found
from services.department.model import (
    DepartmentChange,
    ListDepartments,
    NewDepartment,
)
from services.department.store import departments, writes
from services.department.store.postgres.departments import DepartmentsQueriesProtocol
from services.department.store.postgres.models import Department

TOPIC: Final = Topic(
    "departments",
    {f"department.{what}": Department for what in ("created", "changed", "removed")},
)
_List: TypeAlias = Callable[..., Awaitable[tuple[list[Department], int]]]


async def get(db: Executor, department_id: UUID) -> Department:
    """Return the department or raise NOT_FOUND."""
    return or_not_found(await departments(db).get_department(id=department_id), "department")


async def list_page(db: Database, wanted: ListDepartments) -> tuple[Sequence[Department], int]:
    """Return one page and the total number of departments."""
    queries = departments(db)
    return await page_of(
        wanted,
        _list_in_order(queries, wanted),
        search=contains(wanted.search),
    )


def _list_in_order(queries: DepartmentsQueriesProtocol, wanted: ListDepartments) -> _List:
    """Return the query for the requested sort order. All queries have the same parameters."""
    return {
        ("name", False): queries.list_departments_by_name,
        ("name", True): queries.list_departments_by_name_desc,
        ("created_at", False): queries.list_departments_by_age,
        ("created_at", True): queries.list_departments_by_age_desc,
    }[wanted.order_by, wanted.sort is Sort.DESC]


async def add(db: Database, new: NewDepartment) -> Department:
    """Create a department. Raises CONFLICT if the name is in use."""
    department_id = new_id()
    with change_errors(taken=_in_use(new.name)):
        async with db.transaction() as tx:
            await writes(tx).add_department(id=department_id, **asdict(new))
            added = await get(tx, department_id)
            await _publish(tx, "department.created", added)
            return added


async def change(
    db: Database,
    department_id: UUID,
    changes: DepartmentChange,
    *,
    version: int | None,
) -> Department:
    """Apply a partial update. If `version` is not None, it must be the current version.

    Raises:
        AppError: NOT_FOUND; PRECONDITION_FAILED if `version` is not the current version; CONFLICT
            if the name is in use.
    """
    with change_errors(taken=_in_use(changes.name)):
        async with db.transaction() as tx:
            before = await _locked(tx, department_id, version)
            values = {
                name: given(value, getattr(before, name)) for name, value in asdict(changes).items()
            }
            await writes(tx).change_department(id=department_id, **values)
            after = await get(tx, department_id)
            await _publish(tx, "department.changed", after)
            return after


async def remove(db: Database, department_id: UUID, *, version: int | None) -> None:
    """Delete the department. If `version` is not None, it must be the current version."""
    async with db.transaction() as tx:
        before = await _locked(tx, department_id, version)
        await writes(tx).remove_department(id=department_id)
        await _publish(tx, "department.removed", before)


async def _locked(tx: Executor, department_id: UUID, version: int | None) -> Department:
    locked = await writes(tx).lock_department(id=department_id)
    return at_version(locked, "department", version)


def _in_use(name: str | UnsetType) -> str:
    return f"there is already a department named {name}"


async def _publish(tx: Executor, kind: str, department: Department) -> None:
    await publish_change(tx, topic=TOPIC, key=department.id, kind=kind, changed=department)
