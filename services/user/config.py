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

    # The port of the HTTP API.
    port: Port = 8081
    # Host and port of the point service.
    point_grpc_address: str = Field("127.0.0.1:50051", validation_alias="POINT_GRPC_ADDRESS")
    # PEM file of the certificate authority of the point service. If set, the connection uses TLS.
    point_grpc_tls_ca: Path | None = Field(None, validation_alias="POINT_GRPC_TLS_CA")
    # PEM file of the client's certificate chain, if the point service requires a client
    # certificate.
    point_grpc_tls_certificate: Path | None = None
    # PEM file of the key of this certificate.
    point_grpc_tls_key: Path | None = Field(default=None, validate_default=True)
    # Maximum number of concurrent calls to the point service. Further calls wait within their time
    # limit.
    point_connections: int = Field(10, ge=1, validation_alias="POINT_GRPC_CONNECTIONS")
    # How long a list of users waits for points. After that, the list is returned without points.
    points_seconds: Seconds = 1.0
    # The maximum time for which the circuit to the point service stays open after failures.
    points_pause_seconds: Seconds = 2.0

    # The URL of the order service, which the export of a user's data calls.
    order_url: Url = Field(default="http://127.0.0.1:8082", validation_alias="ORDER_URL")
    # The URL of the chat service, which the export calls too.
    chat_url: Url = Field("http://127.0.0.1:8086", validation_alias="CHAT_URL")  # with chat
    # Time limit for a response of each service that the export calls.
    export_seconds: Seconds = 5.0

    # Ed25519 keys as PEM, or the path of a file with them. If empty, development creates a key
    # that is lost at the end of the process; then all tokens are invalid.
    jwt_private_keys: Annotated[SecretStr, AfterValidator(_signing_keys)] = SecretStr("")
    # `name:secret` or `name:sha256:hash` of each service that may sign in, separated by commas.
    # The hash is the SHA-256 of the secret in hexadecimal digits.
    service_clients: Annotated[SecretStr | None, AfterValidator(_clients)] = None
    # The lifetime of an access token.
    access_seconds: Seconds = 900.0
    # The lifetime of a refresh token.
    refresh_seconds: Seconds = 7 * 24 * 3600.0
    # The lifetime of a session, from the login on, however often it is refreshed.
    session_seconds: Seconds = 30 * 24 * 3600.0

    # Identity providers (OpenID Connect) as `name=issuer?client_id=…`, separated by commas.
    # `&scope=openid+email` requests less data, and `&email=verified` trusts the provider's email
    # addresses: docs/oidc.md.
    oidc_providers: Annotated[str, AfterValidator(_providers)] = ""
    # `name:secret` of each provider, separated by commas.
    oidc_client_secrets: SecretStr | None = Field(default=None, validate_default=True)
    # Time limit for one response of a provider.
    oidc_seconds: Seconds = 4.0

    # Keys of 32 bytes that encrypt personal IDs and authenticator secrets: `name:base64`,
    # separated by commas. The first key encrypts; all keys decrypt.
    encryption_keys: Annotated[SecretStr, AfterValidator(_encryption_keys)] = SecretStr(
        _DEVELOPMENT_KEY
    )
    # Number of passwords that are hashed at the same time. Each of them needs 46 MiB of memory.
    password_threads: int = Field(
        default_factory=lambda: min(MOST_PASSWORD_THREADS, os.cpu_count() or 1), ge=1
    )

    # For how many days audit entries are kept. The schema refuses to delete entries that are
    # younger than 90 days.
    audit_days: int = Field(default=730, ge=90)
    # For how many days audit entries keep the client's address. The schema refuses to erase
    # addresses that are younger than 30 days.
    audit_address_days: int = Field(default=90, ge=30)
    # For how many days a deleted account keeps its name and its email address.
    deleted_days: int = Field(default=30, ge=1)

    # Maximum number of wrong passwords for one account from one client address.
    login_attempts: int = Field(default=5, ge=1)
    # The period in which these wrong passwords are counted.
    login_window_seconds: Seconds = 900.0
    # Maximum number of wrong passwords for one account from all client addresses together.
    login_account_attempts: int = Field(default=100, ge=1)
    # The period in which these wrong passwords are counted.
    login_account_window_seconds: Seconds = 3600.0
    # Maximum number of wrong passwords from one client address for all accounts together.
    login_address_attempts: int = Field(default=100, ge=1)
    # The period in which these wrong passwords are counted.
    login_address_window_seconds: Seconds = 900.0
    # Roles whose permissions need a second factor, separated by spaces, such as `ADMIN STAFF
    # MODERATOR`. A user who has a second factor must present it in any role.
    second_factor_roles: Annotated[str, AfterValidator(_roles)] = ""
    # Maximum number of wrong second-factor codes for one account from all client addresses
    # together.
    second_factor_attempts: int = Field(default=20, ge=1)
    # The period in which these wrong codes are counted.
    second_factor_window_seconds: Seconds = 24 * 3600.0
    # For how long a device counts as known after a sign-in. Login attempts with a known device
    # have their own limit.
    device_seconds: Seconds = 180 * 24 * 3600.0
    # Maximum number of emails of each kind that one client can request for one email address.
    mails_per_address: int = Field(default=3, ge=1)
    # Maximum number of emails of each kind that all clients together can request for one email
    # address.
    mails_per_recipient: int = Field(default=10, ge=1)
    # Maximum number of emails of each kind that one client can request for all email addresses.
    mails_per_client: int = Field(default=100, ge=1)
    # The period in which these requests are counted.
    mails_window_seconds: Seconds = 3600.0

    # The wait before the first retry of a failed email. The wait doubles with each retry, up to
    # four hours.
    mail_retry_seconds: Seconds = 15.0
    # The lifetime of a verification link.
    verification_seconds: Seconds = 168 * 3600.0
    # The lifetime of a link to reset a password.
    reset_seconds: Seconds = 3600.0
    # The lifetime of a link to choose the first password, for an account that an administrator
    # created.
    invitation_seconds: Seconds = 72 * 3600.0
    # The URL in verification emails, with `{token}`. If `PUBLIC_URL` is set, the default is below
    # it.
    verification_link: LinkUrl = _LINKS["verification_link"]
    # The URL in password reset emails, with `{token}`. If `PUBLIC_URL` is set, the default is
    # below it.
    reset_link: LinkUrl = _LINKS["reset_link"]
    # The URL to undo a change of the email address, with `{token}`. If `PUBLIC_URL` is set, the
    # default is below it.
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
