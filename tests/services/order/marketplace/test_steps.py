"""The state machines: each status with each step, each requested status and each actor."""

from __future__ import annotations

from itertools import product
from typing import get_args

from services.order.marketplace.model.orders import WantedStatus
from services.order.marketplace.model.places import Capital
from services.order.marketplace.service.steps import (
    OfferStep,
    OrderStep,
    offer_after,
    order_after,
)
from services.order.marketplace.store.models import (
    CapitalKind,
    OfferStatus,
    ServiceOrderStatus,
)

# Status → step → status after it; what is not here is refused.
ORDERS = {
    "PENDING": {
        "pause": "PAUSED",
        "cancel": "CANCELLED",
        "accept": "ASSIGNED",
        "expire": "EXPIRED",
    },
    "PAUSED": {"resume": "PENDING", "cancel": "CANCELLED", "expire": "EXPIRED"},
    "ASSIGNED": {"complete": "COMPLETED", "reopen": "PENDING", "drop": "CANCELLED"},
    "COMPLETED": {"drop": "CANCELLED"},
    "CANCELLED": {},
    "EXPIRED": {},
}
OFFERS = {
    "PENDING": {
        "change": "PENDING",
        "accept": "ACCEPTED",
        "reject": "REJECTED",
        "withdraw": "CANCELLED",
    },
    "ACCEPTED": {"cancel": "CANCELLED"},
    "REJECTED": {},
    "CANCELLED": {},
}


def test_each_step_of_an_order_leads_where_the_table_says() -> None:
    for status, step in product(ServiceOrderStatus, OrderStep):
        assert order_after(status, step) == ORDERS[status].get(step), (status, step)


def test_each_step_of_an_offer_leads_where_the_table_says() -> None:
    for status, step in product(OfferStatus, OfferStep):
        assert offer_after(status, step) == OFFERS[status].get(step), (status, step)


def test_what_may_be_sent_is_what_the_schema_has() -> None:
    assert set(get_args(Capital)) == set(CapitalKind)
    assert set(get_args(WantedStatus)) < set(ServiceOrderStatus)
