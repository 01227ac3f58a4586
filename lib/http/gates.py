"""What stands before every route of a service: limits, authentication, idempotency keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from redis.asyncio import Redis

from lib.auth.settings import AuthSettings
from lib.auth.tokens import Verifier
from lib.http.app import DATABASE, HEALTH, METRICS
from lib.http.middleware.auth import authenticate
from lib.http.middleware.idempotency import idempotent
from lib.http.middleware.rate_limit import limit_clients, limit_users
from lib.idempotency import IdempotencyKeys
from lib.limits import Limiter
from lib.limits.settings import LimitSettings
from lib.redis import RedisOptions, open_redis, ping


class GateSettings(AuthSettings, LimitSettings):
    """For services behind the gates: `class OrderConfig(PostgresSettings, GateSettings)`."""


# A part of an application's life, as `app.cleanup_ctx` takes it.
Context = Callable[[web.Application], AsyncIterator[None]]
# Shared by what a service does with Redis besides; None where there is none.
REDIS: web.AppKey[Redis | None] = web.AppKey("REDIS")
_LIMIT_CLIENTS: web.AppKey[Middleware] = web.AppKey("LIMIT_CLIENTS")
_LIMIT_USERS: web.AppKey[Middleware] = web.AppKey("LIMIT_USERS")
_IDEMPOTENT: web.AppKey[Middleware] = web.AppKey("IDEMPOTENT")


def install(
    app: web.Application,
    settings: GateSettings,
    verifier: Verifier,
    *,
    idempotency: bool = False,
    not_idempotent: Collection[str] = (),
) -> None:
    """Append the gates to the middleware of an application made by `new_app`.

    Args:
        app: the application; its routes are closed from now on, except those marked `@public`.
        settings: the limits, and the secret of CSRF tokens.
        verifier: who checks tokens.
        idempotency: whether `Idempotency-Key` is honoured; the service then sets `DATABASE`, which
            has the table for it.
        not_idempotent: templates of routes whose answers hold secrets.
    """
    app.middlewares.append(_opened_later(_LIMIT_CLIENTS))
    app.middlewares.append(
        authenticate(verifier, csrf_secret=settings.auth_csrf_secret.get_secret_value().encode())
    )
    app.middlewares.append(_opened_later(_LIMIT_USERS))

    async def limits(app: web.Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            redis = app[REDIS] = await _redis(app, settings, stack)
            limiter = Limiter(redis, registry=app[METRICS])
            app[_LIMIT_CLIENTS] = limit_clients(
                limiter, settings.per_client(), proxies=settings.proxies()
            )
            app[_LIMIT_USERS] = limit_users(limiter, settings.per_user())
            yield

    app.cleanup_ctx.append(limits)
    if idempotency:
        app.middlewares.append(_opened_later(_IDEMPOTENT))

        async def keep_answers(app: web.Application) -> None:
            # Runs when every resource is open, so the database is.
            app[_IDEMPOTENT] = idempotent(IdempotencyKeys(app[DATABASE]), exempt=not_idempotent)

        app.on_startup.append(keep_answers)


async def _redis(
    app: web.Application, settings: GateSettings, stack: AsyncExitStack
) -> Redis | None:
    if settings.redis_url is None:
        return None
    options = RedisOptions(settings.redis_url.get_secret_value())
    redis = await stack.enter_async_context(open_redis(options))
    # Not required: the limiter has a way without it.
    app[HEALTH].add("redis", lambda: ping(redis), required=False)
    return redis


def _opened_later(key: web.AppKey[Middleware]) -> Middleware:
    """Return the middleware that is made when the application starts."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await request.app[key](request, handler)

    return middleware
