"""Map the exceptions of the drivers to the application's errors."""

from __future__ import annotations

from typing import NoReturn

import asyncpg

from lib.db.errors import (
    CheckViolationError,
    DatabaseUnavailableError,
    ForeignKeyViolationError,
    SerializationFailureError,
    StatementTimeoutError,
    UniqueViolationError,
)
from lib.errors import AppError, Code

# The driver meets a connection that broke while idle with an error about its own state.
BROKEN_CONNECTION = asyncpg.InternalClientError
DRIVER_FAILURES = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    BROKEN_CONNECTION,
    OSError,
    TimeoutError,
)

_VIOLATIONS = {
    asyncpg.UniqueViolationError: UniqueViolationError,
    asyncpg.ExclusionViolationError: UniqueViolationError,
    asyncpg.ForeignKeyViolationError: ForeignKeyViolationError,
    asyncpg.CheckViolationError: CheckViolationError,
}
_RACES = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
_TIMEOUTS = (TimeoutError, asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError)
_UNAVAILABLE = (
    OSError,
    BROKEN_CONNECTION,
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    # Another server is the primary by now, or this one is kept from writing.
    asyncpg.ReadOnlySQLTransactionError,
)
# How the driver says that a connection or the pool went away under a statement.
_GONE = ("closed", "closing", "released back to the pool")


def translate(error: BaseException) -> BaseException:
    """Return the application error for a driver's exception.

    Other exceptions are returned unchanged.
    """
    violation = _VIOLATIONS.get(type(error))
    if violation is not None:
        return violation(getattr(error, "constraint_name", None) or "")
    if isinstance(error, _RACES):
        return SerializationFailureError()
    # TimeoutError is an OSError, so it has to be asked for first.
    if isinstance(error, _TIMEOUTS):
        return StatementTimeoutError()
    if isinstance(error, _UNAVAILABLE):
        return DatabaseUnavailableError()
    if isinstance(error, asyncpg.InterfaceError) and any(word in str(error) for word in _GONE):
        return DatabaseUnavailableError()
    if isinstance(
        error, (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
    ):
        return AppError(Code.BAD_REQUEST, "a text contains a character that cannot be stored")
    return error


def raise_translated(error: BaseException) -> NoReturn:
    """Raise the error that `translate` returns, with the driver's exception as its cause."""
    translated = translate(error)
    if translated is error:
        raise error
    raise translated from error
