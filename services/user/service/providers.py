"""Personal IDs of providers: encrypted and unique."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from lib.db import Executor
from lib.resource.rules import change_errors, conflict
from services.user.personal_ids import PersonalIds
from services.user.store import accounts, personal_ids

_TAKEN: Final = "the personal id belongs to another account"


async def keep_number(tx: Executor, ids: PersonalIds, account_id: UUID, number: str) -> None:
    """Store the personal ID of an account that has none yet.

    Raises:
        AppError: CONFLICT if another account has the personal ID.
    """
    # Under every key: while keys change, others have theirs under the former one.
    prints = ids.fingerprints(number)
    if await personal_ids.is_known_personal_id(tx, fingerprints=prints, account_id=account_id):
        raise conflict(_TAKEN)
    sealed = ids.encrypt(number, account_id)
    with change_errors(taken=_TAKEN):
        await accounts.add_provider(
            tx,
            account_id=account_id,
            personal_id=sealed.ciphertext,
            key_id=sealed.key_id,
            fingerprint=prints[0],
        )
