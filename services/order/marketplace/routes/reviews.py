"""Reviews over HTTP: written by the sides of a job that is done."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from lib.errors import Code
from lib.http import decode, respond
from lib.http.app import DATABASE
from lib.http.etag import if_match
from lib.http.middleware.auth import public
from lib.http.openapi import operation
from services.order.marketplace.model.reviews import NewReview, ReviewChange
from services.order.marketplace.routes.access import caller, verified
from services.order.marketplace.routes.describe import CHANGE_ERRORS, ID, SEEN, VERSION
from services.order.marketplace.routes.views import ReviewView, view_of_review
from services.order.marketplace.service import reviews as service

_TAGS: Final = ("reviews",)


@verified
@operation(
    summary="Review the other side of a job",
    tags=_TAGS,
    body=NewReview,
    returns=ReviewView,
    status=201,
    errors=(Code.NOT_FOUND, Code.CONFLICT),
)
async def add_review(request: web.Request) -> web.Response:
    """The new review, with where it is."""
    new = await decode.body(request, NewReview)
    added = await service.add(request.app[DATABASE], new, caller())
    return respond.created(
        view_of_review(added, caller()), location=f"reviews/{added.id}", version=added.version
    )


@public
@operation(
    summary="Get a review",
    tags=_TAGS,
    path=ID,
    headers=SEEN,
    returns=ReviewView,
    errors=(Code.NOT_FOUND,),
)
async def get_review(request: web.Request) -> web.Response:
    """One review with its `ETag`; one of a customer is for the two and the staff alone."""
    found = await service.get(request.app[DATABASE], decode.path_uuid(request), caller())
    return respond.item(request, view_of_review(found, caller()), version=found.version)


@verified
@operation(
    summary="Change a review",
    tags=_TAGS,
    path=ID,
    headers=VERSION,
    body=ReviewChange,
    returns=ReviewView,
    errors=CHANGE_ERRORS,
)
async def change_review(request: web.Request) -> web.Response:
    """The review after a partial change by its author."""
    review_id = decode.path_uuid(request)
    changes = await decode.body(request, ReviewChange)
    changed = await service.change(
        request.app[DATABASE], review_id, changes, caller(), version=if_match(request)
    )
    return respond.changed(view_of_review(changed, caller()), version=changed.version)


@verified
@operation(
    summary="Remove a review",
    tags=_TAGS,
    path=ID,
    headers=VERSION,
    status=204,
    errors=CHANGE_ERRORS,
)
async def remove_review(request: web.Request) -> web.Response:
    """Nothing, when it is done."""
    review_id = decode.path_uuid(request)
    await service.remove(request.app[DATABASE], review_id, caller(), version=if_match(request))
    return respond.no_content()


ROUTES: Final = (
    web.post("/api/v1/reviews", add_review),
    web.get("/api/v1/reviews/{id}", get_review),
    web.patch("/api/v1/reviews/{id}", change_review),
    web.delete("/api/v1/reviews/{id}", remove_review),
)
