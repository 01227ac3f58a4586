"""Email users about events that other users or devices caused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec

from lib.db import Executor
from lib.events import Event, Handler
from lib.ids import new_id
from services.user.service import throttle
from services.user.store import attempts, mail

_HOUR: Final = 3600.0
_TOLD_PER_HOUR: Final = 3


class ForCustomer(msgspec.Struct, frozen=True):
    """Fields used from `service_order.expired` and `job.done`."""

    customer_id: UUID


class JobCancelled(msgspec.Struct, frozen=True):
    """Fields used from `job.cancelled`. `by` is `customer`, `provider` or another party."""

    customer_id: UUID
    provider_id: UUID
    by: str


async def tell_of_new_device(tx: Executor, account_id: UUID) -> None:
    """Email the owner about a sign-in from an unknown device.

    Not each time for who keeps no device token: a program that signs in all day is told of a few
    times an hour.
    """
    counted = await attempts.count_attempt(
        tx, key=throttle.key("new-device", str(account_id)), seconds=_HOUR
    )
    if counted.attempts <= _TOLD_PER_HOUR:
        await tell(tx, account_id, "new_device")


async def _order_expired(tx: Executor, event: Event) -> None:
    told = event.decode(ForCustomer)
    await tell(tx, told.customer_id, "service_order_expired")


async def _job_cancelled(tx: Executor, event: Event) -> None:
    told = event.decode(JobCancelled)
    if told.by != "customer":
        await tell(tx, told.customer_id, "job_cancelled_for_customer")
    if told.by != "provider":
        await tell(tx, told.provider_id, "job_cancelled_for_provider")


async def _job_done(tx: Executor, event: Event) -> None:
    await tell(tx, event.decode(ForCustomer).customer_id, "job_done_for_customer")


async def tell(tx: Executor, account_id: UUID, template: str) -> None:
    """Email a user who exists and has a verified address."""
    await mail.tell_account(tx, id=new_id(), template=template, account_id=account_id)


HANDLERS: Final[Mapping[str, Mapping[str, Handler]]] = {
    "service-orders": {"service_order.expired": _order_expired},
    "jobs": {"job.done": _job_done, "job.cancelled": _job_cancelled},
}
