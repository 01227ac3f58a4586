"""Convert AppError to a gRPC status and back, with its details."""

from __future__ import annotations

from typing import Final

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from lib.errors import AppError, Code, FieldError

DOMAIN: Final = "app-error"  # marks our own ErrorInfo
TRAILER: Final = "grpc-status-details-bin"  # the standard place, so that other clients read it too

_S = grpc.StatusCode
STATUS: Final[dict[Code, grpc.StatusCode]] = {
    Code.NOT_FOUND: _S.NOT_FOUND,
    Code.BAD_REQUEST: _S.INVALID_ARGUMENT,
    Code.VALIDATION_ERROR: _S.INVALID_ARGUMENT,
    Code.UNAUTHORIZED: _S.UNAUTHENTICATED,
    Code.FORBIDDEN: _S.PERMISSION_DENIED,
    Code.METHOD_NOT_ALLOWED: _S.UNIMPLEMENTED,
    Code.CONFLICT: _S.ABORTED,
    Code.PRECONDITION_FAILED: _S.FAILED_PRECONDITION,
    Code.PRECONDITION_REQUIRED: _S.FAILED_PRECONDITION,
    Code.PAYLOAD_TOO_LARGE: _S.OUT_OF_RANGE,
    Code.UNSUPPORTED_MEDIA_TYPE: _S.INVALID_ARGUMENT,
    Code.IDEMPOTENCY_KEY_REUSED: _S.FAILED_PRECONDITION,
    Code.RATE_LIMIT_EXCEEDED: _S.RESOURCE_EXHAUSTED,
    Code.CIRCUIT_OPEN: _S.UNAVAILABLE,
    Code.SERVICE_UNAVAILABLE: _S.UNAVAILABLE,
    Code.DEADLINE_EXCEEDED: _S.DEADLINE_EXCEEDED,
    Code.INTERNAL_ERROR: _S.INTERNAL,
}

# The code for a status without details, from another implementation or from grpc itself.
CODE: Final[dict[grpc.StatusCode, Code]] = {
    _S.NOT_FOUND: Code.NOT_FOUND,
    _S.INVALID_ARGUMENT: Code.BAD_REQUEST,
    _S.OUT_OF_RANGE: Code.BAD_REQUEST,
    _S.UNAUTHENTICATED: Code.UNAUTHORIZED,
    _S.PERMISSION_DENIED: Code.FORBIDDEN,
    _S.ALREADY_EXISTS: Code.CONFLICT,
    _S.ABORTED: Code.CONFLICT,
    _S.FAILED_PRECONDITION: Code.PRECONDITION_FAILED,
    _S.RESOURCE_EXHAUSTED: Code.RATE_LIMIT_EXCEEDED,
    _S.UNAVAILABLE: Code.SERVICE_UNAVAILABLE,
    # If our caller cancels, the call raises a CancelledError. This status comes from a server that
    # stops and drops the calls that it has not started.
    _S.CANCELLED: Code.SERVICE_UNAVAILABLE,
    _S.DEADLINE_EXCEEDED: Code.DEADLINE_EXCEEDED,
}
_TEXT: Final[dict[Code, str]] = {
    Code.SERVICE_UNAVAILABLE: "{upstream} is not available",
    Code.DEADLINE_EXCEEDED: "{upstream} did not respond in time",
}


def to_trailer(error: AppError) -> tuple[tuple[str, bytes], ...]:
    """Encode an error as google.rpc.Status in trailing metadata: code, text, details, headers."""
    status = status_pb2.Status(code=STATUS[error.code].value[0], message=error.message)
    info = error_details_pb2.ErrorInfo(
        reason=error.code.value, domain=DOMAIN, metadata=error.headers
    )
    status.details.add().Pack(info)
    if error.details:
        violation = error_details_pb2.BadRequest.FieldViolation
        fields = [violation(field=d.field, description=d.message) for d in error.details]
        status.details.add().Pack(error_details_pb2.BadRequest(field_violations=fields))
    return ((TRAILER, status.SerializeToString()),)


def from_rpc_error(error: grpc.aio.AioRpcError, *, upstream: str) -> AppError:
    """Return the AppError that the server sent, or else the AppError for the gRPC status.

    A message without error details may describe the network (addresses, ports), so callers see only
    the name of `upstream`.
    """
    for key, value in error.trailing_metadata() or ():
        if key == TRAILER and isinstance(value, bytes):
            rebuilt = _from_status(value)
            if rebuilt is not None:
                return rebuilt
    code = CODE.get(error.code(), Code.INTERNAL_ERROR)
    text = _TEXT.get(code, "{upstream} refused the call")
    return AppError(code, text.format(upstream=upstream))


def _from_status(data: bytes) -> AppError | None:
    try:
        status = status_pb2.Status.FromString(data)
    except DecodeError:
        return None
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        _ = detail.Unpack(info) or detail.Unpack(bad)
    if info.domain != DOMAIN or info.reason not in Code.__members__:
        return None
    details = [FieldError(v.field, v.description) for v in bad.field_violations]
    return AppError(Code(info.reason), status.message, details=details, headers=dict(info.metadata))
