"""What stands before every route of a service: limits, authentication, idempotency keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack

from aiohttp import web
from redis.asyncio import Redis

from lib.auth.settings import AuthSettings
from lib.auth.tokens import Verifier
from lib.http.app import DATABASE, HEALTH, METRICS, SHELL
from lib.http.middleware.admission import Admission, not_yet
from lib.http.middleware.auth import Authenticator
from lib.http.middleware.idempotency import idempotent
from lib.http.middleware.rate_limit import ClientLimit, UserLimit
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


def install(
    app: web.Application,
    settings: GateSettings,
    verifier: Verifier,
    *,
    idempotency: bool = False,
    not_idempotent: Collection[str] = (),
) -> None:
    """Put the gates into the shell of an application made by `new_app`.

    Args:
        app: the application; its routes are closed from now on, except those marked `@public`.
        settings: the limits, and the secret of CSRF tokens and of what is kept of requests.
        verifier: who checks tokens.
        idempotency: whether `Idempotency-Key` is honoured; the service then sets `DATABASE`, which
            has the table for it.
        not_idempotent: templates of routes whose answers hold secrets.
    """
    shell = app[SHELL]
    shell.proxies, shell.admit = settings.proxies(), not_yet
    secret = settings.auth_csrf_secret.get_secret_value().encode()
    authenticator = Authenticator(verifier, csrf_secret=secret)

    async def admission(app: web.Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            redis = app[REDIS] = await _redis(app, settings, stack)
            limiter = Limiter(redis, registry=app[METRICS])
            shell.admit = Admission(
                ClientLimit(limiter, settings.per_client()),
                authenticator,
                UserLimit(limiter, settings.per_user()),
            ).admit
            yield

    app.cleanup_ctx.append(admission)
    if idempotency:

        async def keep_answers(app: web.Application) -> None:
            # Runs when every resource is open, so the database is.
            keys = IdempotencyKeys(app[DATABASE], secret=secret)
            shell.idempotent = idempotent(keys, exempt=not_idempotent)

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
