"""Profile pictures: store the file, update the reference, and later remove the old file."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final
from uuid import UUID

from lib.auth import Principal
from lib.db import Database, Executor
from lib.errors import AppError, Code
from lib.events.background import repeating
from lib.storage import Links, Storage
from services.user.images import Images
from services.user.service import accounts, audit
from services.user.store import profiles

MAX_BYTES: Final = 1024 * 1024
LINK_TTL: Final = timedelta(hours=24)
# A file without a reference after this time belongs to an interrupted upload.
_UNFINISHED_SECONDS: Final = 3600.0
_LEASE_SECONDS: Final = 60.0
_IDLE_SECONDS: Final = 1.0


async def link_to(links: Links, key: str | None) -> str | None:
    """Return a link to a picture, valid for a day, or None without a picture."""
    return None if key is None else await links.link(key, ttl=LINK_TTL)


async def replace(
    db: Database,
    storage: Storage,
    images: Images,
    principal: Principal,
    account_id: UUID,
    data: bytes,
    version: int | None,
) -> None:
    """Re-encode a picture, and store it in place of the former picture.

    No unused file stays after an interruption: the file is listed for removal before it is stored,
    and removed from this list when the account refers to it.

    Raises:
        AppError: VALIDATION_ERROR; NOT_FOUND; FORBIDDEN; PRECONDITION_FAILED; RATE_LIMIT_EXCEEDED
            if another picture of the caller is in progress; SERVICE_UNAVAILABLE if the storage is
            unavailable or too many pictures wait, and then nothing has changed.
    """
    # Fail early. The transaction below repeats this check.
    async with db.transaction() as tx:
        await accounts.lock(tx, principal, account_id, version)
    drawn = await images.redraw(data, sender=principal.subject)
    key = f"pfp/{secrets.token_hex(32)}"
    await profiles.add_file_to_remove(db, key=key, seconds=_UNFINISHED_SECONDS)
    await storage.put(key, drawn.data, content_type=drawn.content_type)
    async with db.transaction() as tx:
        person = await accounts.lock(tx, principal, account_id, version)
        if not await profiles.keep_file(tx, key=key):
            raise AppError(Code.CONFLICT, "the upload took too long; try again")
        await _show(tx, principal, account_id, key, former=person.picture_key)
        await audit.record(tx, "picture.replaced", account_id)


async def remove(db: Database, principal: Principal, account_id: UUID, version: int | None) -> None:
    """Remove the picture, if there is one. Raises the errors of `replace`."""
    async with db.transaction() as tx:
        person = await accounts.lock(tx, principal, account_id, version)
        if person.picture_key is None:
            return
        await _show(tx, principal, account_id, None, former=person.picture_key)
        await audit.record(tx, "picture.removed", account_id)


async def clear_away(db: Database, storage: Storage) -> bool:
    """Remove the unused file that has been due for the longest time. Return whether one was due.

    If a file cannot be removed now, it is tried again after a minute.
    """
    claimed = await profiles.claim_file_to_remove(db, lease_seconds=_LEASE_SECONDS)
    if claimed is None:
        return False
    await storage.delete(claimed.key)
    await profiles.keep_file(db, key=claimed.key)
    return True


@asynccontextmanager
async def clearing_away(db: Database, storage: Storage) -> AsyncIterator[None]:
    """Remove due files in the background while the block runs."""

    async def step() -> bool:
        return await clear_away(db, storage)

    async with repeating(step, name="files", idle_seconds=_IDLE_SECONDS):
        yield


async def _show(
    tx: Executor, principal: Principal, account_id: UUID, key: str | None, former: str | None
) -> None:
    await profiles.set_picture(tx, id=account_id, picture_key=key, updated_by=principal.subject)
    if former is not None:
        await profiles.add_file_to_remove(tx, key=former, seconds=0.0)
    await accounts.publish_account_event(tx, "updated", account_id)
