"""Business rules of service orders, offers, jobs and reviews, and the events between them.

The table is in the package itself, so that no rule can be used without it. All of it happens in the
transaction of the cause, in this order.
"""

from services.order.marketplace.service import events, offers, orders, reviews
from services.order.marketplace.service.domain_events import (
    DOMAIN_EVENTS,
    JobBegun,
    JobMoved,
    OfferMade,
    OrdersMoved,
)

DOMAIN_EVENTS.on(OrdersMoved, offers.reject_waiting)
DOMAIN_EVENTS.on(OrdersMoved, events.orders_moved)
DOMAIN_EVENTS.on(OfferMade, events.offer_made)
DOMAIN_EVENTS.on(JobBegun, events.job_begun)
DOMAIN_EVENTS.on(JobMoved, orders.follow_job)
DOMAIN_EVENTS.on(JobMoved, offers.follow_job)
DOMAIN_EVENTS.on(JobMoved, reviews.follow_job)
DOMAIN_EVENTS.on(JobMoved, events.job_moved)
