"""Apply one migration to PostgreSQL, with a bounded wait for locks and a report of progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import psycopg
from yoyo.backends import DatabaseBackend
from yoyo.migrations import Migration

ATTEMPTS: Final = 6
_WAIT = "2s"  # for a lock: queries behind us wait as long, so it is short
_PAUSE_SECONDS = 0.5  # before the second attempt, and twice as long before each further one
# The server's function for RAISE; its own notices, such as "does not exist, skipping", have others.
_RAISE = "exec_stmt_raise"
_PASSING = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


def apply_one(
    backend: DatabaseBackend, migration: Migration, *, report: Callable[[str], None]
) -> None:
    """Apply a migration and mark it as applied, in one transaction.

    Each attempt waits only briefly for a lock, so that queries behind the migration wait only
    briefly too. `SET LOCAL lock_timeout` in the file replaces this limit. Raises the exceptions of
    the driver. After the last attempt, this is `LockNotAvailable` or `DeadlockDetected`.

    A migration without a transaction has one attempt, because the changes before a failure stay.

    `report` receives each notice of the migration (`RAISE NOTICE`), so that a long change of rows
    in batches can show its progress.
    """
    migration.load()
    if not migration.use_transactions:
        with backend.copy() as working, _reporting(working, migration, report):
            migration.process_steps(working, "apply")
        with backend.transaction():
            backend.mark_one(migration)
        return
    pause = _PAUSE_SECONDS
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _in_one_transaction(backend, migration, report)
        except _PASSING:
            if attempt == ATTEMPTS:
                raise
            report(f"{migration.id} could not lock its tables, attempt {attempt} of {ATTEMPTS}")
        else:
            return
        time.sleep(pause)
        pause *= 2


def _in_one_transaction(
    backend: DatabaseBackend, migration: Migration, report: Callable[[str], None]
) -> None:
    with (
        backend.copy() as working,
        _reporting(working, migration, report),
        working.transaction(),
    ):
        working.execute(f"SET LOCAL lock_timeout = '{_WAIT}'")
        migration.process_steps(working, "apply")
        working.mark_one(migration)


@contextmanager
def _reporting(
    backend: DatabaseBackend, migration: Migration, report: Callable[[str], None]
) -> Iterator[None]:
    """Report the notices of a migration's statements as they arrive."""

    def show(notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "NOTICE" and notice.source_function == _RAISE:
            report(f"{migration.id}: {notice.message_primary}")

    connection = backend.connection
    connection.add_notice_handler(show)
    try:
        yield
    finally:
        connection.remove_notice_handler(show)
