"""The user service put together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from socket import gethostname

from aiohttp import web
from pydantic import SecretStr

from lib.auth import Issuer, SigningKey, StaticKeys, Verifier, jwks_document
from lib.db.postgres import open_database
from lib.db.traced import traced
from lib.events import Consumer, Relay, housekeeping
from lib.events.store import QUERY_NAMES as EVENT_QUERY_NAMES
from lib.http import gates
from lib.http.app import DATABASE, HEALTH, METRICS, new_app
from lib.log import get_logger
from lib.store import QUERY_NAMES as SHARED_QUERY_NAMES
from services.user.clients import parse_clients
from services.user.config import UserConfig
from services.user.housekeeping import keeping_house
from services.user.mailer import Mailer, MailPolicy
from services.user.passwords import Passwords
from services.user.personal_ids import PersonalIds, parse_keys
from services.user.points_client import open_points, own_tokens
from services.user.routes import DEPS, NOT_IDEMPOTENT, ROUTES, RULES, Deps, Rules
from services.user.service.heard import HANDLERS
from services.user.service.pictures import clearing_away
from services.user.service.sessions import TokenPolicy
from services.user.signing import read_signing_keys
from services.user.store import QUERY_NAMES

# SQL text → name, for metrics and spans.
_NAMES = {**SHARED_QUERY_NAMES, **EVENT_QUERY_NAMES, **QUERY_NAMES}
log = get_logger(__name__)


def create_app(config: UserConfig) -> web.Application:
    """Build the application; starting it opens the database and the channels to point."""
    app = new_app(
        "user",
        config,
        ROUTES,
        description="Accounts, sessions, and people with their points and statistics.",
    )
    keys = _signing_keys(config)
    app[RULES] = _rules(config, keys)
    app.cleanup_ctx.append(_resources(config))
    # Its own keys: the issuer needs nobody to know its tokens.
    verifier = Verifier(StaticKeys(keys), issuer=config.auth_issuer, audience=config.auth_audience)
    gates.install(app, config, verifier, idempotency=True, not_idempotent=NOT_IDEMPOTENT)
    app.cleanup_ctx.append(_background(config))
    return app


def _signing_keys(config: UserConfig) -> Sequence[SigningKey]:
    text = config.jwt_private_keys.get_secret_value()
    if text:
        return read_signing_keys(text)
    return (SigningKey.generate(),)


def _rules(config: UserConfig, keys: Sequence[SigningKey]) -> Rules:
    issuer = Issuer(
        keys[0],
        issuer=config.auth_issuer,
        audience=config.auth_audience,
        ttl=timedelta(seconds=config.access_seconds),
    )
    return Rules(
        tokens=TokenPolicy(
            issuer,
            refresh_ttl=timedelta(seconds=config.refresh_seconds),
            session_ttl=timedelta(seconds=config.session_seconds),
        ),
        logins=config.login_limits(),
        mails=config.mail_limit(),
        clients=parse_clients(_secret(config.service_clients)),
        csrf_key=config.auth_csrf_secret.get_secret_value().encode(),
        jwks=jwks_document(keys),
    )


def _secret(value: SecretStr | None) -> str:
    return "" if value is None else value.get_secret_value()


def _resources(config: UserConfig) -> gates.Context:
    async def resources(app: web.Application) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            db = await stack.enter_async_context(
                open_database(
                    config,
                    application="user",
                    registry=app[METRICS],
                    query_names=_NAMES,
                )
            )
            app[DATABASE] = traced(db, _NAMES)
            app[HEALTH].add("database", db.ping)
            tokens = own_tokens(app[RULES].tokens.issuer)
            points = await stack.enter_async_context(
                open_points(config, tokens, registry=app[METRICS])
            )
            app[HEALTH].add("point", points.ping, required=False)
            passwords = stack.enter_context(Passwords(threads=config.password_threads))
            personal_ids = PersonalIds(parse_keys(config.encryption_keys.get_secret_value()))
            secret = config.auth_csrf_secret.get_secret_value().encode()
            files = await stack.enter_async_context(config.open_files(secret))
            if files.s3 is not None:
                app[HEALTH].add("s3", files.s3.ping, required=False)
            app[DEPS] = Deps(app[DATABASE], points, passwords, personal_ids, files)
            yield

    return resources


def _background(config: UserConfig) -> gates.Context:
    """What runs beside the requests, once everything is open."""

    async def background(app: web.Application) -> AsyncIterator[None]:
        db, redis = app[DATABASE], app[gates.REDIS]
        if not config.jwt_private_keys.get_secret_value():
            log.warning("signing_key_is_temporary", set="USER_JWT_PRIVATE_KEYS")
        async with AsyncExitStack() as stack:
            mailer = Mailer(
                db,
                config.mail_sender(),
                config.links(),
                registry=app[METRICS],
                policy=MailPolicy(first_wait=config.mail_retry_seconds),
            )
            await stack.enter_async_context(mailer.running())
            await stack.enter_async_context(keeping_house(db))
            await stack.enter_async_context(clearing_away(db, app[DEPS].files.storage))
            if redis is not None:
                relay = Relay(db, redis, registry=app[METRICS])
                await stack.enter_async_context(relay.running())
                consumer = Consumer(
                    db,
                    redis,
                    group="user-audit",
                    # After a restart on the same host and port it resumes what it had.
                    name=f"{gethostname()}-{config.port}",
                    handlers=HANDLERS,
                    registry=app[METRICS],
                )
                await stack.enter_async_context(consumer.running())
                await stack.enter_async_context(housekeeping(db, redis, tuple(HANDLERS)))
            yield

    return background
