"""Build the user service from its configuration."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import Final

from aiohttp import web
from pydantic import SecretStr

from lib.auth import Issuer, SigningKey, StaticKeys, Verifier, jwks_document
from lib.component import Component
from lib.events import Relay, consuming
from lib.http.app import BROKER, DATABASE, HEALTH, METRICS, new_app
from lib.http.components import add_background, add_database
from lib.http.middleware.install import install_middleware
from lib.log import get_logger
from lib.public_url import LOCAL_GATEWAY
from services.user import store
from services.user.clients import parse_clients
from services.user.config import UserConfig
from services.user.export_sources import open_others
from services.user.images import Images
from services.user.mailer import Mailer, MailPolicy
from services.user.maintenance import maintaining
from services.user.oidc import open_identity_providers
from services.user.passwords import Passwords
from services.user.personal_ids import PersonalIds, parse_keys
from services.user.points_client import open_points, own_tokens
from services.user.routes import DEPS, NOT_IDEMPOTENT, ROUTES, RULES, Deps, Rules
from services.user.service.devices import Devices
from services.user.service.event_handlers import HANDLERS
from services.user.service.passkeys import RelyingParty, origin_of
from services.user.service.pictures import clearing_away
from services.user.service.second_factors import Policy
from services.user.service.sessions import TokenPolicy
from services.user.signing import read_signing_keys
from services.user.store.models import AccountRole

log = get_logger(__name__)


# The trusted producer of each topic that is consumed.
PRODUCERS: Final[Mapping[str, str]] = {
    "orders": "order",
    "cities": "order",
    "catalog": "catalog",
    "products": "product",
    "service-orders": "order",
    "jobs": "order",
    "departments": "department",
}


def create_app(config: UserConfig) -> web.Application:
    """Return the application.

    At start, the application opens the database and the channels to `point`.
    """
    app = new_app(
        "user",
        config,
        ROUTES,
        description="Accounts, sessions, roles, points and statistics of users.",
    )
    keys = _signing_keys(config)
    app[RULES] = _rules(config, keys)
    add_database(app, config, store)
    app.cleanup_ctx.append(partial(_resources, config))
    # The issuer verifies its own tokens with its own keys, without a call.
    verifier = Verifier(StaticKeys(keys), issuer=config.auth_issuer, audience=config.auth_audience)
    install_middleware(app, config, verifier, idempotency=True, not_idempotent=NOT_IDEMPOTENT)
    add_background(app, lambda: _background(app, config))
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
            second_factor_roles=frozenset(map(AccountRole, config.second_factor_roles.split())),
        ),
        logins=config.login_limits(),
        mails=config.mail_limits(),
        devices=Devices(
            config.auth_csrf_secret.get_secret_value().encode(),
            timedelta(seconds=config.device_seconds),
        ),
        second_factors=Policy(
            RelyingParty(origin_of(config.public_url or LOCAL_GATEWAY)),
            config.second_factor_limits(),
        ),
        clients=parse_clients(_secret(config.service_clients)),
        csrf_key=config.auth_csrf_secret.get_secret_value().encode(),
        jwks=jwks_document(keys),
    )


def _secret(value: SecretStr | None) -> str:
    return "" if value is None else value.get_secret_value()


async def _resources(config: UserConfig, app: web.Application) -> AsyncIterator[None]:
    csrf_key = app[RULES].csrf_key
    async with AsyncExitStack() as stack:
        tokens = own_tokens(app[RULES].tokens.issuer)
        points = await stack.enter_async_context(open_points(config, tokens, registry=app[METRICS]))
        app[HEALTH].add("point", points.ping, required=False)
        passwords = stack.enter_context(Passwords(threads=config.password_threads))
        personal_ids = PersonalIds(parse_keys(config.encryption_keys.get_secret_value()))
        files = await stack.enter_async_context(config.open_files(csrf_key))
        if files.s3 is not None:
            app[HEALTH].add("s3", files.s3.ping, required=False)
        images = stack.enter_context(Images())
        others = open_others(config, points, app[RULES].tokens.issuer)
        identity_providers = open_identity_providers(
            config.identity_providers(),
            config.public_url or LOCAL_GATEWAY,
            seconds=config.oidc_seconds,
            registry=app[METRICS],
        )
        app[DEPS] = Deps(
            app[DATABASE],
            points,
            passwords,
            personal_ids,
            files,
            images,
            await stack.enter_async_context(others),
            await stack.enter_async_context(identity_providers),
        )
        yield


def _background(app: web.Application, config: UserConfig) -> Iterator[Component]:
    db, broker, registry = app[DATABASE], app[BROKER], app[METRICS]
    if not config.jwt_private_keys.get_secret_value():
        log.warning("signing_key_is_temporary", set="USER_JWT_PRIVATE_KEYS")
    policy = MailPolicy(first_wait=config.mail_retry_seconds)
    sender = config.mail_sender()
    yield Mailer(db, sender, config.links(), registry=registry, policy=policy).running()
    yield maintaining(db, config.keep())
    yield clearing_away(db, app[DEPS].files.storage)
    if broker is not None:
        yield Relay(db, broker, registry=registry, signer=config.event_signer()).running()
        yield consuming(
            config, db, broker, HANDLERS, PRODUCERS, group="user-audit", registry=registry
        )
