"""Business rules of service orders, offers, jobs and reviews, and the events between them.

An import of any module of this package registers all handlers below. They run in the transaction of
the event, in this order.
"""

from services.order.marketplace.service import events, offers, orders, reviews
from services.order.marketplace.service.domain_events import (
    DOMAIN_EVENTS,
    JobMoved,
    JobStarted,
    OfferMade,
    OrdersMoved,
)

DOMAIN_EVENTS.on(OrdersMoved, offers.reject_waiting)
DOMAIN_EVENTS.on(OrdersMoved, events.orders_moved)
DOMAIN_EVENTS.on(OfferMade, events.offer_made)
DOMAIN_EVENTS.on(JobStarted, events.job_started)
DOMAIN_EVENTS.on(JobMoved, orders.follow_job)
DOMAIN_EVENTS.on(JobMoved, offers.follow_job)
DOMAIN_EVENTS.on(JobMoved, reviews.follow_job)
DOMAIN_EVENTS.on(JobMoved, events.job_moved)
