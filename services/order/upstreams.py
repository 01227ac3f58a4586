"""HTTP clients of the user, product and catalog services, each with a circuit breaker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, NamedTuple
from uuid import UUID

from msgspec import Struct
from prometheus_client import CollectorRegistry

from lib.auth.service_tokens import ServiceTokens
from lib.coalesce import Coalesced
from lib.errors import AppError, Code
from lib.http.client import HttpClient, open_client
from lib.http.client_credentials import service_tokens
from lib.log import get_logger
from lib.resilience import Upstream
from services.order.config import OrderConfig
from services.order.ports import NO_ANSWER, Reservation, User, Wanted

log = get_logger(__name__)

_ACTIVE: Final = "active"
_OVER: Final = frozenset({"released", "expired"})


class _Person(Struct, frozen=True):
    id: UUID
    name: str
    email: str
    status: str


class _Confirmed(Struct, frozen=True):
    ids: list[UUID]


class _Service(Struct, frozen=True):
    id: UUID


class HttpUsers:
    """The implementation of `ports.Users` that calls the user service."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    async def find(self, user_id: UUID) -> User | None:
        """See `ports.Users`."""
        try:
            found = await self._client.call("GET", f"/api/v1/users/{user_id}", _Person)
        except AppError as error:
            if error.code is Code.NOT_FOUND:
                return None
            raise _no_answer("user", error) from error
        return User(found.id, found.name, found.email, found.status == _ACTIVE)


class HttpCatalog:
    """The implementation of `ports.Catalog` that calls the catalog service's public lists."""

    def __init__(self, client: HttpClient) -> None:
        self._client = client

    async def has_service(self, service_id: UUID) -> bool:
        """See `ports.Catalog`."""
        try:
            await self._client.call("GET", f"/api/v1/services/{service_id}", _Service)
        except AppError as error:
            if error.code is Code.NOT_FOUND:
                return False
            raise _no_answer("catalog", error) from error
        return True


class HttpProducts:
    """The implementation of `ports.Products` that calls the product service."""

    def __init__(self, client: HttpClient, *, hold_seconds: int) -> None:
        self._client = client
        self._hold_seconds = hold_seconds
        self._confirmed = Coalesced(self._confirm_all)

    async def reserve(self, key: UUID, lines: Sequence[Wanted]) -> Reservation:
        """See `ports.Products`."""
        body = {"lines": lines, "ttl_seconds": self._hold_seconds}
        try:
            made = await self._client.call(
                "POST", "/api/v1/reservations", Reservation, body=body, idempotency_key=str(key)
            )
        except AppError as error:
            if error.code is Code.CONFLICT:
                raise
            raise _no_answer("product", error) from error
        if made.status in _OVER:
            raise AppError(Code.CONFLICT, "the reservation has expired; order again")
        return made

    async def confirm(self, reservation_id: UUID) -> bool:
        """See `ports.Products`."""
        if await self._confirmed.find(reservation_id):
            return True
        # It was confirmed before, or it cannot be: its own confirmation says which.
        try:
            await self._step(reservation_id, "confirm")
        except AppError as error:
            if error.code is Code.NOT_FOUND:
                return False
            # A lost race is a CONFLICT too; only the reservation itself shows the cause.
            if error.code is Code.CONFLICT and await self._is_over(reservation_id):
                return False
            raise _no_answer("product", error) from error
        return True

    async def release(self, reservation_id: UUID) -> None:
        """See `ports.Products`."""
        try:
            await self._step(reservation_id, "release")
        except AppError as error:
            if error.code is Code.NOT_FOUND:
                log.warning("reservation_is_gone", reservation_id=str(reservation_id))
                return
            raise _no_answer("product", error) from error

    async def _confirm_all(self, ids: Sequence[UUID]) -> Mapping[UUID, bool]:
        path, body = "/api/v1/reservations/confirm", {"ids": ids}
        try:
            found = await self._client.call(
                "POST", path, _Confirmed, body=body, idempotency_key="confirm"
            )
        except AppError as error:
            raise _no_answer("product", error) from error
        return dict.fromkeys(found.ids, True)

    async def _step(self, reservation_id: UUID, step: str) -> None:
        path = f"/api/v1/reservations/{reservation_id}/{step}"
        # The key only says that it may be repeated: a step is taken once by itself.
        await self._client.call("POST", path, Reservation, idempotency_key=step)

    async def _is_over(self, reservation_id: UUID) -> bool:
        path = f"/api/v1/reservations/{reservation_id}"
        try:
            found = await self._client.call("GET", path, Reservation)
        except AppError as error:
            raise _no_answer("product", error) from error
        return found.status in _OVER


def _no_answer(service: str, error: AppError) -> AppError:
    """Return `error` if its code is in `NO_ANSWER`, else SERVICE_UNAVAILABLE, to hide details."""
    if error.code in NO_ANSWER:
        return error
    return AppError(Code.SERVICE_UNAVAILABLE, f"the {service} service is not available")


class Upstreams(NamedTuple):
    """The clients of the other services, and the tokens that they send."""

    users: HttpUsers
    products: HttpProducts
    catalog: HttpCatalog
    tokens: Sequence[ServiceTokens]

    async def signed_in(self) -> None:
        """Check that a service token is available. Raises AppError without a token."""
        for tokens in self.tokens:
            await tokens.ping()


@asynccontextmanager
async def open_upstreams(
    config: OrderConfig, *, registry: CollectorRegistry
) -> AsyncIterator[Upstreams]:
    """Open the clients of the other services. Each service may start after this process."""
    # One for each who is asked: none can use what it is shown to ask another in our name.
    to_users = service_tokens(config, ["service:users"])
    to_products = service_tokens(config, ["service:reservations"])

    async def client(
        name: str, url: str, seconds: float, tokens: ServiceTokens | None
    ) -> HttpClient:
        upstream = Upstream(name, config.breaker_policy(), tokens=tokens, registry=registry)
        return await stack.enter_async_context(open_client(upstream, url, seconds=seconds))

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(to_users.running())
        await stack.enter_async_context(to_products.running())
        users = await client("user", config.user_url, config.user_seconds, to_users)
        products = await client("product", config.product_url, config.product_seconds, to_products)
        # Whatever is public is asked without a token: there need not be one.
        catalog = await client("catalog", config.catalog_url, config.catalog_seconds, None)
        yield Upstreams(
            HttpUsers(users),
            HttpProducts(products, hold_seconds=config.hold_seconds),
            HttpCatalog(catalog),
            (to_users, to_products),
        )
