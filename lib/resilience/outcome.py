"""Distinguish failures of the upstream from failures caused by the request."""

from __future__ import annotations

from typing import Final

from lib.errors import AppError, Code

_UPSTREAM_FAULTS: Final = frozenset(
    {
        Code.SERVICE_UNAVAILABLE,
        Code.CIRCUIT_OPEN,
        Code.DEADLINE_EXCEEDED,
        Code.INTERNAL_ERROR,
    }
)
# An internal error may have done half of the work; only these are worth asking again.
_TRANSIENT: Final = frozenset({Code.SERVICE_UNAVAILABLE, Code.DEADLINE_EXCEEDED})


def is_upstream_fault(error: BaseException) -> bool:
    """Return whether `error` counts as a failure of the upstream. A 4xx does not count."""
    if isinstance(error, AppError):
        return error.code in _UPSTREAM_FAULTS
    return isinstance(error, Exception)


def is_transient(error: BaseException) -> bool:
    """Return whether a repetition of the call may succeed."""
    if isinstance(error, AppError):
        return error.code in _TRANSIENT
    return isinstance(error, OSError)  # TimeoutError and ConnectionError are both
