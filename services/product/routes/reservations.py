"""Reservations over HTTP: for other services, and for the staff."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiohttp import web

from lib.auth import Principal, require_principal
from lib.auth.guards import forbidden, may_as_service
from lib.errors import AppError, Code
from lib.http import decode, respond
from lib.http.app import DATABASE
from lib.http.middleware.auth import guarded
from lib.http.middleware.idempotency import HEADER, REPLAYED
from lib.http.openapi import operation
from lib.idempotency import parse_key
from services.product.model.reservations import NewReservation
from services.product.routes.access import WRITE
from services.product.service import reservations as service
from services.product.service.reservations import Caller
from services.product.service.steps import Step
from services.product.views import ReservationView, view_of

RESERVE: Final = "service:reservations"
_TAGS: Final = ("reservations",)
_ID: Final = {"id": UUID}
_STEP_ERRORS: Final = (Code.NOT_FOUND, Code.CONFLICT)


def _service_or_staff(principal: Principal) -> None:
    if not (may_as_service(principal, RESERVE) or principal.may(WRITE)):
        raise forbidden()


_services_and_staff = guarded(_service_or_staff)


@_services_and_staff
@operation(
    summary="Reserve products",
    tags=_TAGS,
    headers=(HEADER,),
    body=NewReservation,
    returns=ReservationView,
    status=201,
    errors=(Code.CONFLICT, Code.IDEMPOTENCY_KEY_REUSED),
)
async def reserve(request: web.Request) -> web.Response:
    """All lines or none. The same `Idempotency-Key`, which is required, gives the same answer."""
    wanted = await decode.body(request, NewReservation)
    header = request.headers.get(HEADER)
    if header is None:
        raise AppError(Code.BAD_REQUEST, f"a reservation needs an {HEADER}")
    made = await service.reserve(
        request.app[DATABASE],
        wanted,
        owner=require_principal().subject,
        key=parse_key(header),
    )
    headers = {"Location": f"reservations/{made.reservation.id}"}
    if made.replayed:
        headers[REPLAYED] = "true"
    return respond.ok(view_of(made), status=201, headers=headers)


@_services_and_staff
@operation(
    summary="Get a reservation",
    tags=_TAGS,
    path=_ID,
    returns=ReservationView,
    errors=(Code.NOT_FOUND,),
)
async def get_reservation(request: web.Request) -> web.Response:
    """One's own; the staff sees everybody's."""
    found = await service.get(request.app[DATABASE], decode.path_uuid(request), _caller())
    return respond.ok(view_of(found))


@_services_and_staff
@operation(
    summary="Confirm a reservation",
    tags=_TAGS,
    path=_ID,
    returns=ReservationView,
    errors=_STEP_ERRORS,
)
async def confirm_reservation(request: web.Request) -> web.Response:
    """The products are sold. It may be said twice."""
    return await _settle(request, Step.CONFIRM)


@_services_and_staff
@operation(
    summary="Release a reservation",
    tags=_TAGS,
    path=_ID,
    returns=ReservationView,
    errors=_STEP_ERRORS,
)
async def release_reservation(request: web.Request) -> web.Response:
    """The products return to the stock, also from one that was confirmed. It may be said twice."""
    return await _settle(request, Step.RELEASE)


async def _settle(request: web.Request, step: Step) -> web.Response:
    reservation_id = decode.path_uuid(request)
    settled = await service.settle(request.app[DATABASE], reservation_id, step, _caller())
    return respond.ok(view_of(settled))


def _caller() -> Caller:
    principal = require_principal()
    return Caller(principal.subject, trusted=principal.may(WRITE))


ROUTES: Final = (
    web.post("/api/v1/reservations", reserve),
    web.get("/api/v1/reservations/{id}", get_reservation),
    web.post("/api/v1/reservations/{id}/confirm", confirm_reservation),
    web.post("/api/v1/reservations/{id}/release", release_reservation),
)
