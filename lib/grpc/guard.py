"""Middleware of every gRPC call: request ID, deadline, caller, metrics, log line and errors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any, Final, NoReturn, TypeAlias

import grpc
import grpc.aio

from lib import context as request_context
from lib import positions, trace
from lib.auth.principal import set_principal
from lib.auth.tokens import Verifier
from lib.errors import AppError, Code
from lib.grpc.auth import identify
from lib.grpc.errors import STATUS, to_trailer
from lib.grpc.methods import Bound, BoundStream, BoundUnary
from lib.grpc.metrics import MethodMetrics, ServerMetrics, code_label
from lib.grpc.wire import READ_AFTER, REQUEST_ID, sooner, until
from lib.log import get_logger

log = get_logger(__name__)
_OUR_FAULT: Final = frozenset({"INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED"})
# How methods are called that change nothing: replicas may answer what they read.
_READING: Final = ("Get", "List")

Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"


class Call:
    """A call in progress: its start time, its deadline, and the status and reason of its end."""

    __slots__ = ("began", "deadline", "reason", "status")

    def __init__(self, deadline: float | None) -> None:
        self.began = time.perf_counter()
        self.deadline = deadline
        self.status = "OK"
        self.reason: dict[str, str] = {}

    def is_late(self) -> bool:
        """Return whether the call's deadline has passed, after which grpc cancels the call."""
        return self.deadline is not None and asyncio.get_running_loop().time() >= self.deadline


class Guard:
    """Turn bound methods into grpc handlers with the same middleware.

    `unary_seconds` limits a unary call, even if the caller set no deadline. A stream has only the
    caller's deadline. With a `verifier`, a call without a valid token is UNAUTHENTICATED. A caller
    without the access that the method declares gets PERMISSION_DENIED.
    """

    def __init__(
        self, metrics: ServerMetrics, *, unary_seconds: float, verifier: Verifier | None = None
    ) -> None:
        self._metrics = metrics
        self._unary_seconds = unary_seconds
        self._verifier = verifier

    def handler(self, bound: Bound) -> grpc.RpcMethodHandler:
        """Build the grpc handler of one method.

        Raises:
            TypeError: if there is a verifier, but the method declares no access
                (`lib.auth.access`).
        """
        if isinstance(bound, BoundUnary):
            return grpc.unary_unary_rpc_method_handler(self._unary(bound))
        return grpc.unary_stream_rpc_method_handler(self._stream(bound))

    def _unary(self, bound: BoundUnary) -> Any:
        series = self._metrics.method("unary", bound.service, bound.name)
        full_name = f"/{bound.service}/{bound.name}"
        admit = self._admission(bound)

        async def unary(data: bytes, context: Context) -> bytes:
            with self._surround(full_name, series, context, self._unary_seconds) as call:
                try:
                    async with asyncio.timeout_at(call.deadline):
                        await admit(context)
                        response = await bound.call(data)
                        await _send_position(context)
                except Exception as error:  # noqa: BLE001 - every error becomes a status
                    await _abort(call, context, error)
                series.sent.inc()
                return response

        return unary

    def _stream(self, bound: BoundStream) -> Any:
        series = self._metrics.method("server_stream", bound.service, bound.name)
        full_name = f"/{bound.service}/{bound.name}"
        admit = self._admission(bound)

        # Written message by message rather than yielded: a generator that grpc drops half-way is
        # cleaned up some time later, when the call it belongs to is no longer there.
        async def stream(data: bytes, context: Context) -> None:
            with self._surround(full_name, series, context, None) as call:
                try:
                    async with asyncio.timeout_at(call.deadline):
                        await admit(context)
                        async with aclosing(bound.call(data)) as messages:
                            async for message in messages:
                                await context.write(message)
                                series.sent.inc()
                except Exception as error:  # noqa: BLE001 - as above
                    await _abort(call, context, error)

        return stream

    def _admission(self, bound: Bound) -> Callable[[Context], Awaitable[None]]:
        verifier = self._verifier
        if verifier is None:
            return _admit_all
        if bound.access is None:
            raise TypeError(f"/{bound.service}/{bound.name} declares no access")
        check = bound.access.resolved()

        async def admit(context: Context) -> None:
            principal = await identify(context.invocation_metadata() or (), verifier)
            set_principal(principal)
            check(principal)

        return admit

    @contextmanager
    def _surround(
        self, method: str, series: MethodMetrics, context: Context, limit: float | None
    ) -> Iterator[Call]:
        request_id = request_context.accept_request_id(_inbound(context, REQUEST_ID))
        call = Call(sooner(until(context.time_remaining()), until(limit)))
        peer = context.peer()  # not to be asked once the call has ended
        # grpc serves each call in a task of its own: what is set here ends with it.
        request_context.request_id.set(request_id)
        request_context.deadline.set(call.deadline)
        reads = method.rpartition("/")[2].startswith(_READING)
        positions.scope.set(positions.Scope(reads=reads, header=_inbound(context, READ_AFTER)))
        series.started.inc()
        series.received.inc()
        parent = {trace.HEADER: _inbound(context, trace.HEADER) or ""}
        try:
            with trace.span(method, trace.Kind.SERVER, parent=parent):
                yield call
        except asyncio.CancelledError:
            call.status = "DEADLINE_EXCEEDED" if call.is_late() else "CANCELLED"
            raise
        finally:
            seconds = time.perf_counter() - call.began
            series.seconds.observe(seconds)
            series.handled(code_label(call.status))
            _write_for(call.status)(
                "grpc_request",
                method=method,
                grpc_status=call.status,
                duration_ms=round(seconds * 1000, 2),
                peer=peer,
                **call.reason,
            )


async def _admit_all(_: Context) -> None:
    """Allow every call, because this server checks no tokens."""


async def _send_position(context: Context) -> None:
    """Send the database log position of the call's writes, if any, in the trailing metadata."""
    scope = positions.scope.get()
    if scope is not None and (known := await scope.answer()):
        context.set_trailing_metadata(((READ_AFTER, known),))


def _inbound(context: Context, name: str) -> str | None:
    for key, value in context.invocation_metadata() or ():
        if key == name and isinstance(value, str):
            return value
    return None


def _write_for(status: str) -> Callable[..., Any]:
    """Return the log function for a status: error if we are at fault, else warning or info."""
    if status in _OUR_FAULT:
        return log.error
    return log.info if status in {"OK", "CANCELLED"} else log.warning


async def _abort(call: Call, context: Context, error: Exception) -> NoReturn:
    """End the call with the error's status. Internal details stay in the log."""
    if isinstance(error, AppError):
        known = error
    elif isinstance(error, TimeoutError):
        known = AppError(Code.DEADLINE_EXCEEDED, "the call took too long")
    else:
        log.error("grpc_request_failed", exc_info=error)
        known = AppError(Code.INTERNAL_ERROR, "something went wrong")
    status = STATUS[known.code]
    call.status = status.name
    call.reason = {"code": known.code.value, "error": known.message}
    await context.abort(status, known.message, to_trailer(known))
    raise AssertionError("abort always raises")
