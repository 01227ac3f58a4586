"""Sign-in at an identity provider: the authorization code flow with PKCE."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final
from urllib.parse import quote_plus

import aiohttp
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.jwk import KeySet
from msgspec import Struct
from prometheus_client import CollectorRegistry

from lib.auth.principal import unauthorized
from lib.errors import AppError, not_found
from lib.log import get_logger
from lib.resilience import BreakerPolicy, Upstream
from services.user.identity_providers import IdentityProvider
from services.user.oidc import id_tokens
from services.user.oidc.kept import Kept
from services.user.oidc.metadata import Metadata, document_of
from services.user.oidc.transport import Transport, open_session
from services.user.ports import Identity, ProviderAnswer

log = get_logger(__name__)

_METADATA_SECONDS: Final = 3600.0
_KEYS_SECONDS: Final = 600.0
# A sign-in is up to four calls: the failure of one user is not yet that of the provider.
_BREAKER: Final = BreakerPolicy(min_requests=10)
_LONGEST_TOKEN: Final = 64 * 1024


class _Tokens(Struct, frozen=True):
    id_token: str
    access_token: str = ""


class OidcProvider:
    """One identity provider, with its metadata and keys."""

    def __init__(self, settings: IdentityProvider, transport: Transport, redirect_uri: str) -> None:
        self._settings = settings
        self._transport = transport
        self._redirect_uri = redirect_uri
        self._metadata = Kept(self._discover, fresh_seconds=_METADATA_SECONDS)
        self._keys = Kept(self._fetch_keys, fresh_seconds=_KEYS_SECONDS)

    async def authorization_url(self, *, state: str, nonce: str, verifier: str) -> str:
        """See `ports.IdentityProviders`."""
        metadata = await self._metadata.get()
        return str(
            prepare_grant_uri(
                metadata.authorization_endpoint,
                self._settings.client_id,
                "code",
                redirect_uri=self._redirect_uri,
                scope=self._settings.scope,
                state=state,
                nonce=nonce,
                code_challenge=create_s256_code_challenge(verifier),  # type: ignore[no-untyped-call]  # as its stubs have it
                code_challenge_method="S256",
            )
        )

    async def identify(self, answer: ProviderAnswer) -> Identity:
        """See `ports.IdentityProviders`."""
        metadata = await self._metadata.get()
        self._check_issuer(metadata, answer.issuer)
        tokens = await self._exchange(metadata, answer)
        claims = await self._verified(tokens, answer.nonce)
        if "email" not in claims and metadata.userinfo_endpoint and tokens.access_token:
            # What is said about the address comes from one place.
            claims = await self._userinfo(metadata.userinfo_endpoint, tokens, claims)
        return self._identity(claims)

    def _check_issuer(self, metadata: Metadata, issuer: str | None) -> None:
        required = metadata.authorization_response_iss_parameter_supported
        if (issuer is None and required) or issuer not in (None, self._settings.issuer):
            raise self._refused("the iss parameter names another provider")

    async def _exchange(self, metadata: Metadata, answer: ProviderAnswer) -> _Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": answer.code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": answer.verifier,
        }
        headers, more = self._credentials(metadata)
        tokens = await self._transport.post(
            metadata.token_endpoint, {**form, **more}, _Tokens, headers=headers
        )
        if isinstance(tokens, str):
            if tokens == "invalid_client":
                raise self._transport.unavailable("the provider refused our client secret")
            raise self._refused("the code was refused", error=tokens[:50])
        if len(tokens.id_token) > _LONGEST_TOKEN:
            raise self._refused("the ID token is too long")
        return tokens

    def _credentials(self, metadata: Metadata) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Return the headers and form fields that authenticate this platform at the provider."""
        client_id, secret = self._settings.client_id, self._settings.client_secret
        methods = metadata.token_endpoint_auth_methods_supported
        if methods is not None and "client_secret_basic" not in methods:
            return {}, {"client_id": client_id, "client_secret": secret}
        # Encoded like a form before they are joined (RFC 6749 2.3.1).
        pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
        return {"Authorization": f"Basic {b64encode(pair).decode()}"}, {}

    async def _verified(self, tokens: _Tokens, nonce: str) -> Mapping[str, Any]:
        verify = partial(
            id_tokens.verify,
            tokens.id_token,
            issuer=self._settings.issuer,
            client_id=self._settings.client_id,
            nonce=nonce,
            access_token=tokens.access_token,
        )
        try:
            try:
                return verify(await self._keys.get())
            except id_tokens.UnknownKeyError:
                return verify(await self._keys.newer())
        except id_tokens.InvalidTokenError as error:
            raise self._refused("the ID token is not valid", error=str(error)) from error

    async def _userinfo(
        self, url: str, tokens: _Tokens, claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {tokens.access_token}"}
        found = await self._transport.get(url, dict[str, Any], headers)
        if found.get("sub") != claims["sub"]:
            raise self._refused("the userinfo is about another user")
        return found

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        def text(name: str) -> str:
            value = claims.get(name)
            return value if isinstance(value, str) else ""

        # Some write a word where the standard has a boolean.
        verified = claims.get("email_verified")
        says_verified = verified is True or verified == "true"
        return Identity(
            issuer=self._settings.issuer,
            subject=claims["sub"],
            email=text("email") or None,
            email_verified=says_verified and self._settings.trusts_email,
            given_name=text("given_name"),
            family_name=text("family_name"),
            name=text("name"),
        )

    async def _discover(self) -> Metadata:
        issuer = self._settings.issuer
        metadata = await self._transport.get(document_of(issuer), Metadata)
        if problem := metadata.problem(issuer):
            raise self._transport.unavailable("discovery", problem=problem)
        return metadata

    async def _fetch_keys(self) -> KeySet:
        metadata = await self._metadata.get()
        published = await self._transport.get(metadata.jwks_uri, id_tokens.Jwks)
        return id_tokens.usable_keys(published)

    def _refused(self, reason: str, **details: object) -> AppError:
        log.warning("identity_refused", provider=self._settings.name, reason=reason, **details)
        return unauthorized("the identity provider did not confirm the sign-in; start again")


class OidcProviders:
    """`ports.IdentityProviders` over HTTP."""

    def __init__(self, providers: Mapping[str, OidcProvider], names: Mapping[str, str]) -> None:
        """Create the collection. `providers` is keyed by name; `names` maps issuers to names."""
        self._providers = providers
        self._names = names

    def names(self) -> Sequence[str]:
        """See `ports.IdentityProviders`."""
        return list(self._providers)

    def name_of(self, issuer: str) -> str | None:
        """See `ports.IdentityProviders`."""
        return self._names.get(issuer)

    async def authorization_url(self, name: str, *, state: str, nonce: str, verifier: str) -> str:
        """See `ports.IdentityProviders`."""
        provider = self._named(name)
        return await provider.authorization_url(state=state, nonce=nonce, verifier=verifier)

    async def identify(self, name: str, answer: ProviderAnswer) -> Identity:
        """See `ports.IdentityProviders`."""
        return await self._named(name).identify(answer)

    def _named(self, name: str) -> OidcProvider:
        provider = self._providers.get(name)
        if provider is None:
            raise not_found("identity provider")
        return provider


@asynccontextmanager
async def open_identity_providers(
    providers: Sequence[IdentityProvider],
    public_url: str,
    *,
    seconds: float,
    registry: CollectorRegistry,
) -> AsyncIterator[OidcProviders]:
    """Open the connections to the identity providers. Providers may be unavailable at start.

    Each provider redirects browsers to its own page, `<public_url>/sign-in/<name>`.
    """

    def made(session: aiohttp.ClientSession, one: IdentityProvider) -> OidcProvider:
        upstream = Upstream(f"oidc-{one.name}", _BREAKER, registry=registry)
        transport = Transport(session, upstream, seconds)
        return OidcProvider(one, transport, f"{public_url}/sign-in/{one.name}")

    async with open_session() as session:
        yield OidcProviders(
            {one.name: made(session, one) for one in providers},
            {one.issuer: one.name for one in providers},
        )
