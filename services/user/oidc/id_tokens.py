"""Verify ID tokens: signature, algorithm, issuer, audience, times and nonce."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet
from msgspec import Struct

# Public keys only. Without HS256, a public key cannot pass for a shared secret.
ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519",
)  # fmt: skip
_KEY_TYPES: Final = frozenset({"RSA", "EC", "OKP"})
_MOST_KEYS: Final = 100
_WEAKEST_RSA: Final = 2048
_LEEWAY_SECONDS: Final = 60
_LONGEST_SUBJECT: Final = 255
_JWS: Final = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)


class InvalidTokenError(Exception):
    """The ID token cannot be trusted for this sign-in. The message gives the reason."""


class UnknownKeyError(InvalidTokenError):
    """The ID token is signed with a key that is not among the fetched keys of the provider."""


class Jwks(Struct, frozen=True):
    """The published keys of a provider (RFC 7517)."""

    keys: list[dict[str, Any]]


def usable_keys(published: Jwks) -> KeySet:
    """Return the keys that can verify signatures.

    RFC 7517 requires clients to ignore unusable keys.
    """
    return KeySet([key for one in published.keys[:_MOST_KEYS] if (key := _key(one)) is not None])


def verify(
    token: str, keys: KeySet, *, issuer: str, client_id: str, nonce: str, access_token: str
) -> Mapping[str, Any]:
    """Return the claims of an ID token.

    Raises:
        UnknownKeyError: if no key matches; the provider may have published a newer key.
        InvalidTokenError: if the token is invalid for another reason.
    """
    try:
        kid = jws.extract_compact(token.encode()).headers().get("kid")
        if kid is not None and kid not in {key.kid for key in keys}:
            raise UnknownKeyError("an unknown key")
        read = jwt.decode(token, keys, registry=_JWS)
        _check(read, issuer=issuer, client_id=client_id, nonce=nonce, access_token=access_token)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InvalidTokenError(repr(error)[:200]) from error
    return read.claims


def _check(read: jwt.Token, *, issuer: str, client_id: str, nonce: str, access_token: str) -> None:
    claims = CodeIDToken(
        read.claims,
        read.header,
        options={
            "iss": {"essential": True, "value": issuer},
            "aud": {"essential": True, "value": client_id},
            "sub": {"essential": True},
        },
        params={"client_id": client_id, "nonce": nonce, "access_token": access_token},
    )
    claims.validate(now=int(time.time()), leeway=_LEEWAY_SECONDS)
    subject = read.claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise InvalidTokenError("an invalid subject")
    if not subject.isprintable():
        raise InvalidTokenError("a subject with control characters")


def _key(published: Mapping[str, Any]) -> Key | None:
    if published.get("kty") not in _KEY_TYPES:
        return None
    try:
        key = JWKRegistry.import_key(dict(published))
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return None
    size = getattr(key.public_key, "key_size", _WEAKEST_RSA)
    return None if published["kty"] == "RSA" and size < _WEAKEST_RSA else key
