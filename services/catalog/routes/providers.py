"""Routes of the services that a provider or the caller offers, and of a service's providers."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiohttp import web

from lib.auth import Role, require_principal, require_role
from lib.auth.guards import forbidden, lacking
from lib.errors import Code
from lib.http import decode, respond
from lib.http.app import Db
from lib.http.respond import Created, Done, Item
from lib.http.routes import PUBLIC, Access, From, Id, Routes, signed_in
from lib.resource.lists import CursorPageQuery, PageQuery
from services.catalog.model import tags
from services.catalog.model.entries import NewProviderService
from services.catalog.routes import answers
from services.catalog.routes.access import WRITE
from services.catalog.routes.answers import TaggedPage
from services.catalog.service import offers
from services.catalog.service.levels import SERVICES
from services.catalog.store.models import ProviderService, Service

route: Final = Routes("provider services")


@route(
    "GET /api/v1/services/{id}/providers",
    "List the providers of a service",
    Code.NOT_FOUND,
    access=PUBLIC,
)
async def list_providers_of_service(
    request: web.Request, db: Db, wanted: CursorPageQuery, service_id: Id
) -> TaggedPage[ProviderService]:
    """Return the providers of the service, each with the time when its offer started."""
    key = tags.of_providers(service_id)
    made_of = (key, tags.of_entry(SERVICES.tag, service_id))
    return await answers.page(
        request, key, made_of, wanted, lambda: offers.providers_of(db, service_id, wanted)
    )


def _named(request: web.Request) -> UUID:
    return decode.path_uuid(request, "provider_id")


def _own_id() -> UUID:
    try:
        return UUID(require_principal().subject)
    except ValueError:
        raise forbidden() from None


def _named_to_change(request: web.Request) -> UUID:
    """Return the ID of the provider whose services the caller wants to change.

    Raise FORBIDDEN unless the caller is that provider or may change the whole catalog.
    """
    provider_id, caller = _named(request), require_principal()
    if caller.may(WRITE):
        return provider_id
    if caller.has_any(Role.PROVIDER) and _own_id() == provider_id:
        return provider_id
    raise lacking(caller, WRITE)


async def _list(
    request: web.Request, db: Db, provider: UUID, wanted: PageQuery
) -> TaggedPage[Service]:
    key = tags.of_provider(provider)
    made_of = (key, tags.of_list(SERVICES.tag))
    return await answers.page(
        request, key, made_of, wanted, lambda: offers.services_of(db, provider, wanted)
    )


async def _add(
    request: web.Request, db: Db, provider: UUID, new: NewProviderService
) -> Created[Service]:
    service, is_new = await offers.add(db, provider, new.service_id)
    await answers.changed(request, tags.of_offer(provider, new.service_id))
    return respond.created(service, f"services/{service.id}", before=not is_new)


async def _get(request: web.Request, db: Db, provider: UUID, service_id: UUID) -> Item[Service]:
    key = tags.of_provider(provider)
    made_of = (key, tags.of_entry(SERVICES.tag, service_id))
    return await answers.item(
        request, f"{key}/{service_id}", made_of, lambda: offers.get(db, provider, service_id)
    )


async def _remove(request: web.Request, db: Db, provider: UUID, service_id: UUID) -> Done:
    await offers.remove(db, provider, service_id)
    await answers.changed(request, tags.of_offer(provider, service_id))
    return respond.no_content()


def _declare(owner: str, *, readers: Access, writers: Access, read: From, change: From) -> None:
    """Declare the four routes of the services that a provider offers.

    `owner` is the segment `me` or the path parameter.
    """
    many = f"/api/v1/providers/{owner}/services"
    one = f"{many}/{{service_id}}"
    whose, whom = ("my", "I offer") if owner == "me" else ("provider", "a provider offers")
    services = "my services" if owner == "me" else "a provider's services"
    reading, changing = {"provider": read}, {"provider": change}
    route(
        f"GET {many}", f"List the services {whom}",
        access=readers, name=f"list_{whose}_services", types=reading,
    )(_list)  # fmt: skip
    route(
        f"POST {many}", f"Add a service to {services}", Code.NOT_FOUND,
        access=writers, name=f"add_{whose}_service", types=changing,
        replay_description="already offered",
    )(_add)  # fmt: skip
    route(
        f"GET {one}", f"Get a service {whom}", Code.NOT_FOUND,
        access=readers, name=f"get_{whose}_service", types=reading,
    )(_get)  # fmt: skip
    route(
        f"DELETE {one}", f"Remove a service from {services}", Code.NOT_FOUND,
        access=writers, name=f"remove_{whose}_service", types=changing,
    )(_remove)  # fmt: skip


_PATH: Final = {"provider_id": UUID}
_ME: Final = From(lambda _: _own_id())
_PROVIDERS: Final = signed_in(require_role(Role.PROVIDER))
# Declared before the routes with an ID, because `me` is not an ID.
_declare("me", readers=_PROVIDERS, writers=_PROVIDERS, read=_ME, change=_ME)
_declare(
    "{provider_id}",
    readers=PUBLIC,
    writers=signed_in(),
    read=From(_named, path=_PATH),
    change=From(_named_to_change, path=_PATH),
)
