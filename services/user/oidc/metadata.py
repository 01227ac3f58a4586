"""The discovery document of a provider."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

WELL_KNOWN: Final = "/.well-known/openid-configuration"


class Metadata(Struct, frozen=True):
    """The fields of the document that we use (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: list[str] | None = None
    # RFC 9207: without `iss` in its answer, an answer is not the provider's.
    authorization_response_iss_parameter_supported: bool | None = None

    def problem(self, issuer: str) -> str | None:
        """Return the reason why the document of `issuer` is invalid, or None."""
        if self.issuer != issuer:
            return "another issuer"
        schemes = ("https",) if issuer.startswith("https://") else ("https", "http")
        for endpoint in (
            self.authorization_endpoint,
            self.token_endpoint,
            self.jwks_uri,
            self.userinfo_endpoint,
        ):
            if endpoint is not None and not _is_url(endpoint, schemes):
                return "an endpoint that is not an https URL"
        return None


def document_of(issuer: str) -> str:
    """Return the address of the discovery document."""
    return f"{issuer.rstrip('/')}{WELL_KNOWN}"


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        address = urlsplit(text)
    except ValueError:
        return False
    return address.scheme in schemes and bool(address.hostname) and not address.fragment
