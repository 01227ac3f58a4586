"""The state machines, exhaustively: each status with each step or wish, and each actor."""

from __future__ import annotations

from itertools import product
from typing import get_args

from services.order.marketplace.model.orders import WantedStatus
from services.order.marketplace.model.places import Capital
from services.order.marketplace.service.steps import (
    Actor,
    OfferStep,
    OrderStep,
    Verdict,
    judge,
    offer_after,
    order_after,
    order_moved,
    order_step_of,
)
from services.order.marketplace.store.models import (
    CapitalKind,
    JobStatus,
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
# Status → wish → who may; what is not here cannot follow.
JOBS = {
    "PENDING": {"IN_PROGRESS": "provider admin", "CANCELLED": "customer provider admin"},
    "IN_PROGRESS": {
        "PAUSED": "customer provider admin",
        "DONE": "provider admin",
        "COMPLETED": "customer admin",
        "CANCELLED": "admin",
    },
    "PAUSED": {"IN_PROGRESS": "provider admin", "CANCELLED": "customer provider admin"},
    "DONE": {
        "COMPLETED": "customer admin",
        "IN_PROGRESS": "customer provider admin",
        "CANCELLED": "admin",
    },
    "COMPLETED": {"CANCELLED": "admin"},
    "CANCELLED": {},
}
WISHES = {
    ("PENDING", "PENDING"), ("PENDING", "PAUSED"), ("PENDING", "CANCELLED"),
    ("PAUSED", "PENDING"), ("PAUSED", "PAUSED"), ("PAUSED", "CANCELLED"),
    ("ASSIGNED", "ASSIGNED"), ("COMPLETED", "COMPLETED"), ("CANCELLED", "CANCELLED"),
    ("EXPIRED", "EXPIRED"),
}  # fmt: skip


def test_each_step_of_an_order_leads_where_the_table_says() -> None:
    for status, step in product(ServiceOrderStatus, OrderStep):
        assert order_after(status, step) == ORDERS[status].get(step), (status, step)


def test_each_wish_of_a_customer_is_granted_or_refused_by_the_table() -> None:
    for status, wanted in product(ServiceOrderStatus, ServiceOrderStatus):
        granted = wanted if (status, wanted) in WISHES else None
        assert order_moved(status, wanted) is granted, (status, wanted)


def test_each_step_of_an_offer_leads_where_the_table_says() -> None:
    for status, step in product(OfferStatus, OfferStep):
        assert offer_after(status, step) == OFFERS[status].get(step), (status, step)


def test_each_wish_for_a_job_is_judged_as_the_table_says() -> None:
    for status, wanted, actor in product(JobStatus, JobStatus, Actor):
        assert judge(status, wanted, actor) is judged(status, wanted, actor), (
            status,
            wanted,
            actor,
        )


def judged(status: str, wanted: str, actor: str) -> Verdict:
    """Read the verdict off the table."""
    if status == wanted:
        return Verdict.STAYS
    if wanted not in JOBS[status]:
        return Verdict.IMPOSSIBLE
    return Verdict.MOVES if actor in JOBS[status][wanted].split() else Verdict.FORBIDDEN


def test_an_order_follows_its_job() -> None:
    for status, actor in product(JobStatus, Actor):
        expected = {
            JobStatus.COMPLETED: OrderStep.COMPLETE,
            JobStatus.CANCELLED: OrderStep.REOPEN if actor == "provider" else OrderStep.DROP,
        }.get(status)
        assert order_step_of(status, actor) is expected, (status, actor)


def test_what_may_be_sent_is_what_the_schema_has() -> None:
    assert set(get_args(Capital)) == set(CapitalKind)
    assert set(get_args(WantedStatus)) < set(ServiceOrderStatus)
