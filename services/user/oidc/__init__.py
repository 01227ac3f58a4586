"""Identity providers over OpenID Connect: the implementation of `ports.IdentityProviders`."""

from __future__ import annotations

from services.user.oidc.providers import open_identity_providers

__all__ = ["open_identity_providers"]
