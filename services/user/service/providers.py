"""Personal IDs of providers: encrypted and unique."""

from __future__ import annotations

from uuid import UUID

from lib.db import Executor
from lib.db.errors import UniqueViolationError
from lib.errors import AppError, Code
from services.user.personal_ids import PersonalIds
from services.user.store import accounts, personal_ids


async def keep_number(tx: Executor, ids: PersonalIds, account_id: UUID, number: str) -> None:
    """Store the personal ID of an account that has none yet.

    Raises:
        AppError: CONFLICT where another account has it.
    """
    # Under every key: while keys change, others have theirs under the former one.
    prints = ids.fingerprints(number)
    if await personal_ids.is_known_personal_id(tx, fingerprints=prints, account_id=account_id):
        raise _taken()
    sealed = ids.encrypt(number, account_id)
    try:
        await accounts.add_provider(
            tx,
            account_id=account_id,
            personal_id=sealed.ciphertext,
            key_id=sealed.key_id,
            fingerprint=prints[0],
        )
    except UniqueViolationError as error:
        raise _taken() from error


def _taken() -> AppError:
    return AppError(Code.CONFLICT, "the personal id belongs to another account")
