"""Encrypt personal IDs and authenticator secrets again: `python -m services.user.rekey`.

After this program has run, a former key can be removed. It also computes the fingerprints by which
equal personal IDs are found.

It prints how many values are encrypted with each key. You can stop the program, run it again, and
run it while the services run.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, SecretStr
from pydantic_settings import SettingsConfigDict

from lib.config import ConfigError, PostgresSettings, load
from lib.db import Database, Executor
from lib.db.postgres import open_database
from lib.errors import AppError, StartError
from services.user.personal_ids import PersonalIds, UnreadableError, parse_keys
from services.user.store import personal_ids as store
from services.user.store import second_factors

# Rows of one transaction. Services wait for its locks for milliseconds only.
BATCH: Final = 200
# At most this many accounts are named; the others are only counted.
_NAMED: Final = 20
_BEFORE_ALL: Final = UUID(int=0)
# An account, what is encrypted for it, and the name of the key.
_Sealed: TypeAlias = tuple[UUID, bytes, str]


def _keys(value: SecretStr) -> SecretStr:
    parse_keys(value.get_secret_value())
    return value


class RekeyConfig(PostgresSettings):
    """The required settings `USER_DATABASE_URL` and `USER_ENCRYPTION_KEYS` of the user service."""

    model_config = SettingsConfigDict(env_prefix="USER_")

    encryption_keys: Annotated[SecretStr, AfterValidator(_keys)]


@dataclass(slots=True)
class Outcome:
    """The numbers of encrypted values after a run of the command."""

    # Personal ids by the name of their key: the newest first, then the rest of the configured
    # ones, then those that are no longer configured.
    kept: dict[str, int] = field(default_factory=dict)
    # Personal ids that could not be read, and why, by account, for the first of them.
    unreadable: int = 0
    # Personal ids that other accounts have, too, from before there was one of each.
    shared: int = 0
    reasons: dict[UUID, str] = field(default_factory=dict)

    @property
    def former(self) -> int:
        """Return the number of values that are encrypted with former keys."""
        return sum(list(self.kept.values())[1:])


async def rekey(db: Database, keys: Mapping[str, bytes]) -> Outcome:
    """Encrypt with the first key every value that is encrypted with another key.

    Unreadable values stay unchanged.

    Each batch is a transaction: if the program is stopped, every value is still encrypted with one
    of the keys.
    """
    ids, outcome = PersonalIds(dict(keys)), Outcome()
    newest = next(iter(keys))
    for kind in (_PERSONAL_IDS, _AUTHENTICATORS):
        after = _BEFORE_ALL
        while (last := await _rekey_batch(db, ids, kind, newest, after, outcome)) is not None:
            after = last
    outcome.kept = dict.fromkeys(keys, 0)
    for row in await store.count_personal_ids(db):
        outcome.kept[row.key_id] = row.kept
    outcome.shared = await store.count_shared_personal_ids(db)
    return outcome


async def _rekey_batch(
    db: Database, ids: PersonalIds, kind: _Kind, newest: str, after: UUID, outcome: Outcome
) -> UUID | None:
    """Encrypt one batch of values again. Return its last account ID, or None for an empty batch."""
    async with db.transaction() as tx:
        rows = await kind.lock(tx, newest, after)
        read: dict[UUID, str] = {}
        for account_id, ciphertext, key_id in rows:
            try:
                read[account_id] = ids.decrypt(ciphertext, key_id, account_id)
            except UnreadableError as error:
                outcome.unreadable += 1
                if len(outcome.reasons) < _NAMED:
                    outcome.reasons[account_id] = str(error)
        if read:
            await kind.replace(tx, newest, ids, read)
    return rows[-1][0] if rows else None


async def _lock_personal_ids(tx: Executor, newest: str, after: UUID) -> list[_Sealed]:
    rows = await store.lock_former_personal_ids(tx, newest=newest, after=after, batch_size=BATCH)
    return [(row.account_id, row.personal_id, row.key_id) for row in rows]


async def _replace_personal_ids(
    tx: Executor, newest: str, ids: PersonalIds, read: Mapping[UUID, str]
) -> None:
    await store.replace_personal_ids(
        tx,
        newest=newest,
        account_ids=list(read),
        personal_ids=_encrypted(ids, read),
        fingerprints=[ids.fingerprints(number)[0] for number in read.values()],
    )


def _encrypted(ids: PersonalIds, read: Mapping[UUID, str]) -> list[bytes]:
    return [ids.encrypt(text, account_id).ciphertext for account_id, text in read.items()]


async def _lock_authenticators(tx: Executor, newest: str, after: UUID) -> list[_Sealed]:
    rows = await second_factors.lock_former_authenticators(
        tx, newest=newest, after=after, batch_size=BATCH
    )
    return [(row.account_id, row.secret, row.key_id) for row in rows]


async def _replace_authenticators(
    tx: Executor, newest: str, ids: PersonalIds, read: Mapping[UUID, str]
) -> None:
    await second_factors.replace_authenticators(
        tx, newest=newest, account_ids=list(read), secrets=_encrypted(ids, read)
    )


@dataclass(frozen=True, slots=True)
class _Kind:
    """A table of encrypted values, with queries that lock and replace its outdated rows."""

    lock: Callable[[Executor, str, UUID], Awaitable[list[_Sealed]]]
    replace: Callable[[Executor, str, PersonalIds, Mapping[UUID, str]], Awaitable[None]]


_PERSONAL_IDS: Final = _Kind(_lock_personal_ids, _replace_personal_ids)
_AUTHENTICATORS: Final = _Kind(_lock_authenticators, _replace_authenticators)


async def _run() -> Outcome:
    config = load(RekeyConfig)
    async with open_database(config, application="user-rekey") as db:
        return await rekey(db, parse_keys(config.encryption_keys.get_secret_value()))


def _complain(outcome: Outcome) -> None:
    if outcome.unreadable:
        print(
            f"{outcome.unreadable} personal ids cannot be decrypted and are unchanged:",
            file=sys.stderr,
        )
        for account_id, reason in outcome.reasons.items():
            print(f"  account {account_id}: {reason}", file=sys.stderr)
        if outcome.unreadable > len(outcome.reasons):
            print(f"  and {outcome.unreadable - len(outcome.reasons)} more", file=sys.stderr)
    if (shared := outcome.shared - outcome.unreadable) > 0:
        print(
            f"{shared} accounts have a personal id that another account has too",
            file=sys.stderr,
        )
    if outcome.former > outcome.unreadable:
        print(
            "another process wrote personal ids with a former key: run the command again",
            file=sys.stderr,
        )


def main(argv: list[str]) -> int:
    """Return the exit code: 0 all values use the newest key, 1 failure, 2 wrong usage."""
    argparse.ArgumentParser(prog="python -m services.user.rekey", description=__doc__).parse_args(
        argv
    )
    try:
        outcome = asyncio.run(_run())
    except (ConfigError, StartError, AppError) as error:
        print(error, file=sys.stderr)
        return 1
    for name, number in outcome.kept.items():
        print(f"{name}: {number}")
    _complain(outcome)
    return 1 if outcome.former else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
