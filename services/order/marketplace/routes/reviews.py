"""Routes of reviews, written by the parties of a completed job."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from lib.errors import Code
from lib.http import respond
from lib.http.app import Db
from lib.http.respond import Created, Done, Item
from lib.http.routes import CHANGE_ERRORS, PUBLIC, Id, IfMatch, Routes
from services.order.marketplace.model.reviews import NewReview, ReviewChange
from services.order.marketplace.routes.access import VERIFIED, Who
from services.order.marketplace.routes.views import ReviewView, view_of_review
from services.order.marketplace.service import reviews as service

route: Final = Routes("reviews")


@route("POST /api/v1/reviews", "Create a review", *CHANGE_ERRORS, access=VERIFIED)
async def add_review(db: Db, new: NewReview, who: Who) -> Created[ReviewView]:
    """Create a review. Return the review with its URL."""
    added = await service.add(db, new, who)
    return respond.created(view_of_review(added, who), f"reviews/{added.id}")


@route("GET /api/v1/reviews/{id}", "Get a review", Code.NOT_FOUND, access=PUBLIC)
async def get_review(request: web.Request, db: Db, review_id: Id, who: Who) -> Item[ReviewView]:
    """Return a review with its `ETag`.

    Only the two parties and the staff see a review about a customer.
    """
    return respond.item(request, view_of_review(await service.get(db, review_id, who), who))


@route("PATCH /api/v1/reviews/{id}", "Update a review", *CHANGE_ERRORS, access=VERIFIED)
async def change_review(
    db: Db, review_id: Id, changes: ReviewChange, who: Who, version: IfMatch
) -> Item[ReviewView]:
    """Return the review after a partial update by its author."""
    changed = await service.change(db, review_id, changes, who, version=version)
    return respond.changed(view_of_review(changed, who))


@route("DELETE /api/v1/reviews/{id}", "Delete a review", *CHANGE_ERRORS, access=VERIFIED)
async def remove_review(db: Db, review_id: Id, who: Who, version: IfMatch) -> Done:
    """Delete a review."""
    await service.remove(db, review_id, who, version=version)
    return respond.no_content()
