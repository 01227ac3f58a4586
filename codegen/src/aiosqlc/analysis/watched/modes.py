"""The table locks of both engines, from the weakest to the strongest.

PostgreSQL's modes and conflicts are from the chapter "Explicit Locking" of the manual, and MySQL's
from the chapter "Online DDL Operations".
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, TypeAlias

LONGEST_WAIT: Final = 3600
"""A lock timeout of this many seconds or more counts as no limit."""


class Mode(IntEnum):
    """A mode of a lock on a relation; a mode with a larger number conflicts with more modes."""

    ACCESS_SHARE = 1
    ROW_SHARE = 2
    ROW_EXCLUSIVE = 3
    SHARE_UPDATE_EXCLUSIVE = 4
    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8

    @property
    def written(self) -> str:
        """Return the mode as SQL writes it: `ACCESS EXCLUSIVE`."""
        return self.name.replace("_", " ")

    def conflicts(self, other: Mode) -> bool:
        """Return whether two transactions cannot lock one relation in both modes at once."""
        return other in _CONFLICTS[self]

    @property
    def stops_writes(self) -> bool:
        """Return whether INSERT, UPDATE and DELETE wait for a lock of this mode."""
        return self.conflicts(Mode.ROW_EXCLUSIVE)

    @property
    def stops_reads(self) -> bool:
        """Return whether SELECT waits for a lock of this mode."""
        return self.conflicts(Mode.ACCESS_SHARE)

    @property
    def timeout(self) -> str:
        """Return the name of the setting that limits the wait for a lock of this type."""
        return "lock_timeout"

    @property
    def patience(self) -> str:
        """Return the statement that limits the wait for a lock, and the place to write it."""
        return "`SET LOCAL lock_timeout = '2s';` in a transaction"


class TableLock(IntEnum):
    """The lock of a statement on a table of MySQL or MariaDB.

    EXCLUSIVE blocks both writes and reads. ROWS are shared locks on all rows that a statement has
    read, and block writes.
    """

    ROWS = 1
    SHARED = 2
    EXCLUSIVE = 3

    @property
    def written(self) -> str:
        """Return the lock as ALTER TABLE writes it: `LOCK=SHARED`."""
        return "shared row locks" if self is TableLock.ROWS else f"LOCK={self.name}"

    @property
    def stops_writes(self) -> bool:
        """Return True, because writes wait for each kind of lock."""
        return True

    @property
    def stops_reads(self) -> bool:
        """Return whether SELECT waits for this lock."""
        return self is TableLock.EXCLUSIVE

    @property
    def timeout(self) -> str:
        """Return the name of the setting that limits the wait for a lock of this type."""
        return "lock_wait_timeout"

    @property
    def patience(self) -> str:
        """Return the statement that limits the wait for a lock, and the place to write it."""
        return "`SET SESSION lock_wait_timeout = 2;`"


Lock: TypeAlias = Mode | TableLock


def mode_of(reported: str) -> Mode:
    """Return the lock mode for a value of `pg_locks.mode`, such as `AccessExclusiveLock`."""
    return _REPORTED[reported]


_A, _RS, _RE, _SU, _S, _SR, _E, _X = Mode
_CONFLICTS = {
    _A: {_X},
    _RS: {_E, _X},
    _RE: {_S, _SR, _E, _X},
    _SU: {_SU, _S, _SR, _E, _X},
    _S: {_RE, _SU, _SR, _E, _X},
    _SR: {_RE, _SU, _S, _SR, _E, _X},
    _E: {_RS, _RE, _SU, _S, _SR, _E, _X},
    _X: set(Mode),
}
_REPORTED = {"".join(mode.name.title().split("_")) + "Lock": mode for mode in Mode}
