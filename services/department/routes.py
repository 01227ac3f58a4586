"""HTTP routes of the department service."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from lib.auth import require
from lib.errors import Code
from lib.http import respond
from lib.http.app import Db
from lib.http.respond import Created, Done, Item, Page
from lib.http.routes import CHANGE_ERRORS, PUBLIC, Id, IfMatch, Routes, signed_in
from services.department import service
from services.department.model import DepartmentChange, ListDepartments, NewDepartment
from services.department.store.postgres.models import Department

_WRITERS: Final = signed_in(require("departments:write"))
route: Final = Routes("departments")


@route("GET /api/v1/departments", "List departments", access=PUBLIC)
async def list_departments(db: Db, wanted: ListDepartments) -> Page[Department]:
    """Return one page of departments and the total count."""
    return respond.page(wanted, *await service.list_page(db, wanted))


@route("POST /api/v1/departments", "Create a department", Code.CONFLICT, access=_WRITERS)
async def add_department(db: Db, new: NewDepartment) -> Created[Department]:
    """Create a department. Return the department with its URL."""
    added = await service.add(db, new)
    # Relative to the address of the list, so that it holds behind the gateway's prefix too.
    return respond.created(added, f"departments/{added.id}")


@route("GET /api/v1/departments/{id}", "Get a department", Code.NOT_FOUND, access=PUBLIC)
async def get_department(request: web.Request, db: Db, department_id: Id) -> Item[Department]:
    """Return a department with its `ETag`."""
    return respond.item(request, await service.get(db, department_id))


@route("PATCH /api/v1/departments/{id}", "Update a department", *CHANGE_ERRORS, access=_WRITERS)
async def change_department(
    db: Db, department_id: Id, changes: DepartmentChange, version: IfMatch
) -> Item[Department]:
    """Return the department after a partial update."""
    return respond.changed(await service.change(db, department_id, changes, version=version))


@route("DELETE /api/v1/departments/{id}", "Delete a department", *CHANGE_ERRORS, access=_WRITERS)
async def remove_department(db: Db, department_id: Id, version: IfMatch) -> Done:
    """Delete a department."""
    await service.remove(db, department_id, version=version)
    return respond.no_content()
