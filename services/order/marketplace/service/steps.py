"""State transitions of service orders, offers and jobs, and the users who may trigger each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Final

from services.order.marketplace.store.models import JobStatus, OfferStatus, ServiceOrderStatus


class Actor(StrEnum):
    """The actor of a job transition: one of the parties, or an administrator."""

    CUSTOMER = "customer"
    PROVIDER = "provider"
    ADMIN = "admin"


class Verdict(Enum):
    """The result of a requested job transition."""

    MOVES = "moves"
    STAYS = "stays"
    FORBIDDEN = "forbidden"
    IMPOSSIBLE = "impossible"


class OrderStep(StrEnum):
    """Transitions of a service order."""

    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    ACCEPT = "accept"  # one of its offers
    COMPLETE = "complete"  # its job is done
    REOPEN = "reopen"  # its provider has cancelled the job
    DROP = "drop"  # its customer, or an administrator, has
    EXPIRE = "expire"  # its time is over, and no provider was found


class OfferStep(StrEnum):
    """Transitions of an offer."""

    CHANGE = "change"
    ACCEPT = "accept"
    REJECT = "reject"
    WITHDRAW = "withdraw"  # its provider is gone
    CANCEL = "cancel"  # its job is


_O, _F, _J = ServiceOrderStatus, OfferStatus, JobStatus

_ORDERS: Final[Mapping[tuple[ServiceOrderStatus, OrderStep], ServiceOrderStatus]] = {
    (_O.PENDING, OrderStep.PAUSE): _O.PAUSED,
    (_O.PENDING, OrderStep.CANCEL): _O.CANCELLED,
    (_O.PENDING, OrderStep.ACCEPT): _O.ASSIGNED,
    (_O.PENDING, OrderStep.EXPIRE): _O.EXPIRED,
    (_O.PAUSED, OrderStep.RESUME): _O.PENDING,
    (_O.PAUSED, OrderStep.CANCEL): _O.CANCELLED,
    (_O.PAUSED, OrderStep.EXPIRE): _O.EXPIRED,
    (_O.ASSIGNED, OrderStep.COMPLETE): _O.COMPLETED,
    (_O.ASSIGNED, OrderStep.REOPEN): _O.PENDING,
    (_O.ASSIGNED, OrderStep.DROP): _O.CANCELLED,
    (_O.COMPLETED, OrderStep.DROP): _O.CANCELLED,  # taken back by an administrator
}

_OFFERS: Final[Mapping[tuple[OfferStatus, OfferStep], OfferStatus]] = {
    (_F.PENDING, OfferStep.CHANGE): _F.PENDING,
    (_F.PENDING, OfferStep.ACCEPT): _F.ACCEPTED,
    (_F.PENDING, OfferStep.REJECT): _F.REJECTED,
    (_F.PENDING, OfferStep.WITHDRAW): _F.CANCELLED,
    (_F.ACCEPTED, OfferStep.CANCEL): _F.CANCELLED,
}

_EITHER: Final = frozenset(Actor)
_PROVIDER: Final = frozenset((Actor.PROVIDER, Actor.ADMIN))
_CUSTOMER: Final = frozenset((Actor.CUSTOMER, Actor.ADMIN))
_ADMIN: Final = frozenset((Actor.ADMIN,))

# Work under way is paused before one side alone may call it off. That it is completed is for the
# customer to say: points and reviews follow from it.
_JOBS: Final[Mapping[tuple[JobStatus, JobStatus], frozenset[Actor]]] = {
    (_J.PENDING, _J.IN_PROGRESS): _PROVIDER,
    (_J.PENDING, _J.CANCELLED): _EITHER,
    (_J.IN_PROGRESS, _J.PAUSED): _EITHER,
    (_J.IN_PROGRESS, _J.DONE): _PROVIDER,
    (_J.IN_PROGRESS, _J.COMPLETED): _CUSTOMER,
    (_J.IN_PROGRESS, _J.CANCELLED): _ADMIN,
    (_J.PAUSED, _J.IN_PROGRESS): _PROVIDER,
    (_J.PAUSED, _J.CANCELLED): _EITHER,
    (_J.DONE, _J.COMPLETED): _CUSTOMER,
    (_J.DONE, _J.IN_PROGRESS): _EITHER,  # it is not done after all
    (_J.DONE, _J.CANCELLED): _ADMIN,
    (_J.COMPLETED, _J.CANCELLED): _ADMIN,
}

_ASKED_FOR: Final = {
    _O.PENDING: OrderStep.RESUME,
    _O.PAUSED: OrderStep.PAUSE,
    _O.CANCELLED: OrderStep.CANCEL,
}


def order_after(status: ServiceOrderStatus, step: OrderStep) -> ServiceOrderStatus | None:
    """Return the next status, or None if the transition is not allowed."""
    return _ORDERS.get((status, step))


def order_moved(
    status: ServiceOrderStatus, wanted: ServiceOrderStatus
) -> ServiceOrderStatus | None:
    """Return `wanted` if it is already the order's status or the customer may set it, else None."""
    if status is wanted:
        return wanted
    step = _ASKED_FOR.get(wanted)
    return None if step is None else order_after(status, step)


def offer_after(status: OfferStatus, step: OfferStep) -> OfferStatus | None:
    """Return the next status, or None if the transition is not allowed."""
    return _OFFERS.get((status, step))


def verdict_on(status: JobStatus, wanted: JobStatus, actor: Actor) -> Verdict:
    """Decide whether `actor` may move a job from `status` to `wanted`."""
    if status is wanted:
        return Verdict.STAYS
    actors = _JOBS.get((status, wanted))
    if actors is None:
        return Verdict.IMPOSSIBLE
    return Verdict.MOVES if actor in actors else Verdict.FORBIDDEN


def order_step_of(job: JobStatus, actor: Actor) -> OrderStep | None:
    """Return the transition of the order that a new job status causes, or None."""
    if job is _J.COMPLETED:
        return OrderStep.COMPLETE
    if job is _J.CANCELLED:
        return OrderStep.REOPEN if actor is Actor.PROVIDER else OrderStep.DROP
    return None
