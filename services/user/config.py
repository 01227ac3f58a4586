"""Settings of the user service, read from the environment."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import SettingsConfigDict

from lib.auth.settings import check_trusted
from lib.config import Port, PostgresSettings, Seconds, in_production
from lib.events.signing import ConsumerSettings, ProducerSettings
from lib.grpc.tls import ClientTls
from lib.http.middleware.install import MiddlewareSettings
from lib.mail.settings import MailSettings
from lib.public_url import LOCAL_GATEWAY, below_public_url
from lib.storage.settings import StorageSettings
from services.user.clients import parse_clients
from services.user.identity_providers import (
    IdentityProvider,
    parse_providers,
    parse_secrets,
    with_secrets,
)
from services.user.mailer import Link
from services.user.maintenance import Keep
from services.user.personal_ids import parse_keys
from services.user.service.throttle import Limit, Limits
from services.user.signing import read_signing_keys
from services.user.store.models import AccountRole, TokenKind

# Known to everyone who reads this: production refuses to start without one of its own.
_DEVELOPMENT_KEY: Final = (
    f"development:{base64.b64encode(b'not secret: for development only').decode()}"
)

_LINKS: Final = {
    # Pages that do nothing before their button is pressed: programs that read mails open links.
    # Behind the `#`: a browser keeps that part to itself, so no log has the token.
    "verification_link": f"{LOCAL_GATEWAY}/verify-email#token={{token}}",
    "reset_link": f"{LOCAL_GATEWAY}/reset-password#token={{token}}",
    "undo_link": f"{LOCAL_GATEWAY}/undo-address#token={{token}}",
}
# The former address is kept for the account as long (`sql/user/addresses.sql`).
_UNDO_SECONDS: Final = 7 * 24 * 3600.0


def _signing_keys(value: SecretStr) -> SecretStr:
    if value.get_secret_value():
        read_signing_keys(value.get_secret_value())
    return value


def _encryption_keys(value: SecretStr) -> SecretStr:
    parse_keys(value.get_secret_value())
    return value


def _clients(value: SecretStr | None) -> SecretStr | None:
    if value is not None:
        parse_clients(value.get_secret_value())
    return value


def _providers(value: str) -> str:
    parse_providers(value)
    return value


def _roles(value: str) -> str:
    for name in value.split():
        if name not in AccountRole.__members__.values():
            raise ValueError(f"{name} is no role")
    return value


def _with_token(value: str) -> str:
    if "{token}" not in value:
        raise ValueError("must contain {token}")
    return value


Url = Annotated[str, Field(pattern=r"^https?://")]
LinkUrl = Annotated[Url, AfterValidator(_with_token)]

# A container sees all processors of the machine, not its part: more only takes its memory.
MOST_PASSWORD_THREADS: Final = 2


class UserConfig(
    PostgresSettings,
    MiddlewareSettings,
    MailSettings,
    StorageSettings,
    ConsumerSettings,
    ProducerSettings,
):
    """Settings. `USER_DATABASE_URL` is required.

    Production also requires keys, secrets and a mail server.
    """

    model_config = SettingsConfigDict(env_prefix="USER_")
    issues_tokens = True

    # Where it listens for HTTP.
    port: Port = 8081
    # Host and port of the point service.
    point_grpc_address: str = Field("127.0.0.1:50051", validation_alias="POINT_GRPC_ADDRESS")
    # The PEM file of the authority that the point service's certificate is from: with it, TLS.
    point_grpc_tls_ca: Path | None = Field(None, validation_alias="POINT_GRPC_TLS_CA")
    # Where the point service asks who calls: our chain.
    point_grpc_tls_certificate: Path | None = None
    # And its key.
    point_grpc_tls_key: Path | None = Field(default=None, validate_default=True)
    # Calls to the point service at a time; one more waits, within its own seconds.
    point_connections: int = Field(10, ge=1, validation_alias="POINT_GRPC_CONNECTIONS")
    # What a list waits for its points at most; without them it is still a list.
    points_seconds: Seconds = 1.0
    # How long a point service that failed is not called before one call tries again.
    points_pause_seconds: Seconds = 2.0

    # The URL of the order service, which the export of a user's data calls.
    order_url: Url = Field(default="http://127.0.0.1:8082", validation_alias="ORDER_URL")
    # The URL of the chat service, which the export calls too.
    chat_url: Url = Field("http://127.0.0.1:8086", validation_alias="CHAT_URL")  # with chat
    # How long one of their answers may take.
    export_seconds: Seconds = 5.0

    # Ed25519 keys as PEM, or the path of a file with them. If empty, development creates a
    # key that is lost at the end of the process; then all tokens are invalid.
    jwt_private_keys: Annotated[SecretStr, AfterValidator(_signing_keys)] = SecretStr("")
    # `name:secret` or `name:sha256:hash` of each service that may sign in, separated by
    # commas; the hash of its secret in hexadecimal digits.
    service_clients: Annotated[SecretStr | None, AfterValidator(_clients)] = None
    # How long an access token is good.
    access_seconds: Seconds = 900.0
    # How long a refresh token is good.
    refresh_seconds: Seconds = 7 * 24 * 3600.0
    # From the login on, however often it is refreshed.
    session_seconds: Seconds = 30 * 24 * 3600.0

    # Identity providers (OpenID Connect) as `name=issuer?client_id=…`, separated by commas;
    # `&scope=openid+email` asks for less, `&email=verified` trusts its addresses: docs/oidc.md.
    oidc_providers: Annotated[str, AfterValidator(_providers)] = ""
    # `name:secret` of each provider, separated by commas.
    oidc_client_secrets: SecretStr | None = Field(default=None, validate_default=True)
    # How long one answer of a provider may take.
    oidc_seconds: Seconds = 4.0

    # `name:base64` of 32 bytes, the first encrypts: personal ids are kept with these.
    encryption_keys: Annotated[SecretStr, AfterValidator(_encryption_keys)] = SecretStr(
        _DEVELOPMENT_KEY
    )
    # At a time; each takes 46 MiB while it works.
    password_threads: int = Field(
        default_factory=lambda: min(MOST_PASSWORD_THREADS, os.cpu_count() or 1), ge=1
    )

    # How long the audit trail is kept; the schema lets nothing younger than 90 days go.
    audit_days: int = Field(default=730, ge=90)
    # How long it says from which address; the schema lets none younger than 30 days go.
    audit_address_days: int = Field(default=90, ge=30)
    # How long a deleted account keeps its name and its email address, should it be asked for.
    deleted_days: int = Field(default=30, ge=1)

    # Wrong passwords for one account from one address.
    login_attempts: int = Field(default=5, ge=1)
    # How long they count.
    login_window_seconds: Seconds = 900.0
    # The same for an account from everywhere.
    login_account_attempts: int = Field(default=100, ge=1)
    # How long they count.
    login_account_window_seconds: Seconds = 3600.0
    # The same from one address for all accounts.
    login_address_attempts: int = Field(default=100, ge=1)
    # How long they count.
    login_address_window_seconds: Seconds = 900.0
    # Roles whose permissions need a second factor, separated by spaces, such as `ADMIN STAFF
    # MODERATOR`. A user who has a second factor must present it in any role.
    second_factor_roles: Annotated[str, AfterValidator(_roles)] = ""
    # Wrong codes of an authenticator for one account from everywhere.
    second_factor_attempts: int = Field(default=20, ge=1)
    # How long they count.
    second_factor_window_seconds: Seconds = 24 * 3600.0
    # How long an owner who has signed in with a device is not taken for a stranger there.
    device_seconds: Seconds = 180 * 24 * 3600.0
    # How many emails of each kind a client can request for one address.
    mails_per_address: int = Field(default=3, ge=1)
    # How many emails of each kind all clients together can request for one address.
    mails_per_recipient: int = Field(default=10, ge=1)
    # How many emails of each kind one client can request for all addresses.
    mails_per_client: int = Field(default=100, ge=1)
    # How long they count.
    mails_window_seconds: Seconds = 3600.0

    # The wait before a mail that could not be sent is tried again; it doubles, up to four hours.
    mail_retry_seconds: Seconds = 15.0
    # How long a verification link is good.
    verification_seconds: Seconds = 168 * 3600.0
    # How long a link to reset a password is good.
    reset_seconds: Seconds = 3600.0
    # How long a link to choose the first password is valid, for an account that an administrator
    # created.
    invitation_seconds: Seconds = 72 * 3600.0
    # Below `PUBLIC_URL`, unless it is said; contains `{token}`.
    verification_link: LinkUrl = _LINKS["verification_link"]
    # Below `PUBLIC_URL`, unless it is said; contains `{token}`.
    reset_link: LinkUrl = _LINKS["reset_link"]
    # Below `PUBLIC_URL`, unless it is said; contains `{token}`.
    undo_link: LinkUrl = _LINKS["undo_link"]

    # What people have written goes there and back.
    _stays_with_us = field_validator(
        "order_url",
        "chat_url",  # with chat
    )(check_trusted)

    @field_validator("oidc_providers")
    @classmethod
    def _have_a_way_back(cls, value: str, info: ValidationInfo) -> str:
        for provider in parse_providers(value).values():
            # Our client secret and the keys that verify users come over this connection.
            check_trusted(provider.issuer, info)
        if value and in_production(info) and not info.data.get("public_url"):
            raise ValueError("needs PUBLIC_URL: identity providers redirect browsers to this URL")
        return value

    @field_validator("oidc_client_secrets")
    @classmethod
    def _belong_to_the_providers(
        cls, value: SecretStr | None, info: ValidationInfo
    ) -> SecretStr | None:
        providers = parse_providers(info.data.get("oidc_providers", ""))
        with_secrets(providers, parse_secrets("" if value is None else value.get_secret_value()))
        return value

    @field_validator("point_grpc_tls_key")
    @classmethod
    def _trusts_whom_it_calls(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        authority = info.data.get("point_grpc_tls_ca")
        if (info.data.get("point_grpc_tls_certificate") is None) is not (value is None):
            raise ValueError("must be set together with USER_POINT_GRPC_TLS_CERTIFICATE")
        if value is not None and authority is None:
            raise ValueError("needs POINT_GRPC_TLS_CA")
        if authority is None and in_production(info):
            # In the clear, a token may only go to a neighbour.
            check_trusted(f"http://{info.data.get('point_grpc_address')}", info)
        return value

    def point_grpc_tls(self) -> ClientTls | None:
        """Return the TLS settings for the point service, or None for a connection without TLS."""
        if self.point_grpc_tls_ca is None:
            return None
        return ClientTls(
            self.point_grpc_tls_ca, self.point_grpc_tls_certificate, self.point_grpc_tls_key
        )

    @field_validator("verification_link", "reset_link", "undo_link")
    @classmethod
    def _lead_to_us(cls, value: str, info: ValidationInfo) -> str:
        return below_public_url(value, info, default=_LINKS[info.field_name or ""])

    def identity_providers(self) -> tuple[IdentityProvider, ...]:
        """Return the identity providers with their client secrets."""
        secrets = self.oidc_client_secrets
        return with_secrets(
            parse_providers(self.oidc_providers),
            parse_secrets("" if secrets is None else secrets.get_secret_value()),
        )

    def login_limits(self) -> Limits:
        """Return the limits on failed logins."""
        return Limits(
            pair=Limit(self.login_attempts, self.login_window_seconds),
            account=Limit(self.login_account_attempts, self.login_account_window_seconds),
            address=Limit(self.login_address_attempts, self.login_address_window_seconds),
        )

    def second_factor_limits(self) -> Limits:
        """Return the limits on wrong codes of a second factor.

        At any time, three of a million codes are valid.
        """
        logins = self.login_limits()
        account = Limit(self.second_factor_attempts, self.second_factor_window_seconds)
        return Limits(pair=logins.pair, account=account, address=logins.address)

    def mail_limits(self) -> Limits:
        """Return the limits on the emails that users request."""
        return Limits(
            pair=Limit(self.mails_per_address, self.mails_window_seconds),
            account=Limit(self.mails_per_recipient, self.mails_window_seconds),
            address=Limit(self.mails_per_client, self.mails_window_seconds),
        )

    def keep(self) -> Keep:
        """Return the numbers of days after which old data is deleted."""
        return Keep(self.audit_days, self.audit_address_days, self.deleted_days)

    def links(self) -> dict[str, Link]:
        """Return the links in emails, by template."""
        return {
            "verify_email": Link(
                TokenKind.VERIFY_EMAIL, self.verification_link, self.verification_seconds
            ),
            "reset_password": Link(TokenKind.RESET_PASSWORD, self.reset_link, self.reset_seconds),
            "invitation": Link(TokenKind.RESET_PASSWORD, self.reset_link, self.invitation_seconds),
            "email_changed": Link(TokenKind.UNDO_EMAIL, self.undo_link, _UNDO_SECONDS, former=True),
            "address_restored": Link(TokenKind.RESET_PASSWORD, self.reset_link, self.reset_seconds),
            "address_release": Link(TokenKind.UNDO_EMAIL, self.undo_link, self.reset_seconds),
        }
