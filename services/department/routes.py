"""The HTTP edge of the department service: decode, call, encode."""

from __future__ import annotations

from uuid import UUID

from aiohttp import web

from lib.auth import require
from lib.errors import Code
from lib.http import decode, respond
from lib.http.app import DATABASE
from lib.http.etag import if_match
from lib.http.middleware.auth import guarded, public
from lib.http.openapi import operation
from services.department import service
from services.department.model import DepartmentChange, ListDepartments, NewDepartment
from services.department.store.postgres.models import Department

_TAGS = ("departments",)
_ID = {"id": UUID}
_writes = guarded(require("departments:write"))
_CHANGE_ERRORS = (Code.NOT_FOUND, Code.CONFLICT, Code.PRECONDITION_FAILED)


@public
@operation(
    summary="List departments",
    tags=_TAGS,
    query=ListDepartments,
    returns=list[Department],
    paged=True,
)
async def list_departments(request: web.Request) -> web.Response:
    """One page of departments, with the number of all."""
    wanted = decode.query(request, ListDepartments)
    rows, total = await service.list_page(request.app[DATABASE], wanted)
    return respond.page(rows, wanted, total)


@_writes
@operation(
    summary="Add a department",
    tags=_TAGS,
    body=NewDepartment,
    returns=Department,
    status=201,
    errors=(Code.CONFLICT,),
)
async def add_department(request: web.Request) -> web.Response:
    """The new department, with where it is."""
    new = await decode.body(request, NewDepartment)
    added = await service.add(request.app[DATABASE], new)
    # Relative to the address of the list, so that it holds behind the gateway's prefix too.
    return respond.created(added, location=f"departments/{added.id}", version=added.version)


@public
@operation(
    summary="Get a department",
    tags=_TAGS,
    path=_ID,
    headers=("If-None-Match",),
    returns=Department,
    errors=(Code.NOT_FOUND,),
)
async def get_department(request: web.Request) -> web.Response:
    """One department with its `ETag`."""
    found = await service.get(request.app[DATABASE], decode.path_uuid(request))
    return respond.item(request, found, version=found.version)


@_writes
@operation(
    summary="Change a department",
    tags=_TAGS,
    path=_ID,
    headers=("If-Match",),
    body=DepartmentChange,
    returns=Department,
    errors=_CHANGE_ERRORS,
)
async def change_department(request: web.Request) -> web.Response:
    """The department as it is after a partial change."""
    department_id = decode.path_uuid(request)
    changes = await decode.body(request, DepartmentChange)
    changed = await service.change(
        request.app[DATABASE], department_id, changes, version=if_match(request)
    )
    return respond.changed(changed, version=changed.version)


@_writes
@operation(
    summary="Remove a department",
    tags=_TAGS,
    path=_ID,
    headers=("If-Match",),
    status=204,
    errors=_CHANGE_ERRORS,
)
async def remove_department(request: web.Request) -> web.Response:
    """Nothing, when it is done."""
    department_id = decode.path_uuid(request)
    await service.remove(request.app[DATABASE], department_id, version=if_match(request))
    return respond.no_content()


ROUTES = (
    web.get("/api/v1/departments", list_departments),
    web.post("/api/v1/departments", add_department),
    web.get("/api/v1/departments/{id}", get_department),
    web.patch("/api/v1/departments/{id}", change_department),
    web.delete("/api/v1/departments/{id}", remove_department),
)
