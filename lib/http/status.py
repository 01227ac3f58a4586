"""The mapping between error codes and HTTP statuses, in both directions."""

from __future__ import annotations

from lib.errors import Code

STATUS: dict[Code, int] = {
    Code.BAD_REQUEST: 400,
    Code.VALIDATION_ERROR: 400,
    Code.UNAUTHORIZED: 401,
    Code.FORBIDDEN: 403,
    Code.NOT_FOUND: 404,
    Code.METHOD_NOT_ALLOWED: 405,
    Code.CONFLICT: 409,
    Code.PRECONDITION_FAILED: 412,
    Code.PAYLOAD_TOO_LARGE: 413,
    Code.UNSUPPORTED_MEDIA_TYPE: 415,
    Code.IDEMPOTENCY_KEY_REUSED: 422,
    Code.PRECONDITION_REQUIRED: 428,
    Code.RATE_LIMIT_EXCEEDED: 429,
    Code.INTERNAL_ERROR: 500,
    Code.SERVICE_UNAVAILABLE: 503,
    Code.CIRCUIT_OPEN: 503,
    Code.DEADLINE_EXCEEDED: 504,
}

# Where several codes share a status, the more general one stands for it.
_GENERAL = {400: Code.BAD_REQUEST, 503: Code.SERVICE_UNAVAILABLE}
_BY_STATUS = {status: code for code, status in STATUS.items()} | _GENERAL

# The status in logs and metrics if the client disconnected before the response.
CLIENT_CLOSED_REQUEST = 499


def code_for(status: int) -> Code:
    """Return the error code for the HTTP status of a response without an envelope."""
    known = _BY_STATUS.get(status)
    if known is not None:
        return known
    return Code.BAD_REQUEST if 400 <= status < 500 else Code.INTERNAL_ERROR
