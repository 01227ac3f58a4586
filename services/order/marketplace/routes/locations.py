"""Where providers work from, over HTTP: under their ids, as `me`, and the nearest to a place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from aiohttp import web
from aiohttp.typedefs import Handler

from lib.errors import Code
from lib.http import decode, respond
from lib.http.app import DATABASE
from lib.http.etag import if_match
from lib.http.openapi import operation
from services.order.marketplace.model.places import (
    Nearest,
    NewProviderLocation,
    ProviderLocationChange,
)
from services.order.marketplace.routes import access
from services.order.marketplace.routes.describe import CHANGE_ERRORS, ID, SEEN, VERSION, described
from services.order.marketplace.routes.views import (
    ProviderLocationView,
    view_of_location,
    view_of_nearest,
)
from services.order.marketplace.service import locations as service

_TAG: Final = "provider locations"
_Owner = Callable[[web.Request], UUID]


@access.signed_in
@operation(
    summary="List the nearest providers",
    tags=(_TAG,),
    query=Nearest,
    returns=list[ProviderLocationView],
)
async def list_nearest_providers(request: web.Request) -> web.Response:
    """Those within the radius, the nearest first, with how far they are as the crow flies."""
    wanted = decode.query(request, Nearest)
    rows = await service.nearest(request.app[DATABASE], wanted)
    return respond.ok([view_of_nearest(row) for row in rows])


def _get_of(owner: _Owner) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        found = await service.get(request.app[DATABASE], owner(request))
        return respond.item(request, view_of_location(found), version=found.version)

    return handler


def _add_to(owner: _Owner) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        provider_id = owner(request)
        new = await decode.body(request, NewProviderLocation)
        added = await service.add(request.app[DATABASE], provider_id, new)
        return respond.created(
            view_of_location(added),
            location=f"providers/{provider_id}/location",
            version=added.version,
        )

    return handler


def _change_of(owner: _Owner) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        provider_id = owner(request)
        changes = await decode.body(request, ProviderLocationChange)
        changed = await service.change(
            request.app[DATABASE], provider_id, changes, version=if_match(request)
        )
        return respond.changed(view_of_location(changed), version=changed.version)

    return handler


def _routes(
    owner: str,
    *,
    path: dict[str, Any],
    readers: Callable[[Handler], Handler],
    writers: Callable[[Handler], Handler],
    read: _Owner,
    change: _Owner,
) -> tuple[web.RouteDef, ...]:
    """Return the three routes of a provider's place; `owner` is as in the path."""
    where = f"/api/v1/providers/{owner}/location"
    whose, whom = ("my", "I work") if owner == "me" else ("provider", "a provider works")
    got = described(
        _get_of(read), f"get_{whose}_location", f"Get where {whom} from", _TAG,
        path=path, headers=SEEN, returns=ProviderLocationView, errors=(Code.NOT_FOUND,),
    )  # fmt: skip
    added = described(
        _add_to(change), f"add_{whose}_location", f"Say where {whom} from", _TAG,
        path=path, body=NewProviderLocation, returns=ProviderLocationView, status=201,
        errors=(Code.NOT_FOUND, Code.CONFLICT),
    )  # fmt: skip
    changed = described(
        _change_of(change), f"change_{whose}_location", f"Change where {whom} from", _TAG,
        path=path, headers=VERSION, body=ProviderLocationChange, returns=ProviderLocationView,
        errors=CHANGE_ERRORS,
    )  # fmt: skip
    return (
        web.get(where, readers(got)),
        web.post(where, writers(added)),
        web.patch(where, writers(changed)),
    )


ROUTES: Final = (
    web.get("/api/v1/providers/nearest", list_nearest_providers),
    # Before the providers: `me` is nobody's id.
    *_routes(
        "me",
        path={},
        readers=access.providers,
        writers=access.verified_providers,
        read=access.me,
        change=access.me,
    ),
    *_routes(
        "{id}",
        path=ID,
        readers=access.signed_in,
        writers=access.verified,
        read=access.anyone_named,
        change=access.named_provider_to_change,
    ),
)
