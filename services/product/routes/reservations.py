"""Routes of reservations, for other services and the staff."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from aiohttp import web

from lib.auth import Principal, Role, require_principal
from lib.auth.guards import lacking, may_as_service
from lib.auth.permissions import permission
from lib.errors import AppError, Code
from lib.http import respond
from lib.http.app import Db
from lib.http.middleware.idempotency import HEADER, REPLAYED
from lib.http.respond import Answer, Created
from lib.http.routes import From, Id, Key, Routes, signed_in
from services.product.model.reservations import Caller, Confirmation, NewReservation
from services.product.routes.access import WRITE
from services.product.service import reservations as service
from services.product.service.steps import Step
from services.product.views import ConfirmedView, ReservationView, view_of

RESERVE: Final = permission("service:reservations")


def _service_or_staff(principal: Principal) -> None:
    """The permission `products:write`, or, for a service, `service:reservations`."""
    if not (may_as_service(principal, RESERVE) or principal.may(WRITE)):
        raise lacking(principal, RESERVE if principal.has_any(Role.SERVICE) else WRITE)


def _caller(_: web.Request) -> Caller:
    principal = require_principal()
    return Caller(principal.subject, trusted=principal.may(WRITE))


_ACCESS: Final = signed_in(_service_or_staff, services=True)
_By: TypeAlias = Annotated[Caller, From(_caller)]
route: Final = Routes("reservations")


@route("POST /api/v1/reservations", "Reserve products", Code.CONFLICT, access=_ACCESS)
async def reserve(db: Db, wanted: NewReservation, key: Key) -> Created[ReservationView]:
    """Reserve all lines or none. The required `Idempotency-Key` makes the request repeatable."""
    if key is None:
        raise AppError(Code.BAD_REQUEST, f"a reservation requires an {HEADER}")
    made = await service.reserve(db, wanted, owner=require_principal().subject, key=key)
    headers = {"Location": f"reservations/{made.reservation.id}"}
    if made.replayed:
        headers[REPLAYED] = "true"
    return respond.made(view_of(made), headers=headers)


@route("GET /api/v1/reservations/{id}", "Get a reservation", Code.NOT_FOUND, access=_ACCESS)
async def get_reservation(db: Db, reservation_id: Id, caller: _By) -> Answer[ReservationView]:
    """Return a reservation of the caller. The staff may get any reservation."""
    return respond.ok(view_of(await service.get(db, reservation_id, caller)))


@route("POST /api/v1/reservations/confirm", "Confirm reservations", access=_ACCESS)
async def confirm_reservations(db: Db, wanted: Confirmation, caller: _By) -> Answer[ConfirmedView]:
    """Confirm the requested reservations that are pending. Return only the IDs of these."""
    return respond.ok(ConfirmedView(await service.confirm_all(db, wanted.ids, caller)))


@route(
    "POST /api/v1/reservations/{id}/confirm",
    "Confirm a reservation",
    Code.NOT_FOUND,
    Code.CONFLICT,
    access=_ACCESS,
)
async def confirm_reservation(db: Db, reservation_id: Id, caller: _By) -> Answer[ReservationView]:
    """Confirm a reservation, which sells its products. Safe to repeat."""
    return respond.ok(view_of(await service.settle(db, reservation_id, Step.CONFIRM, caller)))


@route(
    "POST /api/v1/reservations/{id}/release",
    "Release a reservation",
    Code.NOT_FOUND,
    Code.CONFLICT,
    access=_ACCESS,
)
async def release_reservation(db: Db, reservation_id: Id, caller: _By) -> Answer[ReservationView]:
    """Release a reservation, even after its confirmation. Safe to repeat."""
    return respond.ok(view_of(await service.settle(db, reservation_id, Step.RELEASE, caller)))
