"""Install rate limits, authentication and idempotency keys for every route of a service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

from aiohttp import web

from lib.auth.access import declared
from lib.auth.settings import AuthSettings
from lib.auth.tokens import Verifier
from lib.http.app import DATABASE, METRICS, MIDDLEWARE, REDIS
from lib.http.components import add_redis
from lib.http.middleware.admission import Admission, not_yet
from lib.http.middleware.auth import Authenticator
from lib.http.middleware.idempotency import Idempotency
from lib.http.openapi import UI_PATH
from lib.http.route import PROBES
from lib.idempotency import IdempotencyKeys
from lib.limits import Limiter
from lib.limits.settings import LimitSettings
from lib.resource.cursors import sign_cursors_with


class MiddlewareSettings(AuthSettings, LimitSettings):
    """Settings to inherit, as in `class OrderConfig(PostgresSettings, MiddlewareSettings)`."""


def install_middleware(
    app: web.Application,
    settings: MiddlewareSettings,
    verifier: Verifier,
    *,
    idempotency: bool = False,
    not_idempotent: Collection[str] = (),
    resumable: Collection[str] = (),
    own_keys: Collection[str] = (),
) -> None:
    """Install the middleware in an application made by `new_app`, and open `app[REDIS]`.

    Args:
        app: the application. Its routes require a token, except those marked `public`, and each
            route declares its access.
        settings: the limits, and the secret for CSRF tokens and for hashes of requests.
        verifier: the verifier of the access tokens.
        idempotency: whether the service supports `Idempotency-Key`; if so, it sets `DATABASE`,
            whose schema has the table for the keys.
        not_idempotent: templates of the routes whose responses contain secrets.
        resumable: templates of the routes that store the key with the object that they create.
        own_keys: templates of the routes that also need no stored response; see `Idempotency`.

    Raises:
        TypeError: if a route declares no access (`lib.auth.access`).
    """
    for route in app.router.routes():
        _check_declared(route)
    middleware = app[MIDDLEWARE]
    middleware.proxies, middleware.admit = settings.proxies(), not_yet
    secret = settings.auth_csrf_secret.get_secret_value().encode()
    sign_cursors_with(secret)
    authenticator = Authenticator(verifier, csrf_secret=secret)

    async def admission(app: web.Application) -> AsyncIterator[None]:
        limiter = Limiter(app[REDIS].limits, registry=app[METRICS])
        middleware.admit = Admission(
            authenticator,
            limiter,
            settings.per_user(),
            per_client=settings.per_client(),
            per_service=settings.per_service(),
        ).admit
        yield
        await limiter.aclose()

    add_redis(app, settings)
    app.cleanup_ctx.append(admission)
    if idempotency:
        opened: list[Idempotency] = []

        async def keep_answers(app: web.Application) -> None:
            # Runs when every resource is open, so the database is.
            keys = IdempotencyKeys(app[DATABASE], secret=secret)
            kept = Idempotency(keys, exempt=not_idempotent, resumable=resumable, own=own_keys)
            opened.append(kept)
            middleware.idempotent = kept.serve

        async def finish_work(_app: web.Application) -> None:
            # Runs before any resource is closed.
            for each in opened:
                await each.finish()

        app.on_startup.append(keep_answers)
        app.on_shutdown.append(finish_work)


def _check_declared(route: web.AbstractRoute) -> None:
    path = "" if route.resource is None else route.resource.canonical
    if path in PROBES or path.startswith(UI_PATH) or declared(route.handler) is not None:
        return
    raise TypeError(
        f"{route.method} {path} has no access rule: declare it with Routes or lib.auth.access"
    )
