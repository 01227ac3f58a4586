"""Every error code has a status, and is restored from it."""

from __future__ import annotations

import grpc
import grpc.aio
import pytest

from lib.errors import AppError, Code, FieldError
from lib.grpc.errors import STATUS, TRAILER, from_rpc_error, to_trailer


def rpc_error(
    status: grpc.StatusCode, trailer: tuple[tuple[str, str | bytes], ...] = ()
) -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(
        status, grpc.aio.Metadata(), grpc.aio.Metadata(*trailer), details="10.0.0.7:443 refused"
    )


@pytest.mark.parametrize("code", list(Code))
def test_every_code_survives_the_trip(code: Code) -> None:
    sent = AppError(code, "why", details=[FieldError("a", "b")], headers={"Retry-After": "3"})
    back = from_rpc_error(rpc_error(STATUS[code], to_trailer(sent)), upstream="point")
    assert (back.code, back.message, back.details, back.headers) == (
        sent.code,
        sent.message,
        sent.details,
        sent.headers,
    )


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (grpc.StatusCode.UNAVAILABLE, Code.SERVICE_UNAVAILABLE),
        (grpc.StatusCode.CANCELLED, Code.SERVICE_UNAVAILABLE),
        (grpc.StatusCode.DEADLINE_EXCEEDED, Code.DEADLINE_EXCEEDED),
        (grpc.StatusCode.INVALID_ARGUMENT, Code.BAD_REQUEST),
        (grpc.StatusCode.ALREADY_EXISTS, Code.CONFLICT),
        (grpc.StatusCode.DATA_LOSS, Code.INTERNAL_ERROR),
        (grpc.StatusCode.UNIMPLEMENTED, Code.INTERNAL_ERROR),
    ],
)
@pytest.mark.parametrize("trailer", [(), ((TRAILER, b"\xff\xff"),), ((TRAILER, b""),)])
def test_a_strangers_status_becomes_the_nearest_code_and_its_text_stays_here(
    status: grpc.StatusCode, code: Code, trailer: tuple[tuple[str, str | bytes], ...]
) -> None:
    error = from_rpc_error(rpc_error(status, trailer), upstream="point")
    assert error.code is code
    assert error.message.startswith("point ")
    assert "10.0.0.7" not in error.message
