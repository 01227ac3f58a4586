"""HTTP routes of the service marketplace, one module per kind of resource."""

from __future__ import annotations

from typing import Final

from services.order.marketplace.routes import (
    cities,
    currencies,
    jobs,
    listings,
    locations,
    offers,
    orders,
    reviews,
)

ROUTES: Final = (
    *currencies.route,
    *cities.route,
    *orders.route,
    *offers.route,
    *jobs.route,
    *reviews.route,
    *locations.route,
    *listings.route,
)
