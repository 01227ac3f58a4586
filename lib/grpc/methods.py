"""A remote method as a typed value: its path, its messages, and whether it is idempotent."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

import betterproto2
import msgspec

from lib.auth.access import Access, declared
from lib.errors import AppError, Code

Request = TypeVar("Request", bound=betterproto2.Message)
Response = TypeVar("Response", bound=betterproto2.Message)

UnaryCall: TypeAlias = Callable[[bytes], Awaitable[bytes]]
StreamCall: TypeAlias = Callable[[bytes], AsyncGenerator[bytes, None]]


@dataclass(frozen=True, slots=True)
class Method(Generic[Request, Response]):
    """The base of unary and streaming methods.

    `service` is the full name of the service, such as `point.v1.PointService`.

    `idempotent` is set by `option idempotency_level` in the .proto; only idempotent methods are
    retried.
    """

    service: str
    name: str
    request: type[Request]
    response: type[Response]
    idempotent: bool = False

    @property
    def path(self) -> str:
        """Return the HTTP/2 path, such as `/point.v1.PointService/GetUserPoints`."""
        return f"/{self.service}/{self.name}"

    def decode_request(self, data: bytes) -> Request:
        """Decode the request. Raises AppError(BAD_REQUEST) if the bytes are not a message."""
        try:
            message = self.request.parse(data)
            # The library believes the sender of a field's type: a text may be a number or None.
            return msgspec.convert(vars(message), self.request)
        except Exception as error:
            raise AppError(Code.BAD_REQUEST, f"not a {self.request.__name__} message") from error


@dataclass(frozen=True, slots=True)
class Unary(Method[Request, Response]):
    """A method with one request and one response message."""

    def bind(self, function: Callable[[Request], Awaitable[Response]]) -> BoundUnary:
        """Bind the method to the coroutine function that implements it."""

        async def call(data: bytes) -> bytes:
            return bytes(await function(self.decode_request(data)))

        return BoundUnary(self.service, self.name, call, declared(function))


@dataclass(frozen=True, slots=True)
class ServerStream(Method[Request, Response]):
    """A method with one request message and a stream of responses."""

    def bind(self, function: Callable[[Request], AsyncGenerator[Response, None]]) -> BoundStream:
        """Bind the method to the asynchronous generator that implements it."""

        async def call(data: bytes) -> AsyncGenerator[bytes, None]:
            async with aclosing(function(self.decode_request(data))) as messages:
                async for message in messages:
                    yield bytes(message)

        return BoundStream(self.service, self.name, call, declared(function))


@dataclass(frozen=True, slots=True)
class BoundUnary:
    """A unary method with its implementation, which takes and returns encoded messages."""

    service: str
    name: str
    call: UnaryCall
    access: Access | None = None


@dataclass(frozen=True, slots=True)
class BoundStream:
    """A streaming method with its implementation, which takes and yields encoded messages."""

    service: str
    name: str
    call: StreamCall
    access: Access | None = None


Bound: TypeAlias = BoundUnary | BoundStream


@dataclass(frozen=True, slots=True)
class Service:
    """A service to serve: its full name and its bound methods."""

    name: str
    methods: tuple[Bound, ...]
