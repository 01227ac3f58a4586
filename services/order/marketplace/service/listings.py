"""Lists of service orders, offers, jobs and reviews, with page numbers or cursors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from lib.auth.guards import forbidden
from lib.clock import Clock, utc_now
from lib.db import Executor
from lib.resource.lists import Extent, Walk, empty_page, page_of, page_or_walk_of
from services.order.marketplace.model.box import ROUNDING_KM, around
from services.order.marketplace.model.caller import Caller
from services.order.marketplace.model.lists import (
    Direction,
    ListJobs,
    ListOffers,
    ListOrdersOf,
    ListReviews,
    ListServiceOrders,
)
from services.order.marketplace.model.places import Location
from services.order.marketplace.service import orders
from services.order.marketplace.store import jobs, keyset, offers, reviews, service_orders
from services.order.marketplace.store.models import (
    Job,
    Offer,
    Review,
    ReviewSide,
    ServiceOrder,
    ServiceOrderStatus,
)
from services.order.marketplace.store.service_orders import ListServiceOrdersNearRow


async def orders_for(
    db: Executor, wanted: ListServiceOrders, caller: Caller, *, clock: Clock = utc_now
) -> tuple[Sequence[ServiceOrder], Extent]:
    """Return the orders that the caller may see: all for the staff, open orders for providers.

    Other callers see their own orders.
    """
    if caller.sees_all:
        return await _orders(db, wanted)
    if caller.is_provider:
        if wanted.status not in (None, "PENDING"):
            return empty_page(wanted)
        return await _orders(db, wanted, status=ServiceOrderStatus.PENDING, open_after=clock())
    return await orders_of(db, _id_of(caller), wanted)


async def orders_near(
    db: Executor, place: Location, wanted: ListServiceOrders, *, clock: Clock = utc_now
) -> tuple[Sequence[ListServiceOrdersNearRow], int]:
    """Return open orders within the radius, nearest first, with the distance in kilometres.

    The radius and the distances refer to the rounded locations, because providers see only these.
    """
    if wanted.status not in (None, "PENDING"):
        return [], 0
    boxes = around(place.longitude, place.latitude, wanted.radius_km + ROUNDING_KM)
    return await page_of(
        wanted,
        service_orders.list_service_orders_near,
        db,
        longitude=place.longitude,
        latitude=place.latitude,
        open_after=clock(),
        **asdict(boxes),
        radius_km=wanted.radius_km,
        service_id=wanted.service_id,
    )


async def orders_of(
    db: Executor, customer_id: UUID, wanted: ListOrdersOf
) -> tuple[Sequence[ServiceOrder], Extent]:
    """Return the orders of one customer."""
    return await page_or_walk_of(
        wanted,
        service_orders.list_service_orders_of,
        Walk(service_orders.walk_service_orders_of, keyset),
        db,
        sort=wanted.sql_sort,
        status=wanted.status,
        service_id=wanted.service_id,
        customer_id=customer_id,
    )


async def offers_on(
    db: Executor, order_id: UUID, wanted: ListOffers, caller: Caller
) -> tuple[Sequence[Offer], Extent]:
    """Return all offers on an order to its customer and the staff, else the provider's own offers.

    Raises:
        AppError: NOT_FOUND if the caller may not see the order.
    """
    order = await orders.get(db, order_id, caller)
    if not caller.may_see_of(order.customer_id):
        return await offers_of(db, _id_of(caller), wanted, order_id=order_id)
    return await page_or_walk_of(
        wanted,
        offers.list_offers_on,
        Walk(offers.walk_offers_on, keyset),
        db,
        sort=wanted.sql_sort,
        status=wanted.status,
        order_id=order_id,
    )


async def offers_of(
    db: Executor, provider_id: UUID, wanted: ListOffers, *, order_id: UUID | None = None
) -> tuple[Sequence[Offer], Extent]:
    """Return the offers of one provider, on all orders or on one."""
    return await page_or_walk_of(
        wanted,
        offers.list_offers_of,
        Walk(offers.walk_offers_of, keyset),
        db,
        sort=wanted.sql_sort,
        status=wanted.status,
        provider_id=provider_id,
        order_id=order_id,
    )


async def all_jobs(db: Executor, wanted: ListJobs) -> tuple[Sequence[Job], Extent]:
    """Return the jobs of all users."""
    return await page_or_walk_of(
        wanted,
        jobs.list_jobs,
        Walk(jobs.walk_jobs, keyset),
        db,
        sort=wanted.sql_sort,
        status=wanted.status,
    )


async def jobs_of_customer(
    db: Executor, customer_id: UUID, wanted: ListJobs
) -> tuple[Sequence[Job], Extent]:
    """Return the jobs of a customer."""
    return await page_or_walk_of(
        wanted,
        jobs.list_jobs_of_customer,
        Walk(jobs.walk_jobs_of_customer, keyset),
        db,
        sort=wanted.sql_sort,
        status=wanted.status,
        customer_id=customer_id,
    )


async def jobs_of_provider(
    db: Executor, provider_id: UUID, wanted: ListJobs
) -> tuple[Sequence[Job], Extent]:
    """Return the jobs of a provider."""
    return await page_or_walk_of(
        wanted,
        jobs.list_jobs_of_provider,
        Walk(jobs.walk_jobs_of_provider, keyset),
        db,
        sort=wanted.sql_sort,
        status=wanted.status,
        provider_id=provider_id,
    )


async def reviews_of_customer(
    db: Executor, customer_id: UUID, wanted: ListReviews
) -> tuple[Sequence[Review], Extent]:
    """Return the reviews about a customer, or the reviews that the customer has written."""
    written = wanted.direction is Direction.WRITTEN
    return await page_or_walk_of(
        wanted,
        reviews.list_reviews_of_customer,
        Walk(reviews.walk_reviews_of_customer, keyset),
        db,
        sort=wanted.sql_sort,
        side=ReviewSide.CUSTOMER if written else ReviewSide.PROVIDER,
        customer_id=customer_id,
    )


async def reviews_of_provider(
    db: Executor, provider_id: UUID, wanted: ListReviews
) -> tuple[Sequence[Review], Extent]:
    """Return the reviews about a provider, or the reviews that the provider has written."""
    written = wanted.direction is Direction.WRITTEN
    return await page_or_walk_of(
        wanted,
        reviews.list_reviews_of_provider,
        Walk(reviews.walk_reviews_of_provider, keyset),
        db,
        sort=wanted.sql_sort,
        side=ReviewSide.PROVIDER if written else ReviewSide.CUSTOMER,
        provider_id=provider_id,
    )


async def _orders(
    db: Executor,
    wanted: ListOrdersOf,
    *,
    status: ServiceOrderStatus | None = None,
    open_after: datetime | None = None,
) -> tuple[Sequence[ServiceOrder], Extent]:
    return await page_or_walk_of(
        wanted,
        service_orders.list_service_orders,
        Walk(service_orders.walk_service_orders, keyset),
        db,
        sort=wanted.sql_sort,
        changing={"open_after": open_after},
        status=status or wanted.status,
        service_id=wanted.service_id,
    )


def _id_of(caller: Caller) -> UUID:
    if caller.id is None:
        raise forbidden()
    return caller.id
