"""What people have to do with: the lists of a provider and of a customer, `me` included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from aiohttp import web
from aiohttp.typedefs import Handler

from lib.http import decode, respond
from lib.http.app import DATABASE
from lib.http.middleware.auth import public
from lib.http.openapi import operation
from services.order.marketplace.model.lists import (
    Direction,
    ListJobs,
    ListOffers,
    ListOrdersOf,
    ListReviews,
)
from services.order.marketplace.routes import access
from services.order.marketplace.routes.describe import ID, described
from services.order.marketplace.routes.views import (
    ReviewView,
    ServiceOrderView,
    view_of_order,
    view_of_review,
)
from services.order.marketplace.service import listings
from services.order.marketplace.store.models import Job, Offer

_Owner = Callable[[web.Request], UUID]
_Guard = Callable[[Handler], Handler]


def _offers_of_provider(owner: _Owner) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        person, wanted = owner(request), decode.query(request, ListOffers)
        rows, total = await listings.offers_of(request.app[DATABASE], person, wanted)
        return respond.page(rows, wanted, total)

    return handler


def _jobs_of_provider(owner: _Owner) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        person, wanted = owner(request), decode.query(request, ListJobs)
        rows, total = await listings.jobs_of(request.app[DATABASE], wanted, provider_id=person)
        return respond.page(rows, wanted, total)

    return handler


def _jobs_of_customer(owner: _Owner) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        person, wanted = owner(request), decode.query(request, ListJobs)
        rows, total = await listings.jobs_of(request.app[DATABASE], wanted, customer_id=person)
        return respond.page(rows, wanted, total)

    return handler


def _orders_of_customer(owner: _Owner) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        person, wanted = owner(request), decode.query(request, ListOrdersOf)
        rows, total = await listings.orders_of(request.app[DATABASE], person, wanted)
        return respond.page([view_of_order(row) for row in rows], wanted, total)

    return handler


def _reviews_of_provider(owner: _Owner) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        wanted = decode.query(request, ListReviews)
        # What is said of a provider is for everyone; what the provider says of customers is not.
        person = owner(request)
        if wanted.direction is Direction.WRITTEN:
            access.check_may_read(person)
        rows, total = await listings.reviews_of(request.app[DATABASE], wanted, provider_id=person)
        who = access.caller()
        return respond.page([view_of_review(row, who) for row in rows], wanted, total)

    return handler


def _reviews_of_customer(owner: _Owner) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        person, wanted = owner(request), decode.query(request, ListReviews)
        rows, total = await listings.reviews_of(request.app[DATABASE], wanted, customer_id=person)
        who = access.caller()
        return respond.page([view_of_review(row, who) for row in rows], wanted, total)

    return handler


def _lists(
    people: str, kind: str, handler: Callable[[_Owner], Handler], of_me: _Guard, **about: object
) -> tuple[web.RouteDef, ...]:
    """Return a list under `me`, for that role, and under a person's id."""
    what, name = kind.replace("-", " "), kind.replace("-", "_")
    noun = people.removesuffix("s")
    is_public = (people, kind) == ("providers", "reviews")
    guard, owner = (
        (public, access.anyone_named) if is_public else (access.signed_in, access.named_to_read)
    )
    mine = described(
        handler(access.me), f"list_my_{name}_as_{noun}", f"List my {what} as a {noun}", people,
        paged=True, **about,
    )  # fmt: skip
    theirs = described(
        handler(owner), f"list_{name}_of_{noun}", f"List the {what} of a {noun}", people,
        path=ID, paged=True, **about,
    )  # fmt: skip
    return (
        # Before the people: `me` is nobody's id.
        web.get(f"/api/v1/{people}/me/{kind}", of_me(mine)),
        web.get(f"/api/v1/{people}/{{id}}/{kind}", guard(theirs)),
    )


@access.signed_in
@operation(summary="List jobs", tags=("jobs",), query=ListJobs, returns=list[Job], paged=True)
async def list_jobs(request: web.Request) -> web.Response:
    """All to the staff; to everybody else their own, as a provider or as a customer."""
    wanted, who = decode.query(request, ListJobs), access.caller()
    own = None if who.sees_all else access.own_id()
    rows, total = await listings.jobs_of(
        request.app[DATABASE],
        wanted,
        provider_id=own if who.is_provider else None,
        customer_id=None if who.is_provider else own,
    )
    return respond.page(rows, wanted, total)


_OFFERS: Final = {"query": ListOffers, "returns": list[Offer]}
_JOBS: Final = {"query": ListJobs, "returns": list[Job]}
_ORDERS: Final = {"query": ListOrdersOf, "returns": list[ServiceOrderView]}
_REVIEWS: Final = {"query": ListReviews, "returns": list[ReviewView]}

ROUTES: Final = (
    web.get("/api/v1/jobs", list_jobs),
    *_lists("providers", "offers", _offers_of_provider, access.providers, **_OFFERS),
    *_lists("providers", "jobs", _jobs_of_provider, access.providers, **_JOBS),
    *_lists("providers", "reviews", _reviews_of_provider, access.providers, **_REVIEWS),
    *_lists("customers", "service-orders", _orders_of_customer, access.customers, **_ORDERS),
    *_lists("customers", "jobs", _jobs_of_customer, access.customers, **_JOBS),
    *_lists("customers", "reviews", _reviews_of_customer, access.customers, **_REVIEWS),
)
