"""Call a method with a deadline; what comes back is its message or an AppError."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final, TypeAlias

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from lib import context, positions, trace
from lib.auth.service_tokens import ServiceTokens
from lib.errors import AppError, Code
from lib.grpc.auth import AUTHORIZATION
from lib.grpc.errors import from_rpc_error
from lib.grpc.methods import Request, Response, ServerStream, Unary
from lib.grpc.pool import ChannelPool
from lib.grpc.wire import READ_AFTER, REQUEST_ID
from lib.log import get_logger

log = get_logger(__name__)

_UNREADABLE: Final = "{upstream} sent an answer that cannot be read"
_BEARER: Final = "Bearer "

Metadata: TypeAlias = tuple[tuple[str, str], ...]


class Client:
    """Calls one upstream over a pool of channels. Owns nothing: whoever opened the pool closes it.

    `upstream` is the name that errors show to people. `seconds` of a call covers waiting for a
    channel, repeats and the answer, and is cut to what is left of the request being served. With
    `tokens` each call carries one; a call raises what they raise where there is none to be had. One
    that is refused is given up; to whoever we serve, whose token it was not, that is unavailable.
    """

    def __init__(
        self, pool: ChannelPool, *, upstream: str, tokens: ServiceTokens | None = None
    ) -> None:
        self._pool = pool
        self._upstream = upstream
        self._tokens = tokens

    async def unary(
        self, method: Unary[Request, Response], request: Request, *, seconds: float
    ) -> Response:
        """Call a unary method."""
        budget = Budget(seconds, self._upstream)
        scope = positions.scope.get()
        metadata = await self._metadata(budget)
        async with self._pool.channel(seconds=budget.left()) as channel:
            call = channel.unary_unary(method.path)(
                bytes(request), timeout=budget.left(), metadata=metadata
            )
            try:
                data = await call
                if scope is not None:
                    for key, value in await call.trailing_metadata() or ():
                        if key == READ_AFTER and isinstance(value, str):
                            scope.learn(value)
            except grpc.aio.AioRpcError as error:
                raise self._failure(error, metadata) from error
        return self._decode(method.response, data)

    async def stream(
        self, method: ServerStream[Request, Response], request: Request, *, seconds: float
    ) -> AsyncGenerator[Response, None]:
        """Call a streaming method; `seconds` is for all of it. Closing the iterator ends it."""
        budget = Budget(seconds, self._upstream)
        metadata = await self._metadata(budget)
        async with self._pool.channel(seconds=budget.left()) as channel:
            call = channel.unary_stream(method.path)(
                bytes(request), timeout=budget.left(), metadata=metadata
            )
            try:
                async for data in call:
                    yield self._decode(method.response, data)
            except grpc.aio.AioRpcError as error:
                raise self._failure(error, metadata) from error
            finally:
                call.cancel()  # does nothing to a call that has ended

    async def ping(self, *, seconds: float) -> None:
        """Ask the upstream's standard health service. Raises AppError where it does not serve."""
        budget = Budget(seconds, self._upstream)
        async with self._pool.channel(seconds=budget.left()) as channel:
            check = health_pb2_grpc.HealthStub(channel).Check
            try:
                reply = await check(health_pb2.HealthCheckRequest(), timeout=budget.left())
            except grpc.aio.AioRpcError as error:
                raise from_rpc_error(error, upstream=self._upstream) from error
        if reply.status != health_pb2.HealthCheckResponse.SERVING:
            raise AppError(Code.SERVICE_UNAVAILABLE, f"{self._upstream} is not serving")

    async def _metadata(self, budget: Budget) -> Metadata:
        pairs = [(REQUEST_ID, context.request_id.get()), (trace.HEADER, trace.current())]
        if self._tokens is not None:
            try:
                async with asyncio.timeout(budget.left()):
                    pairs.append((AUTHORIZATION, _BEARER + await self._tokens.token()))
            except TimeoutError:
                raise AppError(Code.DEADLINE_EXCEEDED, "no token was given in time") from None
        if (scope := positions.scope.get()) is not None:
            pairs.append((READ_AFTER, scope.header()))
        return tuple(pair for pair in pairs if pair[1])

    def _failure(self, error: grpc.aio.AioRpcError, metadata: Metadata) -> AppError:
        failure = from_rpc_error(error, upstream=self._upstream)
        if failure.code is not Code.UNAUTHORIZED or self._tokens is None:
            return failure
        log.warning("service_token_refused", upstream=self._upstream)
        self._tokens.refused(dict(metadata)[AUTHORIZATION].removeprefix(_BEARER))
        return AppError(Code.SERVICE_UNAVAILABLE, f"{self._upstream} is not available")

    def _decode(self, response: type[Response], data: bytes) -> Response:
        try:
            return response.parse(data)
        except Exception as error:
            text = _UNREADABLE.format(upstream=self._upstream)
            raise AppError(Code.INTERNAL_ERROR, text) from error


class Budget:
    """The seconds one call may take in all, waiting included."""

    def __init__(self, seconds: float, upstream: str) -> None:
        self._upstream = upstream
        self._until = _now() + context.remaining(seconds)

    def left(self) -> float:
        """Seconds left; raises AppError(DEADLINE_EXCEEDED) where there are none."""
        seconds = self._until - _now()
        if seconds <= 0:
            text = f"no time was left to ask {self._upstream}"
            raise AppError(Code.DEADLINE_EXCEEDED, text)
        return seconds


def _now() -> float:
    return asyncio.get_running_loop().time()
