"""Routes of offers: created by providers, accepted by the customer of the order."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from lib.errors import Code
from lib.http import respond
from lib.http.app import Db
from lib.http.respond import Created, Done, Item
from lib.http.routes import CHANGE_ERRORS, Id, IfMatch, RequiredIfMatch, Routes, signed_in
from services.order.marketplace.model.offers import NewOffer, OfferChange
from services.order.marketplace.routes.access import VERIFIED, VERIFIED_PROVIDERS, Own, Who
from services.order.marketplace.service import offers as service
from services.order.marketplace.service.acceptance import accept
from services.order.marketplace.store.models import Job, Offer

route: Final = Routes("offers")


@route(
    "POST /api/v1/offers",
    "Create an offer for a service order",
    *CHANGE_ERRORS,
    access=VERIFIED_PROVIDERS,
)
async def make_offer(db: Db, new: NewOffer, provider_id: Own) -> Created[Offer]:
    """Create an offer whose provider is the caller. Return the offer with its URL."""
    made = await service.make(db, new, provider_id=provider_id)
    return respond.created(made, f"offers/{made.id}")


@route("GET /api/v1/offers/{id}", "Get an offer", Code.NOT_FOUND, access=signed_in())
async def get_offer(request: web.Request, db: Db, offer_id: Id, who: Who) -> Item[Offer]:
    """Return an offer with its `ETag`."""
    return respond.item(request, await service.get(db, offer_id, who))


@route("PATCH /api/v1/offers/{id}", "Update an offer", *CHANGE_ERRORS, access=VERIFIED_PROVIDERS)
async def change_offer(
    db: Db, offer_id: Id, changes: OfferChange, who: Who, version: IfMatch
) -> Item[Offer]:
    """Return the offer after a partial update. Only a pending offer can change."""
    return respond.changed(await service.change(db, offer_id, changes, who, version=version))


@route("DELETE /api/v1/offers/{id}", "Withdraw an offer", *CHANGE_ERRORS, access=VERIFIED)
async def remove_offer(db: Db, offer_id: Id, who: Who, version: IfMatch) -> Done:
    """Withdraw a pending offer."""
    await service.remove(db, offer_id, who, version=version)
    return respond.no_content()


@route("POST /api/v1/offers/{id}/accept", "Accept an offer", *CHANGE_ERRORS, access=VERIFIED)
async def accept_offer(db: Db, offer_id: Id, who: Who, version: RequiredIfMatch) -> Created[Job]:
    """Accept an offer and return its job. `If-Match` must be a version, not `*`."""
    job = await accept(db, offer_id, who, version=version)
    return respond.created(job, f"jobs/{job.id}")
