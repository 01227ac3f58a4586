"""Events about changes of products and reservations, published with the change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from msgspec import Struct

from lib.db import Executor
from lib.events import Topic, Unpublished, publish_change, unpublished
from services.product.store.postgres.models import Product, Reservation, ReservationLine


class ProductRemoved(Struct, frozen=True):
    """The payload of `product.removed`. All other product events contain the whole product.

    Each event also has the `actor` who made the change.
    """

    id: UUID
    version: int


class ReservationEvent(Struct, frozen=True):
    """The payload of `reservation.made`, `.confirmed`, `.released` and `.expired`.

    `key` is the idempotency key of the reservation. `products` are the products whose stock has
    changed, in their new state. A consumer that keeps copies uses the copy with the highest
    version.
    """

    id: UUID
    owner: str
    key: str
    lines: Sequence[ReservationLine]
    products: Sequence[Product] = ()


PRODUCTS: Final = Topic(
    "products",
    {"product.created": Product, "product.changed": Product, "product.removed": ProductRemoved},
)
RESERVATIONS: Final = Topic(
    "reservations",
    {
        f"reservation.{what}": ReservationEvent
        for what in ("made", "confirmed", "released", "expired")
    },
)


async def product_event(tx: Executor, kind: str, product: Product) -> None:
    """Publish `product.created` or `product.changed`."""
    await publish_change(tx, topic=PRODUCTS, key=product.id, kind=kind, changed=product)


async def product_removed(tx: Executor, removed: ProductRemoved) -> None:
    """Publish `product.removed`."""
    await publish_change(
        tx, topic=PRODUCTS, key=removed.id, kind="product.removed", changed=removed
    )


def reservation_event(
    kind: str,
    reservation: Reservation,
    lines: Sequence[ReservationLine],
    products: Sequence[Product] = (),
) -> Unpublished:
    """Return the event about the new state of a reservation."""
    payload = ReservationEvent(
        reservation.id, reservation.owner, reservation.request_key, lines, products
    )
    return unpublished(topic=RESERVATIONS, key=str(reservation.id), kind=kind, payload=payload)
