"""Which failures say something about the upstream, and which say something about the question."""

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
    """Whether `error` counts against the upstream: one that answers 4xx is doing its work."""
    if isinstance(error, AppError):
        return error.code in _UPSTREAM_FAULTS
    return isinstance(error, Exception)


def is_transient(error: BaseException) -> bool:
    """Return whether the same call may do better a moment later."""
    if isinstance(error, AppError):
        return error.code in _TRANSIENT
    return isinstance(error, OSError)  # TimeoutError and ConnectionError are both
