"""Removes what has been over for long enough: sessions, tokens, counts, mails, answers, audit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from lib.db import Database
from lib.events.background import repeating
from lib.idempotency import IdempotencyKeys
from services.user.store import attempts, audit, mail, sessions, tokens

_EVERY_SECONDS: Final = 3600.0
_BATCH: Final = 1000


async def forget_old(db: Database, *, audit_days: int) -> None:
    """Remove it all once. Any number of processes may do so."""
    await sessions.forget_sessions(db)
    await tokens.forget_tokens(db)
    await attempts.forget_old_attempts(db)
    await mail.forget_mail(db)
    await IdempotencyKeys(db).forget_old()
    while await audit.forget_audit(db, keep_days=audit_days, batch_size=_BATCH) == _BATCH:
        pass


@asynccontextmanager
async def keeping_house(db: Database, *, audit_days: int) -> AsyncIterator[None]:
    """Do so every hour while the block runs."""

    async def step() -> bool:
        await forget_old(db, audit_days=audit_days)
        return False

    async with repeating(step, name="housekeeping", idle_seconds=_EVERY_SECONDS):
        yield
