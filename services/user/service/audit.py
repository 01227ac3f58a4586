"""The audit trail. Write a change and its entry in the audit trail in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from lib import context
from lib.clock import in_utc
from lib.db import Executor
from lib.db.like import contains
from lib.ids import new_id
from lib.resource.lists import Extent, Walk, page_or_walk_of
from lib.resource.rules import or_not_found
from services.user import origin
from services.user.model.roles import AuditQuery
from services.user.store import audit, keyset
from services.user.store.models import AuditEntry


async def record(
    tx: Executor,
    action: str,
    resource_id: UUID | str,
    *,
    resource_type: str = "account",
    actor: UUID | str | None = None,
    **details: object,
) -> None:
    """Add an audit entry about an object. Never pass secrets or personal data as `details`.

    Args:
        tx: the transaction of the action, so that the database stores both or neither.
        action: the name of the action, such as `password.changed`.
        resource_id: the ID of the affected object.
        resource_type: the type of the affected object.
        actor: the actor, if it is not the caller of the request.
        details: further details; any value that msgspec encodes as JSON.
    """
    await audit.add_audit_entry(
        tx,
        id=new_id(),
        actor=origin.actor() if actor is None else str(actor),
        action=action,
        resource_type=resource_type,
        resource_id=str(resource_id),
        request_id=context.request_id.get(),
        address=context.client.get(),
        details=msgspec.json.encode(details).decode(),
    )


async def get(db: Executor, entry_id: UUID) -> AuditEntry:
    """Return one entry. Raises AppError(NOT_FOUND)."""
    return or_not_found(await audit.get_audit_entry(db, id=entry_id), "audit entry")


async def list_page(db: Executor, query: AuditQuery) -> tuple[Sequence[AuditEntry], Extent]:
    """Return the page of entries that `query` selects, newest entry first."""
    search = contains(query.search)
    since = None if query.since is None else in_utc(query.since)
    until = None if query.until is None else in_utc(query.until)
    return await page_or_walk_of(
        query,
        audit.list_audit,
        Walk(audit.walk_audit, keyset),
        db,
        actor=query.actor,
        action=query.action,
        resource_type=query.resource_type,
        resource_id=query.resource_id,
        search=search,
        since=since,
        until=until,
    )
