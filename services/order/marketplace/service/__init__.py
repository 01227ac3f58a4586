"""The rules of service orders, offers, jobs and reviews; below is what follows from what.

The table is in the package itself, so that no rule can be used without it. All of it happens in the
transaction of the cause, in this order.
"""

from services.order.marketplace.service import events, offers, orders
from services.order.marketplace.service.facts import (
    HAPPENED,
    JobBegun,
    JobMoved,
    OfferMade,
    OrderMoved,
)

HAPPENED.on(OrderMoved, offers.reject_waiting)
HAPPENED.on(OrderMoved, events.order_moved)
HAPPENED.on(OfferMade, events.offer_made)
HAPPENED.on(JobBegun, events.job_begun)
HAPPENED.on(JobMoved, orders.follow_job)
HAPPENED.on(JobMoved, offers.follow_job)
HAPPENED.on(JobMoved, events.job_moved)
