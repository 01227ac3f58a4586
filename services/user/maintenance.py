"""Remove expired data: sessions, tokens, counters, emails, idempotency keys and audit entries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from lib.db import Database
from lib.events.background import repeating
from lib.idempotency import IdempotencyKeys
from services.user.service import deletion
from services.user.store import addresses, attempts, audit, identities, mail, sessions, tokens

_EVERY_SECONDS: Final = 3600.0
_BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Keep:
    """Retention in days for the audit trail, its network addresses, and deleted accounts."""

    audit_days: int
    address_days: int
    deleted_days: int


async def forget_old(db: Database, keep: Keep) -> None:
    """Remove all expired data once. Several processes may remove data at the same time."""
    await sessions.forget_sessions(db)
    await tokens.forget_tokens(db)
    await identities.forget_identity_requests(db)
    await attempts.forget_old_attempts(db)
    await mail.forget_mail(db)
    await addresses.forget_former_addresses(db)
    await IdempotencyKeys(db).forget_old()
    while await audit.forget_audit(db, keep_days=keep.audit_days, batch_size=_BATCH) == _BATCH:
        pass
    while await audit.erase_addresses(db, keep_days=keep.address_days, batch_size=_BATCH) == _BATCH:
        pass
    while await deletion.erase_old(db, keep_days=keep.deleted_days, most=_BATCH) == _BATCH:
        pass


@asynccontextmanager
async def maintaining(db: Database, keep: Keep) -> AsyncIterator[None]:
    """Remove expired data every hour while the block runs."""

    async def step() -> bool:
        await forget_old(db, keep)
        return False

    async with repeating(step, name="housekeeping", idle_seconds=_EVERY_SECONDS):
        yield
