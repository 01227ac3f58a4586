"""Application errors. Servers map errors to responses; clients map responses to errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated

import msgspec


class Code(StrEnum):
    """Stable error codes for callers. The HTTP and gRPC layers map codes to statuses."""

    NOT_FOUND = "NOT_FOUND"
    BAD_REQUEST = "BAD_REQUEST"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    UNAUTHORIZED = "UNAUTHORIZED"
    FORBIDDEN = "FORBIDDEN"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    CONFLICT = "CONFLICT"
    PRECONDITION_FAILED = "PRECONDITION_FAILED"
    PRECONDITION_REQUIRED = "PRECONDITION_REQUIRED"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"
    CIRCUIT_OPEN = "CIRCUIT_OPEN"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    INTERNAL_ERROR = "INTERNAL_ERROR"


class FieldError(msgspec.Struct, frozen=True):
    """An error in one input field. `field` is the field's path, such as `lines[2].quantity`."""

    field: Annotated[str, msgspec.Meta(examples=["lines[2].quantity"])]
    message: Annotated[str, msgspec.Meta(examples=["must be at least 1"])]


class AppError(Exception):
    """An error that the caller receives: a stable code, a message, details per field.

    The caller sees any other exception as INTERNAL_ERROR without details. The details are in the
    log, with the request ID.
    """

    def __init__(
        self,
        code: Code,
        message: str,
        *,
        details: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = tuple(details)
        self.headers = dict(headers or {})

    def __repr__(self) -> str:
        return f"AppError({self.code.value}, {self.message!r})"


class StartError(Exception):
    """The reason why the process cannot start, in one sentence, such as a port in use."""


def not_found(what: str) -> AppError:
    """Return the error NOT_FOUND for a missing object, such as "department not found"."""
    return AppError(Code.NOT_FOUND, f"{what} not found")


def invalid(*details: FieldError) -> AppError:
    """Return the error for invalid input, with a message per field."""
    return AppError(Code.VALIDATION_ERROR, "the request is not valid", details=details)
