"""Routes of the workplaces of providers, and of the search for the nearest providers."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiohttp import web

from lib.errors import Code
from lib.http import respond
from lib.http.app import Db
from lib.http.respond import Answer, Created, Item
from lib.http.routes import CHANGE_ERRORS, Access, From, IfMatch, Routes, signed_in
from services.order.marketplace.model.places import (
    Nearest,
    NewProviderLocation,
    ProviderLocationChange,
)
from services.order.marketplace.routes import access
from services.order.marketplace.routes.views import (
    ProviderLocationView,
    view_of_location,
    view_of_nearest,
)
from services.order.marketplace.service import locations as service

route: Final = Routes("provider locations")


@route("GET /api/v1/providers/nearest", "List the nearest providers", access=signed_in())
async def list_nearest_providers(
    db: Db, wanted: Nearest, who: access.Who
) -> Answer[list[ProviderLocationView]]:
    """Return the providers within the radius, nearest first, with straight-line distances.

    Locations and distances are rounded to about 1 km. The caller's own location is exact, and for
    the staff all locations are exact.
    """
    return respond.ok([view_of_nearest(row, who) for row in await service.nearest(db, wanted)])


async def _get(
    request: web.Request, db: Db, provider: UUID, who: access.Who
) -> Item[ProviderLocationView]:
    place = await service.get(db, provider)
    exact = await service.may_know_place(db, provider, who)
    return respond.item(request, view_of_location(place, exact=exact))


async def _add(db: Db, provider: UUID, new: NewProviderLocation) -> Created[ProviderLocationView]:
    added = await service.add(db, provider, new)
    return respond.created(view_of_location(added, exact=True), f"providers/{provider}/location")


async def _change(
    db: Db, provider: UUID, changes: ProviderLocationChange, version: IfMatch
) -> Item[ProviderLocationView]:
    changed = await service.change(db, provider, changes, version=version)
    return respond.changed(view_of_location(changed, exact=True))


def _declare(owner: str, *, readers: Access, writers: Access, read: From, change: From) -> None:
    """Declare the three routes of a provider's workplace. `owner` is `me` or the path parameter."""
    where = f"/api/v1/providers/{owner}/location"
    whose, whom = ("my", "my") if owner == "me" else ("provider", "a provider's")
    reading, changing = {"provider": read}, {"provider": change}
    route(
        f"GET {where}", f"Get {whom} location", Code.NOT_FOUND,
        access=readers, name=f"get_{whose}_location", types=reading,
    )(_get)  # fmt: skip
    route(
        f"POST {where}", f"Set {whom} location", *CHANGE_ERRORS,
        access=writers, name=f"add_{whose}_location", types=changing,
    )(_add)  # fmt: skip
    route(
        f"PATCH {where}", f"Update {whom} location", *CHANGE_ERRORS,
        access=writers, name=f"change_{whose}_location", types=changing,
    )(_change)  # fmt: skip


# Declared before the routes with an ID, because `me` is not an ID.
_declare(
    "me",
    readers=access.PROVIDERS,
    writers=access.VERIFIED_PROVIDERS,
    read=access.ME,
    change=access.ME,
)
_declare(
    "{id}",
    readers=signed_in(),
    writers=access.VERIFIED,
    read=access.ANYONE,
    change=access.NAMED_PROVIDER_TO_CHANGE,
)
