"""Production does not start with known secrets, or with keys that an attacker could change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import SettingsConfigDict

from lib.auth.settings import AuthSettings, TokenSettings
from lib.config import ConfigError, load
from lib.http.client_credentials import ServiceLoginSettings
from lib.mail.settings import MailSettings


class ShopConfig(AuthSettings, ServiceLoginSettings, MailSettings):
    model_config = SettingsConfigDict(env_prefix="SHOP_")


class IssuerConfig(TokenSettings):
    issues_tokens = True


GOOD = {
    "ENVIRONMENT": "production",
    "PUBLIC_URL": "https://shop.example.com",
    "AUTH_JWKS_URL": "http://user:8081/.well-known/jwks.json",
    "AUTH_CSRF_SECRET": "c" * 32,
    "AUTH_CLIENT_SECRET": "s" * 24,
    "SMTP_HOST": "mail.example.com",
    "SMTP_PASSWORD": "p",
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (*GOOD, "AUTH_ISSUER", "AUTH_AUDIENCE", "AUTH_TOKEN_URL", "SMTP_SECURITY"):
        monkeypatch.delenv(name, raising=False)


def problems(
    monkeypatch: pytest.MonkeyPatch, spec: type[Any] = ShopConfig, **environ: str
) -> dict[str, str]:
    """Return the error message of `load` for each variable."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    try:
        load(spec)
    except ConfigError as error:
        lines = str(error).splitlines()[1:]
        return dict(line.strip().split(": ", 1) for line in lines)
    return {}


def test_development_needs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems(monkeypatch) == {}


def test_production_starts_with_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems(monkeypatch, **GOOD) == {}


def test_production_says_at_once_all_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(monkeypatch, ENVIRONMENT="production", SMTP_PORT="none")
    assert set(found) == {
        "AUTH_JWKS_URL", "AUTH_ISSUER", "AUTH_CSRF_SECRET", "AUTH_CLIENT_SECRET", "SMTP_HOST",
        "SMTP_PORT",
    }  # fmt: skip


def test_who_issues_tokens_need_not_be_told_where_its_keys_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert list(problems(monkeypatch, IssuerConfig, ENVIRONMENT="production")) == ["AUTH_ISSUER"]


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        ("for development only", "has no default"),
        ("this one is for development only too, and long enough", "has no default"),
        ("short", "32 characters"),
    ],
)
def test_a_secret_everybody_knows_or_can_guess_is_none(
    monkeypatch: pytest.MonkeyPatch, secret: str, says: str
) -> None:
    found = problems(monkeypatch, **GOOD | {"AUTH_CSRF_SECRET": secret})
    assert list(found) == ["AUTH_CSRF_SECRET"]
    assert says in found["AUTH_CSRF_SECRET"]
    assert secret not in found["AUTH_CSRF_SECRET"]


@pytest.mark.parametrize("name", ["AUTH_JWKS_URL", "AUTH_TOKEN_URL"])
@pytest.mark.parametrize(
    ("address", "is_trusted"),
    [
        ("https://users.example.com/jwks.json", True),
        ("http://user:8081/jwks.json", True),
        ("http://user.shop.svc.cluster.local/jwks.json", True),
        ("http://user.shop.internal/jwks.json", True),
        ("http://10.1.2.3:8081/jwks.json", True),
        ("http://127.0.0.1:9000/jwks.json", True),
        ("http://[fd00::1]:9000/jwks.json", True),
        ("http://users.example.com/jwks.json", False),
        ("http://93.184.216.34/jwks.json", False),
        ("http://local.example.com/jwks.json", False),
        ("http:///jwks.json", False),
        ("ftp://user/jwks.json", False),
        ("user:8081", False),
    ],
)
def test_keys_and_secrets_do_not_travel_in_the_clear(
    monkeypatch: pytest.MonkeyPatch, name: str, address: str, is_trusted: bool
) -> None:
    found = problems(monkeypatch, **GOOD | {name: address})
    assert list(found) == ([] if is_trusted else [name])


def test_a_mail_password_does_not_either(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(problems(monkeypatch, **GOOD, SMTP_SECURITY="none")) == ["SMTP_SECURITY"]
