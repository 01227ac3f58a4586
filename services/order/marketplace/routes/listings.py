"""Routes that list the data of a provider or of a customer, given by ID or as `me`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

from lib.http import respond
from lib.http.app import Db
from lib.http.respond import Page
from lib.http.routes import PUBLIC, Access, Routes, signed_in
from services.order.marketplace.model.lists import (
    Direction,
    ListJobs,
    ListOffers,
    ListOrdersOf,
    ListReviews,
)
from services.order.marketplace.routes import access
from services.order.marketplace.routes.views import (
    ReviewView,
    ServiceOrderView,
    view_of_order,
    view_of_review,
)
from services.order.marketplace.service import listings
from services.order.marketplace.store.models import Job, Offer

route: Final = Routes("jobs")


@route("GET /api/v1/jobs", "List jobs", access=signed_in())
async def list_jobs(db: Db, wanted: ListJobs, who: access.Who) -> Page[Job]:
    """Return all jobs to the staff. Providers and customers get their own jobs."""
    if who.sees_all:
        return respond.page(wanted, *await listings.all_jobs(db, wanted))
    of_side = _jobs_of_provider if who.is_provider else _jobs_of_customer
    return await of_side(db, access.own_id(), wanted)


async def _offers_of_provider(db: Db, person: UUID, wanted: ListOffers) -> Page[Offer]:
    return respond.page(wanted, *await listings.offers_of(db, person, wanted))


async def _jobs_of_provider(db: Db, person: UUID, wanted: ListJobs) -> Page[Job]:
    return respond.page(wanted, *await listings.jobs_of_provider(db, person, wanted))


async def _jobs_of_customer(db: Db, person: UUID, wanted: ListJobs) -> Page[Job]:
    return respond.page(wanted, *await listings.jobs_of_customer(db, person, wanted))


async def _orders_of_customer(db: Db, person: UUID, wanted: ListOrdersOf) -> Page[ServiceOrderView]:
    rows, total = await listings.orders_of(db, person, wanted)
    return respond.page(wanted, [view_of_order(row, exact=True) for row in rows], total)


async def _reviews_of_provider(
    db: Db, wanted: ListReviews, person: UUID, who: access.Who
) -> Page[ReviewView]:
    # What is said of a provider is for everyone; what the provider says of customers is not.
    if wanted.direction is Direction.WRITTEN:
        access.check_may_read(person)
    rows, total = await listings.reviews_of_provider(db, person, wanted)
    return respond.page(wanted, [view_of_review(row, who) for row in rows], total)


async def _reviews_of_customer(
    db: Db, person: UUID, wanted: ListReviews, who: access.Who
) -> Page[ReviewView]:
    rows, total = await listings.reviews_of_customer(db, person, wanted)
    return respond.page(wanted, [view_of_review(row, who) for row in rows], total)


def _declare(
    people: str, kind: str, handler: Callable[..., Awaitable[Page[Any]]], of_me: Access
) -> None:
    """Declare the routes `/{people}/me/{kind}` and `/{people}/{id}/{kind}`, which list data."""
    what, name = kind.replace("-", " "), kind.replace("-", "_")
    noun = people.removesuffix("s")
    is_public = (people, kind) == ("providers", "reviews")
    # Declared before the routes with an ID, because `me` is not an ID.
    route(
        f"GET /api/v1/{people}/me/{kind}", f"List my {what} as a {noun}",
        access=of_me, name=f"list_my_{name}_as_{noun}", tag=people, types={"person": access.ME},
    )(handler)  # fmt: skip
    owner = access.ANYONE if is_public else access.NAMED_TO_READ
    route(
        f"GET /api/v1/{people}/{{id}}/{kind}", f"List the {what} of a {noun}",
        access=PUBLIC if is_public else signed_in(),
        name=f"list_{name}_of_{noun}", tag=people, types={"person": owner},
    )(handler)  # fmt: skip


_declare("providers", "offers", _offers_of_provider, access.PROVIDERS)
_declare("providers", "jobs", _jobs_of_provider, access.PROVIDERS)
_declare("providers", "reviews", _reviews_of_provider, access.PROVIDERS)
_declare("customers", "service-orders", _orders_of_customer, access.CUSTOMERS)
_declare("customers", "jobs", _jobs_of_customer, access.CUSTOMERS)
_declare("customers", "reviews", _reviews_of_customer, access.CUSTOMERS)
