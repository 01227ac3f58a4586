"""Offers over HTTP: made by providers, accepted by the order's customer."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from lib.errors import Code
from lib.http import decode, respond
from lib.http.app import DATABASE
from lib.http.etag import if_match
from lib.http.openapi import operation
from services.order.marketplace.model.offers import NewOffer, OfferChange
from services.order.marketplace.routes.access import (
    caller,
    own_id,
    signed_in,
    verified,
    verified_providers,
)
from services.order.marketplace.routes.describe import CHANGE_ERRORS, ID, SEEN, VERSION
from services.order.marketplace.service import offers as service
from services.order.marketplace.service.acceptance import accept
from services.order.marketplace.store.models import Job, Offer

_TAGS: Final = ("offers",)


@verified_providers
@operation(
    summary="Make an offer on a service order",
    tags=_TAGS,
    body=NewOffer,
    returns=Offer,
    status=201,
    errors=(Code.NOT_FOUND, Code.CONFLICT),
)
async def make_offer(request: web.Request) -> web.Response:
    """The new offer, which is the caller's, with where it is."""
    new = await decode.body(request, NewOffer)
    made = await service.make(request.app[DATABASE], new, provider_id=own_id())
    return respond.created(made, location=f"offers/{made.id}", version=made.version)


@signed_in
@operation(
    summary="Get an offer",
    tags=_TAGS,
    path=ID,
    headers=SEEN,
    returns=Offer,
    errors=(Code.NOT_FOUND,),
)
async def get_offer(request: web.Request) -> web.Response:
    """One offer with its `ETag`."""
    found = await service.get(request.app[DATABASE], decode.path_uuid(request), caller())
    return respond.item(request, found, version=found.version)


@verified_providers
@operation(
    summary="Change an offer",
    tags=_TAGS,
    path=ID,
    headers=VERSION,
    body=OfferChange,
    returns=Offer,
    errors=CHANGE_ERRORS,
)
async def change_offer(request: web.Request) -> web.Response:
    """The offer after a partial change, while it waits."""
    offer_id = decode.path_uuid(request)
    changes = await decode.body(request, OfferChange)
    changed = await service.change(
        request.app[DATABASE], offer_id, changes, caller(), version=if_match(request)
    )
    return respond.changed(changed, version=changed.version)


@verified
@operation(
    summary="Take back an offer",
    tags=_TAGS,
    path=ID,
    headers=VERSION,
    status=204,
    errors=CHANGE_ERRORS,
)
async def remove_offer(request: web.Request) -> web.Response:
    """Nothing, when it is done; only while the offer waits."""
    offer_id = decode.path_uuid(request)
    await service.remove(request.app[DATABASE], offer_id, caller(), version=if_match(request))
    return respond.no_content()


@verified
@operation(
    summary="Accept an offer",
    tags=_TAGS,
    path=ID,
    headers=VERSION,
    returns=Job,
    status=201,
    errors=CHANGE_ERRORS,
)
async def accept_offer(request: web.Request) -> web.Response:
    """The job it has become. `If-Match` makes sure that the offer is the one that was seen."""
    offer_id = decode.path_uuid(request)
    job = await accept(request.app[DATABASE], offer_id, caller(), version=if_match(request))
    return respond.created(job, location=f"jobs/{job.id}", version=job.version)


ROUTES: Final = (
    web.post("/api/v1/offers", make_offer),
    web.get("/api/v1/offers/{id}", get_offer),
    web.patch("/api/v1/offers/{id}", change_offer),
    web.delete("/api/v1/offers/{id}", remove_offer),
    web.post("/api/v1/offers/{id}/accept", accept_offer),
)
