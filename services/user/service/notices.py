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
_EMAILS_PER_HOUR: Final = 3


class ForCustomer(msgspec.Struct, frozen=True):
    """Fields used from `service_order.expired` and `job.done`."""

    customer_id: UUID


class JobCancelled(msgspec.Struct, frozen=True):
    """Fields used from `job.cancelled`. `by` is the party that cancelled, such as `customer`."""

    customer_id: UUID
    provider_id: UUID
    by: str


async def notify_new_device(tx: Executor, account_id: UUID) -> None:
    """Email the owner about a sign-in from an unknown device.

    At most three emails are sent in an hour, because a program without a device token may sign in
    many times.
    """
    counted = await attempts.count_attempt(
        tx, key=throttle.key("new-device", str(account_id)), seconds=_HOUR
    )
    if counted.attempts <= _EMAILS_PER_HOUR:
        await notify(tx, account_id, "new_device")


async def _order_expired(tx: Executor, event: Event) -> None:
    event_data = event.decode(ForCustomer)
    await notify(tx, event_data.customer_id, "service_order_expired")


async def _job_cancelled(tx: Executor, event: Event) -> None:
    event_data = event.decode(JobCancelled)
    if event_data.by != "customer":
        await notify(tx, event_data.customer_id, "job_cancelled_for_customer")
    if event_data.by != "provider":
        await notify(tx, event_data.provider_id, "job_cancelled_for_provider")


async def _job_done(tx: Executor, event: Event) -> None:
    await notify(tx, event.decode(ForCustomer).customer_id, "job_done_for_customer")


async def notify(tx: Executor, account_id: UUID, template: str) -> None:
    """Email the owner of an account, if it is active and its address is verified."""
    await mail.add_mail_for_account(tx, id=new_id(), template=template, account_id=account_id)


HANDLERS: Final[Mapping[str, Mapping[str, Handler]]] = {
    "service-orders": {"service_order.expired": _order_expired},
    "jobs": {"job.done": _job_done, "job.cancelled": _job_cancelled},
}
