"""Parse the settings of identity providers: a URL for each, and secrets in another setting."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qs, urlsplit

NAME: Final = r"[a-z][a-z0-9-]{0,29}"
_NAME: Final = re.compile(NAME)
_PARAMETERS: Final = frozenset({"client_id", "scope", "email"})
_SCOPE: Final = "openid email profile"


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """An identity provider: its issuer, and the platform's registration there.

    With `trusts_email`, an address that the provider has verified counts as verified here.
    """

    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = _SCOPE
    trusts_email: bool = False


def parse_providers(text: str) -> dict[str, IdentityProvider]:
    """Return the providers by name, without secrets.

    Each provider has the form `name=issuer?client_id=…`, and commas separate the providers.
    `&scope=openid+email` requests less than the default of email and profile, and `&email=verified`
    trusts the provider's addresses.

    Raises:
        ValueError: if an entry is invalid; the message names the entry.
    """
    found: dict[str, IdentityProvider] = {}
    for number, entry in _entries(text):
        name, separator, url = entry.partition("=")
        if not separator or not _NAME.fullmatch(name) or name in found:
            raise ValueError(f"entry {number} must be name=URL, with a name that is not repeated")
        found[name] = _provider(name, url)
    issuers = [provider.issuer for provider in found.values()]
    if len(set(issuers)) < len(issuers):
        raise ValueError("two entries have the same issuer")
    return found


def parse_secrets(text: str) -> dict[str, str]:
    """Parse `google:<secret>,keycloak:<secret>` into the client secret of each provider.

    Raises:
        ValueError: if an entry is invalid; the message names the entry but never contains a secret.
    """
    found: dict[str, str] = {}
    for number, entry in _entries(text):
        name, _, secret = entry.partition(":")
        if not _NAME.fullmatch(name) or name in found or not secret:
            raise ValueError(
                f"entry {number} must be name:secret, with a name that is not repeated"
            )
        found[name] = secret
    return found


def with_secrets(
    providers: Mapping[str, IdentityProvider], secrets: Mapping[str, str]
) -> tuple[IdentityProvider, ...]:
    """Return the providers with their secrets, in the order of the settings.

    Raises:
        ValueError: if a provider has no secret, or if a secret has no provider.
    """
    if missing := sorted(providers.keys() - secrets.keys()):
        raise ValueError(f"has no secret for the provider {', '.join(missing)}")
    if extra := sorted(secrets.keys() - providers.keys()):
        raise ValueError(
            f"has a secret for {', '.join(extra)}, which is not a provider in the settings"
        )
    return tuple(
        IdentityProvider(
            name, one.issuer, one.client_id, secrets[name], one.scope, one.trusts_email
        )
        for name, one in providers.items()
    )


def _entries(text: str) -> Iterator[tuple[int, str]]:
    return enumerate(filter(None, (part.strip() for part in text.split(","))), 1)


def _provider(name: str, url: str) -> IdentityProvider:
    issuer, _, query = url.partition("?")
    address = urlsplit(issuer)
    if address.scheme not in ("http", "https") or not address.hostname or "@" in address.netloc:
        raise ValueError(f"the issuer of {name} must be an http:// or https:// URL")
    if "#" in url:
        raise ValueError(f"the URL of {name} must not contain #")
    given = parse_qs(query, keep_blank_values=True)
    if unknown := sorted(given.keys() - _PARAMETERS):
        raise ValueError(f"{name} has the unknown parameter {unknown[0]}")
    said = {key: values[-1] for key, values in given.items()}
    if not said.get("client_id"):
        raise ValueError(f"{name} has no client_id")
    scope = said.get("scope", _SCOPE)
    if "openid" not in scope.split():
        raise ValueError(f"the scope of {name} must contain openid")
    if said.get("email", "verified") != "verified":
        raise ValueError(f"the parameter email of {name} must be left out, or be `verified`")
    return IdentityProvider(name, issuer, said["client_id"], "", scope, "email" in said)
