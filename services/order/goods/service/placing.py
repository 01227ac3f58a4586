"""Place an order: write a draft, reserve its products, then turn the draft into an order.

A crash between these steps leaves a row for the recovery: a draft, whose ID is the key of its
reservation, or an order whose stock is not confirmed yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from lib.db.errors import UniqueViolationError
from lib.errors import AppError, Code, not_found
from lib.ids import new_id
from lib.log import get_logger
from lib.resource.rules import check_distinct
from services.order.goods.model.orders import NewOrder
from services.order.goods.service import finishing
from services.order.goods.service.events import OrderEvent, order_event
from services.order.goods.service.pricing import Price, price_of
from services.order.goods.service.shop import Found, Shop, user_if_known
from services.order.goods.store import drafts, orders
from services.order.goods.store.models import GoodsDraft, GoodsOrder, GoodsStatus
from services.order.ports import NO_ANSWER, Reservation, User, Wanted

log = get_logger(__name__)

# Orders of one user that hold products and are not confirmed yet.
MAX_WAITING: Final = 100
# An attempt fails only if a concurrent repetition of the same request is abandoned.
_ATTEMPTS: Final = 10
_UNLIMITED: Final = Decimal(10) ** 18


@dataclass(frozen=True, slots=True)
class Request:
    """The caller, the customer to order for, and the idempotency key."""

    user_id: UUID
    actor: str
    key: str | None = None


async def place(shop: Shop, new: NewOrder, request: Request) -> Found:
    """Place the order, or return the order that an earlier identical request placed.

    If the user service cannot say whether the user may order, the order is placed with
    `pending_validation`.

    Raises:
        AppError: VALIDATION_ERROR for a repeated product or several currencies; NOT_FOUND or
            BAD_REQUEST if the user does not exist or is not active; CONFLICT if products are
            unavailable (the details name their lines), or if the user has too many unconfirmed
            orders; SERVICE_UNAVAILABLE, DEADLINE_EXCEEDED or CIRCUIT_OPEN if the product service
            does not respond. After an error, nothing is ordered.
    """
    check_distinct(
        [line.product_id for line in new.lines],
        "lines[{}].product_id",
        "is already in another line of the request",
    )
    try:
        user = await _orderer(shop, request.user_id)
    except AppError:
        # A customer who may no longer order still gets the order that the same request has placed.
        if (earlier := await _earlier(shop, request, new)) is not None:
            return earlier
        raise
    for _ in range(_ATTEMPTS):
        with suppress(_GivenUpError):
            # aiosqlc_loops: repeated only if an equal request has failed meanwhile
            draft = await _add_draft(shop, request, new, pending_validation=user is None)
            if draft is not None:
                return await _place(shop, draft, user)
            # aiosqlc_loops: repeated for the same reason
            if (earlier := await _earlier(shop, request, new)) is not None:
                return earlier
            # aiosqlc_loops: repeated for the same reason
            if await orders.count_waiting(shop.db, user_id=request.user_id) >= MAX_WAITING:
                raise _no_room()
            # What had the key is over since, and its key is free again.
    raise _at_the_same_time()


async def proceed(shop: Shop, draft: GoodsDraft) -> GoodsOrder:
    """Reserve the products of a draft and turn it into an order.

    It is safe to repeat the call after a crash.

    Raises:
        AppError: CONFLICT or VALIDATION_ERROR if the products cannot be reserved; the draft is
            deleted. Other errors if a service did not respond; the draft stays.
    """
    held, price = await _hold(shop, draft)
    return await _become_order(shop, draft, held, price)


async def _hold(shop: Shop, draft: GoodsDraft) -> tuple[Reservation, Price]:
    try:
        held = await shop.products.reserve(draft.id, _wanted(shop, draft))
    except AppError as error:
        if error.code is Code.CONFLICT:
            left = await drafts.get_draft(shop.db, id=draft.id)
            await drafts.remove_draft(shop.db, id=draft.id)
            if left is None or left.abandoned:  # another repetition has given back what it held
                raise _GivenUpError from error
        raise
    by_product = {line.product_id: line for line in held.lines}
    lines = [by_product[product_id] for product_id in draft.product_ids]
    try:
        price = price_of(lines)
    except AppError:
        await drafts.abandon_draft(shop.db, id=draft.id)
        raise
    return replace(held, lines=lines), price


def _wanted(shop: Shop, draft: GoodsDraft) -> list[Wanted]:
    """Return the lines to reserve, each with the stock that the product must have."""
    limits = shop.limits if _is_limited(draft) else None
    return [
        Wanted(product_id, quantity, 0 if limits is None else limits.min_stock(quantity, held))
        for product_id, quantity, held in zip(
            draft.product_ids, draft.quantities, draft.held, strict=True
        )
    ]


def _is_limited(draft: GoodsDraft) -> bool:
    """Return whether `shop.limits` apply. Orders that the staff place for a customer are exempt."""
    return draft.created_by == str(draft.user_id)


async def give_up(shop: Shop, draft: GoodsDraft) -> None:
    """Release the reservation of a draft and delete the draft, unless it has become an order.

    Raises:
        AppError: if the product service did not respond; repeat the call.
    """
    if not await drafts.abandon_draft(shop.db, id=draft.id):
        return
    try:
        # Only the product service knows whether the reservation exists. A repeated request with
        # the same key returns it.
        held = await shop.products.reserve(
            draft.id, list(map(Wanted, draft.product_ids, draft.quantities))
        )
    except AppError as error:
        if error.code is not Code.CONFLICT:
            raise
    else:
        await shop.products.release(held.id)
    await drafts.remove_draft(shop.db, id=draft.id)


async def _place(shop: Shop, draft: GoodsDraft, user: User | None) -> Found:
    try:
        held, price = await _hold(shop, draft)
        order = await _become_order(shop, draft, held, price)
    except AppError as error:
        if error.code in NO_ANSWER:
            # The response says that nothing was ordered, so the draft must never become an order.
            with suppress(AppError):
                await drafts.abandon_draft(shop.db, id=draft.id)
        raise
    return Found(await finishing.try_now(shop, order), held.lines, user)


async def _earlier(shop: Shop, request: Request, new: NewOrder) -> Found | None:
    """Return the order of an earlier identical request, or None. Finish an interrupted order."""
    if request.key is None:
        return None
    names = {"created_by": request.actor, "request_key": request.key}
    if (draft := await drafts.find_draft(shop.db, **names)) is not None:
        before = dict(zip(draft.product_ids, draft.quantities, strict=True))
        _check_same(request, new, draft.user_id, before)
        return await _place(shop, draft, None)
    if (order := await orders.find_order(shop.db, **names)) is None:
        return None
    lines = await orders.list_lines(shop.db, order_ids=[order.id])
    before = {line.product_id: line.quantity for line in lines}
    _check_same(request, new, order.user_id, before)
    return Found(order, lines, await user_if_known(shop, order), replayed=True)


def _check_same(request: Request, new: NewOrder, user_id: UUID, before: Mapping[UUID, int]) -> None:
    now = {line.product_id: line.quantity for line in new.lines}
    if (user_id, before) != (request.user_id, now):
        raise AppError(
            Code.IDEMPOTENCY_KEY_REUSED, "this Idempotency-Key was used for another order"
        )


def _no_room() -> AppError:
    """Return the error for a customer with too many unconfirmed orders."""
    message = f"{MAX_WAITING} orders are waiting for confirmation: cancel an order or wait"
    return AppError(Code.CONFLICT, message)


def _too_much(shop: Shop, currency: str) -> AppError:
    most = shop.limits.value(currency)
    return AppError(
        Code.CONFLICT,
        f"your unconfirmed orders would total more than {most} {currency}",
    )


async def _orderer(shop: Shop, user_id: UUID) -> User | None:
    """Return the customer, or None if the user service is down. Raises NOT_FOUND or BAD_REQUEST."""
    try:
        user = await shop.users.find(user_id)
    except AppError as error:
        log.warning("user_not_validated", user_id=str(user_id), error=error)
        return None
    if user is None:
        raise not_found("user")
    if not user.active:
        raise AppError(Code.BAD_REQUEST, finishing.INACTIVE_USER)
    return user


async def _add_draft(
    shop: Shop, request: Request, new: NewOrder, *, pending_validation: bool
) -> GoodsDraft | None:
    return await drafts.add_draft(
        shop.db,
        id=new_id(),
        user_id=request.user_id,
        pending_validation=pending_validation,
        created_by=request.actor,
        request_key=request.key,
        lease_seconds=shop.lease_seconds,
        most=MAX_WAITING,
        product_ids=[line.product_id for line in new.lines],
        quantities=[line.quantity for line in new.lines],
    )


async def _become_order(
    shop: Shop, draft: GoodsDraft, held: Reservation, price: Price
) -> GoodsOrder:
    event = order_event(
        OrderEvent(draft.id, draft.user_id, GoodsStatus.PENDING, price.total, price.currency)
    )
    try:
        order = await orders.add_order(
            shop.db,
            id=draft.id,
            most=MAX_WAITING,
            most_value=shop.limits.value(price.currency) if _is_limited(draft) else _UNLIMITED,
            total=price.total,
            currency=price.currency,
            reservation_id=held.id,
            lease_seconds=shop.lease_seconds,
            product_ids=draft.product_ids,
            quantities=draft.quantities,
            unit_prices=[line.unit_price for line in held.lines],
            event_id=event.id,
            lane=event.lane,
            topic=event.topic,
            kind=event.kind,
            payload=event.payload,
            request_id=event.request_id,
            traceparent=event.traceparent,
        )
    except UniqueViolationError:
        # The same request, twice at once: the other one was faster.
        await drafts.abandon_draft(shop.db, id=draft.id)
        raise _at_the_same_time() from None
    return order or await _made_by_another(shop, draft, price)


async def _made_by_another(shop: Shop, draft: GoodsDraft, price: Price) -> GoodsOrder:
    """Return the order that a concurrent request made of the same draft, or raise CONFLICT."""
    order = await orders.lock_order(shop.db, id=draft.id)
    if order is not None:
        return order
    left = await drafts.get_draft(shop.db, id=draft.id)
    # It will never be one: the recovery gives back what it held.
    await drafts.abandon_draft(shop.db, id=draft.id)
    if left is not None and not left.abandoned:
        waiting = await orders.count_waiting(shop.db, user_id=draft.user_id)
        raise _no_room() if waiting >= MAX_WAITING else _too_much(shop, price.currency)
    raise _GivenUpError


class _GivenUpError(AppError):
    """A concurrent request abandoned the draft after a failure, so the key can be used again."""

    def __init__(self) -> None:
        super().__init__(
            Code.CONFLICT, "another request with this Idempotency-Key has just failed; try again"
        )


def _at_the_same_time() -> AppError:
    return AppError(
        Code.CONFLICT,
        "the same request is in progress; try again",
        headers={"Retry-After": "1"},
    )
