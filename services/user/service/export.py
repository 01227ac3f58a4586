"""Export all stored data of an account for its owner."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from lib.db import Database
from lib.log import get_logger
from services.user.personal_ids import PersonalIds, UnreadableError, preview
from services.user.ports import Elsewhere, Others
from services.user.service import accounts, audit
from services.user.store import identities, profiles, second_factors
from services.user.store.profiles import (
    ExportAuditRow,
    ExportMailsRow,
    ExportSessionsRow,
)
from services.user.views import Person, person_view

log = get_logger(__name__)


class ExportedPasskey(Struct, frozen=True):
    """A passkey: its name, and the times of its creation and last use."""

    name: str
    created_at: datetime
    used_at: datetime | None


class ExportedIdentity(Struct, frozen=True):
    """A linked identity: its issuer, and the ID of the user at that issuer."""

    issuer: Annotated[str, Meta(examples=["https://accounts.example.com"])]
    subject: Annotated[str, Meta(examples=["248289761001"])]
    created_at: datetime
    used_at: datetime | None


class ExportedAccount(Struct, frozen=True):
    """All stored data of an account, except password and token hashes."""

    exported_at: datetime
    account: Person
    personal_id_number: str | None
    sessions: Sequence[ExportSessionsRow]
    passkeys: Sequence[ExportedPasskey]
    identities: Sequence[ExportedIdentity]
    mails: Sequence[ExportMailsRow]
    activity: Sequence[ExportAuditRow]
    elsewhere: Elsewhere


async def export(
    db: Database,
    personal_ids: PersonalIds,
    others: Others,
    account_id: UUID,
    *,
    picture_url: str | None,
    now: datetime,
) -> ExportedAccount:
    """Return all data about an account, including the data that other services hold.

    Raises:
        AppError: NOT_FOUND if the account does not exist.
    """
    # First: no transaction is held while others are asked.
    elsewhere = await others.collect(account_id)
    async with db.transaction(isolation="repeatable_read") as tx:
        person = await accounts.get(tx, account_id)
        sealed = await profiles.personal_id_of(tx, account_id=account_id)
        number = (
            None
            if sealed is None
            else opened(personal_ids, sealed.personal_id, sealed.key_id, account_id)
        )
        exported = ExportedAccount(
            exported_at=now,
            account=person_view(
                person,
                picture_url,
                preview=None if number is None else preview(number),
                salary=True,
            ),
            personal_id_number=number,
            sessions=await profiles.export_sessions(tx, account_id=account_id),
            passkeys=[
                ExportedPasskey(row.name, row.created_at, row.used_at)
                for row in await second_factors.list_passkeys(tx, account_id=account_id)
            ],
            identities=[
                ExportedIdentity(row.issuer, row.subject, row.created_at, row.used_at)
                for row in await identities.list_identities(tx, account_id=account_id)
            ],
            mails=await profiles.export_mails(tx, account_id=account_id),
            activity=await profiles.export_audit(tx, account_id=account_id),
            elsewhere=elsewhere,
        )
        await audit.record(tx, "account.exported", account_id)
    return exported


def opened(personal_ids: PersonalIds, sealed: bytes, key_id: str, account_id: UUID) -> str | None:
    """Return a decrypted personal ID. Return None and log the reason if decryption fails."""
    try:
        return personal_ids.decrypt(sealed, key_id, account_id)
    except UnreadableError as error:
        # The rest is theirs all the same.
        log.error("personal_id_unreadable", account=str(account_id), reason=str(error))  # noqa: TRY400 - the reason says it all
        return None
