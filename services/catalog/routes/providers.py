"""Who offers which service: by provider, for providers themselves (`me`), and by service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from aiohttp import web
from aiohttp.typedefs import Handler

from lib.auth import Role, require_principal, require_role, require_verified
from lib.auth.guards import forbidden
from lib.errors import Code
from lib.http import decode, respond
from lib.http.app import DATABASE
from lib.http.etag import etag
from lib.http.middleware.auth import guarded, public
from lib.resource.lists import PageQuery
from services.catalog.model import tags
from services.catalog.model.entries import NewProviderService
from services.catalog.routes import answers
from services.catalog.routes.access import WRITE
from services.catalog.routes.entries import ID, SEEN, described
from services.catalog.service import offers
from services.catalog.service.levels import SERVICES
from services.catalog.store.models import ProviderService, Service

_TAG: Final = "provider services"
_Owner = Callable[[web.Request], UUID]


async def list_providers_of_service(request: web.Request) -> web.Response:
    """Who offers the service, and since when."""
    wanted, db = decode.query(request, PageQuery), request.app[DATABASE]
    service_id = decode.path_uuid(request)
    key = tags.of_providers(service_id)
    return await answers.page(
        request,
        key,
        (key, tags.of_entry(SERVICES.tag, service_id)),
        wanted,
        lambda: offers.providers_of(db, service_id, wanted),
    )


def _named(request: web.Request) -> UUID:
    return decode.path_uuid(request, "provider_id")


def _me(_: web.Request) -> UUID:
    return _own_id()


def _own_id() -> UUID:
    try:
        return UUID(require_principal().subject)
    except ValueError:
        raise forbidden() from None


def _named_to_change(request: web.Request) -> UUID:
    """Return the provider whose services are to be changed: by themselves or an administrator."""
    provider_id, caller = _named(request), require_principal()
    if caller.may(WRITE):
        return provider_id
    if caller.has_any(Role.PROVIDER) and _own_id() == provider_id:
        return provider_id
    raise forbidden()


def _list_of(owner: _Owner) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        provider_id, db = owner(request), request.app[DATABASE]
        wanted = decode.query(request, PageQuery)
        key = tags.of_provider(provider_id)
        return await answers.page(
            request,
            key,
            (key, tags.of_list(SERVICES.tag)),
            wanted,
            lambda: offers.services_of(db, provider_id, wanted),
        )

    return handler


def _add_to(owner: _Owner) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        provider_id = owner(request)
        new = await decode.body(request, NewProviderService)
        service, is_new = await offers.add(request.app[DATABASE], provider_id, new.service_id)
        await answers.changed(request, tags.of_offer(provider_id, new.service_id))
        headers = {"ETag": etag(service.version), "Location": f"services/{service.id}"}
        return respond.ok(service, status=201 if is_new else 200, headers=headers)

    return handler


def _get_of(owner: _Owner) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        provider_id, db = owner(request), request.app[DATABASE]
        service_id = decode.path_uuid(request, "service_id")
        key = tags.of_provider(provider_id)
        return await answers.item(
            request,
            f"{key}/{service_id}",
            (key, tags.of_entry(SERVICES.tag, service_id)),
            lambda: offers.get(db, provider_id, service_id),
        )

    return handler


def _remove_from(owner: _Owner) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        provider_id = owner(request)
        service_id = decode.path_uuid(request, "service_id")
        await offers.remove(request.app[DATABASE], provider_id, service_id)
        await answers.changed(request, tags.of_offer(provider_id, service_id))
        return respond.no_content()

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
    """Return the four routes of a provider's services; `owner` is as in the path."""
    many, one = (
        f"/api/v1/providers/{owner}/services",
        f"/api/v1/providers/{owner}/services/{{service_id}}",
    )
    whose, whom = ("my", "I offer") if owner == "me" else ("provider", "a provider offers")
    missing = {"errors": (Code.NOT_FOUND,)}
    one_path = {**path, "service_id": UUID}
    listed = described(
        _list_of(read), f"list_{whose}_services", f"List the services {whom}", _TAG,
        path=path, query=PageQuery, headers=SEEN, returns=list[Service], paged=True,
    )  # fmt: skip
    added = described(
        _add_to(change), f"add_{whose}_service", f"Add to the services {whom}", _TAG,
        path=path, body=NewProviderService, returns=Service, status=201, **missing,
    )  # fmt: skip
    answered: dict[str, Any] = added.__apispec__["responses"]  # type: ignore[attr-defined] # just made
    answered["200"] = {**answered["201"], "description": "it was there already"}
    got = described(
        _get_of(read), f"get_{whose}_service", f"Get one of the services {whom}", _TAG,
        path=one_path, headers=SEEN, returns=Service, **missing,
    )  # fmt: skip
    removed = described(
        _remove_from(change), f"remove_{whose}_service", f"Take from the services {whom}", _TAG,
        path=one_path, status=204, **missing,
    )  # fmt: skip
    return (
        web.get(many, readers(listed)),
        web.post(many, writers(added)),
        web.get(one, readers(got)),
        web.delete(one, writers(removed)),
    )


ROUTES: Final = (
    web.get(
        "/api/v1/services/{id}/providers",
        public(
            described(
                list_providers_of_service,
                "list_providers_of_service",
                "List the providers of a service",
                _TAG,
                path=ID,
                query=PageQuery,
                headers=SEEN,
                returns=list[ProviderService],
                paged=True,
                errors=(Code.NOT_FOUND,),
            )
        ),
    ),
    # Before the providers: `me` is nobody's id.
    *_routes(
        "me",
        path={},
        readers=guarded(require_role(Role.PROVIDER)),
        writers=guarded(require_role(Role.PROVIDER), require_verified),
        read=_me,
        change=_me,
    ),
    *_routes(
        "{provider_id}",
        path={"provider_id": UUID},
        readers=public,
        writers=guarded(require_verified),
        read=_named,
        change=_named_to_change,
    ),
)
