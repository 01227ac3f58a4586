"""Token verification for services that do not issue tokens, with keys fetched from the issuer."""

from __future__ import annotations

from typing import Final

import aiohttp

from lib.auth.jwks import JwksCache
from lib.auth.keys import MAX_DOCUMENT_BYTES
from lib.auth.settings import TokenSettings
from lib.auth.tokens import Verifier

_FETCH_SECONDS: Final = 2.0


def remote_verifier(settings: TokenSettings) -> Verifier:
    """Return a verifier for the issuer's tokens. The verifier fetches keys at the first token."""

    async def fetch() -> bytes:
        limit = aiohttp.ClientTimeout(total=_FETCH_SECONDS)
        # A session for each fetch: there is one every five minutes.
        async with (
            aiohttp.ClientSession(timeout=limit, cookie_jar=aiohttp.DummyCookieJar()) as session,
            # Redirects are refused: the host with the keys decides which tokens are valid.
            session.get(
                settings.auth_jwks_url, raise_for_status=True, allow_redirects=False
            ) as response,
        ):
            document = b""
            async for chunk in response.content.iter_any():
                document += chunk
                if len(document) > MAX_DOCUMENT_BYTES:
                    break  # it will be refused for its size; more of it is of no use
            return document

    return Verifier(JwksCache(fetch), issuer=settings.auth_issuer, audience=settings.auth_audience)
