"""Settings of identity providers: their meaning, and values with which a service does not start."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from devstack.settings import ROOT
from lib.config import ConfigError, load
from services.user.config import UserConfig
from services.user.identity_providers import IdentityProvider

GOOGLE = "google=https://accounts.google.com?client_id=123"
DATABASE = "postgresql://u:p@127.0.0.1/x"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    """Load the settings of a service from these variables."""
    monkeypatch.chdir(tmp_path)  # where no .env is

    def start(**variables: str) -> UserConfig:
        for name, value in {"USER_DATABASE_URL": DATABASE, **variables}.items():
            monkeypatch.setenv(name, value)
        return load(UserConfig)

    return start


def test_without_settings_there_is_no_provider(started: Any) -> None:
    assert started().identity_providers() == ()


def test_an_entry_says_where_as_whom_and_what_is_trusted(started: Any) -> None:
    config = started(
        USER_OIDC_PROVIDERS=f"{GOOGLE}, own-1=https://id.example.com/realms/a/"
        "?client_id=a%26b&scope=openid+email&email=verified",
        USER_OIDC_CLIENT_SECRETS="own-1:b:c, google:a",
    )
    assert config.identity_providers() == (
        IdentityProvider(
            "google", "https://accounts.google.com", "123", "a", "openid email profile", False
        ),
        IdentityProvider(
            "own-1", "https://id.example.com/realms/a/", "a&b", "b:c", "openid email", True
        ),
    )


def test_the_settings_of_the_page_are_read_as_it_says(started: Any) -> None:
    page = (ROOT / "docs" / "oidc.md").read_text()
    block = re.search(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert block is not None
    variables = dict(line.split("=", 1) for line in shlex.split(block[1]))
    google, keycloak = started(**variables).identity_providers()
    assert (google.name, google.issuer) == ("google", "https://accounts.google.com")
    assert (google.trusts_email, keycloak.trusts_email) == (True, False)
    assert (keycloak.client_secret, keycloak.scope) == ("another-secret", "openid email")


@pytest.mark.parametrize(
    ("providers", "complaint"),
    [
        ("google", "entry 1 must be name=URL, with a name that is not repeated"),
        ("Google=https://a.example.com?client_id=1", "entry 1 must be name=URL"),
        (f"{GOOGLE},{GOOGLE}", "entry 2 must be name=URL"),
        (f"{GOOGLE},other=https://accounts.google.com?client_id=2", "have the same issuer"),
        ("a=ftp://a.example.com?client_id=1", "the issuer of a must be an http:// or https:// URL"),
        ("a=https://?client_id=1", "the issuer of a must be"),
        ("a=https://user:word@a.example.com?client_id=1", "the issuer of a must be"),
        ("a=https://a.example.com?client_id=1#x", "the URL of a must not contain #"),
        ("a=https://a.example.com", "a has no client_id"),
        ("a=https://a.example.com?client_id=", "a has no client_id"),
        ("a=https://a.example.com?client_id=1&secret=x", "a has the unknown parameter secret"),
        ("a=https://a.example.com?client_id=1&scope=email", "the scope of a must contain openid"),
        (
            "a=https://a.example.com?client_id=1&email=yes",
            "the parameter email of a must be left out",
        ),
    ],
)
def test_an_entry_that_is_wrong_is_named(started: Any, providers: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=f"USER_OIDC_PROVIDERS: .*{re.escape(complaint)}"):
        started(USER_OIDC_PROVIDERS=providers, USER_OIDC_CLIENT_SECRETS="google:a,a:b,other:c")


@pytest.mark.parametrize(
    ("secrets", "complaint"),
    [
        ("", "has no secret for the provider google"),
        ("google:", "entry 1 must be name:secret, with a name that is not repeated"),
        ("google:a-secret,google:a-secret", "entry 2 must be name:secret"),
        ("a-secret", "entry 1 must be"),
        (
            "google:a-secret,other:a-secret",
            "has a secret for other, which is not a provider in the settings",
        ),
    ],
)
def test_every_provider_has_a_secret_and_no_message_has_one(
    started: Any, secrets: str, complaint: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        started(USER_OIDC_PROVIDERS=GOOGLE, USER_OIDC_CLIENT_SECRETS=secrets)
    assert f"USER_OIDC_CLIENT_SECRETS: {complaint}" in str(refused.value)
    assert "a-secret" not in str(refused.value)


def test_no_secret_is_shown_by_what_holds_it(started: Any) -> None:
    config = started(USER_OIDC_PROVIDERS=GOOGLE, USER_OIDC_CLIENT_SECRETS="google:a-secret")
    assert "a-secret" not in repr(config) + repr(config.identity_providers())


def test_in_production_a_secret_does_not_travel_in_the_clear(started: Any) -> None:
    production = {"ENVIRONMENT": "production", "PUBLIC_URL": "https://shop.example.com"}
    for issuer, refused in (
        ("http://id.example.com", True),
        ("http://keycloak:8080/realms/a", False),
        ("https://id.example.com", False),
    ):
        with pytest.raises(ConfigError) as error:
            started(
                USER_OIDC_PROVIDERS=f"a={issuer}?client_id=1",
                USER_OIDC_CLIENT_SECRETS="a:b",
                **production,
            )
        complaint = "USER_OIDC_PROVIDERS: in production must be https://"
        assert (complaint in str(error.value)) is refused, issuer


def test_in_production_providers_need_an_address_to_send_browsers_back_to(started: Any) -> None:
    with pytest.raises(ConfigError, match="USER_OIDC_PROVIDERS: needs PUBLIC_URL"):
        started(
            ENVIRONMENT="production",
            USER_OIDC_PROVIDERS=GOOGLE,
            USER_OIDC_CLIENT_SECRETS="google:a",
        )
