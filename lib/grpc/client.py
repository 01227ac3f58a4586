"""Call other services over gRPC. A call returns a message or raises an AppError."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias, TypeVar

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from lib import context, positions, trace
from lib.errors import AppError, Code
from lib.grpc.errors import from_rpc_error
from lib.grpc.methods import Method, Request, Response, ServerStream, Unary
from lib.grpc.pool import ChannelPool
from lib.grpc.wire import READ_AFTER, REQUEST_ID
from lib.resilience.deadline import remaining, within
from lib.resilience.upstream import Upstream

T = TypeVar("T")

_UNREADABLE: Final = "{upstream} sent an invalid response"

Metadata: TypeAlias = tuple[tuple[str, str], ...]


class Client:
    """Call `upstream` over a pool of channels. The owner of the pool closes the pool.

    The `seconds` of a call include the sign-in, the wait for a channel, retries and the response.
    They are reduced to the time that is left for the current request. Only idempotent methods are
    retried.
    """

    def __init__(self, pool: ChannelPool, upstream: Upstream) -> None:
        self._pool = pool
        self._upstream = upstream

    async def unary(
        self, method: Unary[Request, Response], request: Request, *, seconds: float
    ) -> Response:
        """Call a unary method."""

        async def ask(channel: grpc.aio.Channel, metadata: Metadata) -> Response:
            call = channel.unary_unary(method.path)(
                bytes(request), timeout=remaining(seconds), metadata=metadata
            )
            data = await call
            if (scope := positions.scope.get()) is not None:
                for key, value in await call.trailing_metadata() or ():
                    if key == READ_AFTER and isinstance(value, str):
                        scope.learn(value)
            return self._decode(method.response, data)

        return await self._call(method, ask, seconds)

    async def stream(
        self,
        method: ServerStream[Request, Response],
        request: Request,
        *,
        seconds: float,
        limit: int,
    ) -> list[Response]:
        """Call a streaming method, read its first `limit` messages, then end it."""

        async def ask(channel: grpc.aio.Channel, metadata: Metadata) -> list[Response]:
            call = channel.unary_stream(method.path)(
                bytes(request), timeout=remaining(seconds), metadata=metadata
            )
            found: list[Response] = []
            try:
                async for data in call:
                    found.append(self._decode(method.response, data))
                    if len(found) == limit:
                        break
            finally:
                call.cancel()  # does nothing to a call that has ended
            return found

        return await self._call(method, ask, seconds)

    async def ping(self, *, seconds: float) -> None:
        """Call the upstream's standard health service.

        Raises AppError if the upstream is not serving.
        """

        async def ask(channel: grpc.aio.Channel, _: Metadata) -> health_pb2.HealthCheckResponse:
            check = health_pb2_grpc.HealthStub(channel).Check
            timeout = remaining(seconds)
            return await check(health_pb2.HealthCheckRequest(), timeout=timeout)

        # Past the breaker: whether it serves is asked of it, not of how it did before.
        async with within(seconds, what=self._upstream.name):
            reply = await self._attempt(ask, {})
        if reply.status != health_pb2.HealthCheckResponse.SERVING:
            raise AppError(Code.SERVICE_UNAVAILABLE, f"{self._upstream.name} is not serving")

    async def _call(
        self,
        method: Method[Request, Response],
        ask: Callable[[grpc.aio.Channel, Metadata], Awaitable[T]],
        seconds: float,
    ) -> T:
        return await self._upstream.call(
            lambda signed: self._attempt(ask, signed), seconds=seconds, idempotent=method.idempotent
        )

    async def _attempt(
        self,
        ask: Callable[[grpc.aio.Channel, Metadata], Awaitable[T]],
        signed: Mapping[str, str],
    ) -> T:
        try:
            async with self._pool.channel() as channel:
                return await ask(channel, _metadata(signed))
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error, upstream=self._upstream.name) from error

    def _decode(self, response: type[Response], data: bytes) -> Response:
        try:
            return response.parse(data)
        except Exception as error:
            text = _UNREADABLE.format(upstream=self._upstream.name)
            raise AppError(Code.INTERNAL_ERROR, text) from error


def _metadata(signed: Mapping[str, str]) -> Metadata:
    pairs = [(name.lower(), value) for name, value in signed.items()]
    pairs += [(REQUEST_ID, context.request_id.get()), (trace.HEADER, trace.current())]
    if (scope := positions.scope.get()) is not None:
        pairs.append((READ_AFTER, scope.header))
    return tuple(pair for pair in pairs if pair[1])
