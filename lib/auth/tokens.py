"""Issue and verify access tokens. Only EdDSA is accepted, and every claim is checked."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final, Protocol

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lib.auth.keys import SigningKey
from lib.auth.principal import Principal, Role, unauthorized
from lib.clock import Clock, utc_now
from lib.ids import new_id

ALGORITHM: Final = "EdDSA"
TYPE: Final = "at+jwt"
MAX_TOKEN_BYTES: Final = 8 * 1024
LEEWAY_SECONDS: Final = 5.0
_REQUIRED: Final = ("iss", "aud", "sub", "iat", "nbf", "exp", "jti")
_CACHE_SECONDS: Final = 60.0
_CACHE_SIZE: Final = 10_000

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
# Up to the year 9999: a number beyond what a clock can hold is malformed.
_Time = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]


class Claims(msgspec.Struct, frozen=True):
    """The claims of an access token. Times are seconds since the epoch; `scope` holds permissions.

    `auth_time` is the start of the session. `second_factor_wanted` means that the session was
    opened with a password alone.
    """

    iss: str
    sub: _Name
    aud: str
    iat: _Time
    nbf: _Time
    exp: _Time
    jti: _Name
    roles: list[Role]
    scope: str = ""
    verified: bool = False
    sid: str = ""
    auth_time: _Time = 0
    second_factor_wanted: bool = False


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token and its expiry."""

    token: str = field(repr=False)
    token_id: str
    expires_at: datetime


class Issuer:
    """Sign access tokens with one key."""

    def __init__(
        self, key: SigningKey, *, issuer: str, audience: str, ttl: timedelta, clock: Clock = utc_now
    ) -> None:
        self._key = key
        self._issuer = issuer
        self._audience = audience
        self._ttl = ttl
        self._clock = clock

    def issue(
        self,
        subject: str,
        roles: Iterable[Role],
        permissions: Iterable[str],
        *,
        verified: bool = False,
        session: str = "",
        signed_in_at: datetime | None = None,
        second_factor_wanted: bool = False,
        ttl: timedelta | None = None,
    ) -> Issued:
        """Return a token for `subject`, valid for `ttl` from now.

        Without `signed_in_at`, the sign-in does not count as fresh.
        """
        now = self._clock().replace(microsecond=0)
        expires_at = now + (ttl or self._ttl)
        claims = Claims(
            iss=self._issuer,
            sub=subject,
            aud=self._audience,
            iat=int(now.timestamp()),
            nbf=int(now.timestamp()),
            exp=int(expires_at.timestamp()),
            jti=str(new_id()),
            roles=sorted(roles),
            scope=" ".join(sorted(permissions)),
            verified=verified,
            sid=session,
            auth_time=0 if signed_in_at is None else int(signed_in_at.timestamp()),
            second_factor_wanted=second_factor_wanted,
        )
        token = jwt.encode(
            msgspec.to_builtins(claims),
            self._key.private,
            algorithm=ALGORITHM,
            headers={"kid": self._key.kid, "typ": TYPE},
        )
        return Issued(token, claims.jti, expires_at)


class Recalled(msgspec.Struct, frozen=True):
    """A caller whose token was verified. The token is not verified again before `fresh_until`."""

    principal: Principal
    fresh_until: float  # on the monotonic clock


class KeySource(Protocol):
    """Find the public key that verifies a token, by the key ID (`kid`) in the token."""

    async def key(self, kid: str) -> Ed25519PublicKey | None:
        """Return the key named `kid`, or None if the issuer has no key of this name.

        Raises:
            AppError: SERVICE_UNAVAILABLE if the keys cannot be fetched; all tokens are refused
                then.
        """
        ...


class StaticKeys:
    """A `KeySource` for the process that signs the tokens, so no keys are fetched."""

    def __init__(self, keys: Iterable[SigningKey]) -> None:
        self._keys = {key.kid: key.private.public_key() for key in keys}

    async def key(self, kid: str) -> Ed25519PublicKey | None:
        """Return the key named `kid`, or None."""
        return self._keys.get(kid)


class Verifier:
    """Turn a token into a `Principal`. Any invalid token gives 401.

    A valid token is cached by its hash for up to a minute, because the check of a signature is the
    most expensive part of a request. After a key is withdrawn, its cached tokens stay valid for the
    rest of this minute.
    """

    def __init__(
        self,
        keys: KeySource,
        *,
        issuer: str,
        audience: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Create a verifier. `clock` returns seconds, because creating a `datetime` is slow."""
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._good: OrderedDict[bytes, Recalled] = OrderedDict()

    async def verify(self, token: str) -> Principal:
        """Return the caller that `token` names.

        Raises:
            AppError: UNAUTHORIZED if the token is invalid for any reason; SERVICE_UNAVAILABLE if
                the keys cannot be fetched.
        """
        if not _may_be_one(token):
            raise unauthorized()
        digest = _digest(token)
        known = self._good.get(digest)
        if known is not None and time.monotonic() < known.fresh_until:
            if not self._is_alive(known.principal):
                raise unauthorized()
            return known.principal
        self._good.pop(digest, None)  # what is not good any more is not recalled either
        principal = _principal(await self._claims(token))
        self._remember(digest, principal)
        return principal

    def recall(self, token: str) -> Recalled | None:
        """Return the cached result of an earlier verification, or None.

        The result is None if none is cached or the token has expired. This method does not verify
        the token, so its cost is small. A cached result that is older than a minute is returned
        until `verify` refuses the token.
        """
        if not _may_be_one(token):
            return None
        known = self._good.get(_digest(token))
        return known if known is not None and self._is_alive(known.principal) else None

    def _is_alive(self, principal: Principal) -> bool:
        return self._clock() < principal.expires_at + LEEWAY_SECONDS

    async def _claims(self, token: str) -> Claims:
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise unauthorized() from None
        kid = header.get("kid")
        # The type keeps other tokens of the same key out, should there ever be some.
        if not isinstance(kid, str) or header.get("typ") != TYPE:
            raise unauthorized()
        key = await self._keys.key(kid)
        if key is None:
            raise unauthorized()
        try:
            raw = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                # The times are checked below, against the clock that we were given.
                options={
                    "require": list(_REQUIRED),
                    "strict_aud": True,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
            claims = msgspec.convert(raw, Claims)
        except (jwt.PyJWTError, msgspec.ValidationError, ValueError, TypeError, RecursionError):
            raise unauthorized() from None
        if not self._is_current(claims):
            raise unauthorized()
        return claims

    def _is_current(self, claims: Claims) -> bool:
        now = self._clock()
        started = max(claims.nbf, claims.iat) <= now + LEEWAY_SECONDS
        return started and now < claims.exp + LEEWAY_SECONDS

    def _remember(self, digest: bytes, principal: Principal) -> None:
        self._good[digest] = Recalled(principal, time.monotonic() + _CACHE_SECONDS)
        self._good.move_to_end(digest)
        if len(self._good) > _CACHE_SIZE:
            self._good.popitem(last=False)


def _may_be_one(token: str) -> bool:
    return len(token) <= MAX_TOKEN_BYTES and token.isascii()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _principal(claims: Claims) -> Principal:
    return Principal(
        subject=claims.sub,
        roles=frozenset(claims.roles),
        permissions=frozenset(claims.scope.split()),
        verified=claims.verified,
        session=claims.sid,
        token_id=claims.jti,
        expires_at=float(claims.exp),
        second_factor_wanted=claims.second_factor_wanted,
        signed_in_at=float(claims.auth_time),
    )
