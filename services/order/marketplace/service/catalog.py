"""Check with the catalog service that the ordered service exists."""

from __future__ import annotations

from uuid import UUID

from lib.errors import AppError, not_found
from lib.log import get_logger
from services.order.ports import Catalog

log = get_logger(__name__)


async def check_service(catalog: Catalog, service_id: UUID) -> None:
    """Raise NOT_FOUND for a service that does not exist.

    Accept any service if the catalog is unavailable.

    An order for a service that does not exist gets no offers. This is less harm than refusing all
    orders while the catalog is unavailable.
    """
    try:
        known = await catalog.has_service(service_id)
    except AppError as error:
        log.warning("service_not_checked", service_id=str(service_id), error=error)
        return
    if not known:
        raise not_found("service")
