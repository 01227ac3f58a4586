"""Apply one migration to PostgreSQL, with a bounded wait for locks."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import psycopg
from yoyo.backends import DatabaseBackend
from yoyo.migrations import Migration

ATTEMPTS: Final = 6
_WAIT = "2s"  # for a lock: queries behind us wait as long, so it is short
_PAUSE_SECONDS = 0.5  # before the second attempt, and twice as long before each further one
_PASSING = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


def apply_one(
    backend: DatabaseBackend, migration: Migration, *, report: Callable[[str], None]
) -> None:
    """Apply a migration and mark it as applied, in one transaction.

    A lock is waited for briefly and requested again, so that queries queue behind the migration
    only for moments. `SET LOCAL lock_timeout` in the file overrides the wait. Raises what the
    driver raises: after the last attempt `LockNotAvailable` or `DeadlockDetected`.

    A migration without a transaction is applied once, as yoyo does it: what it did before a failure
    stays, so that nothing is tried again.
    """
    migration.load()
    if not migration.use_transactions:
        backend.apply_one(migration)
        return
    pause = _PAUSE_SECONDS
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _in_one_transaction(backend, migration)
        except _PASSING:
            if attempt == ATTEMPTS:
                raise
            report(f"{migration.id} could not lock its tables, attempt {attempt} of {ATTEMPTS}")
        else:
            return
        time.sleep(pause)
        pause *= 2


def _in_one_transaction(backend: DatabaseBackend, migration: Migration) -> None:
    with backend.copy() as working, working.transaction():
        working.execute(f"SET LOCAL lock_timeout = '{_WAIT}'")
        migration.process_steps(working, "apply")
        working.mark_one(migration)
