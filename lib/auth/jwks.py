"""The issuer's public keys, cached. An unknown `kid` triggers a fetch, at a bounded rate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lib.auth.keys import parse_jwks
from lib.errors import AppError, Code
from lib.log import get_logger

log = get_logger(__name__)

Fetch = Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class JwksPolicy:
    """Cache times in seconds.

    Keys are fetched again after `fresh_seconds`, but at most once in `refetch_seconds`. While the
    issuer is unavailable, fetched keys stay valid for `stale_seconds`.
    """

    fresh_seconds: float = 300.0
    refetch_seconds: float = 2.0
    stale_seconds: float = 3600.0


class JwksCache:
    """A `KeySource` that fetches a JWKS on demand. Concurrent callers share one fetch.

    An unknown `kid` causes a fetch, but at most one in `refetch_seconds`, so invented key IDs cause
    no load. While the issuer is unavailable, the last keys stay valid for `stale_seconds`. After
    this time, all tokens are refused.
    """

    def __init__(
        self,
        fetch: Fetch,
        policy: JwksPolicy = JwksPolicy(),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._policy = policy
        self._clock = clock
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def key(self, kid: str) -> Ed25519PublicKey | None:
        """Return the key named `kid`, or None if the issuer has no key of this name.

        Raises:
            AppError: SERVICE_UNAVAILABLE if all fetched keys are too old to trust.
        """
        key = self._keys.get(kid)
        if key is not None and self._age() <= self._policy.stale_seconds:
            if self._age() > self._policy.fresh_seconds:
                self._start_refresh()  # in the background
            return key
        self._start_refresh()
        if self._fetching is not None:
            # Shielded: a caller that leaves must not take the keys from the others.
            await asyncio.shield(self._fetching)
        if self._age() > self._policy.stale_seconds:
            raise AppError(
                Code.SERVICE_UNAVAILABLE,
                "the token signing keys are unavailable; try again later",
                headers={"Retry-After": "1"},
            )
        return self._keys.get(kid)

    def _age(self) -> float:
        return self._clock() - self._fetched_at

    def _start_refresh(self) -> None:
        recently = self._clock() - self._tried_at < self._policy.refetch_seconds
        if self._fetching is None and not recently:
            self._tried_at = self._clock()
            self._fetching = asyncio.create_task(self._load(), name="jwks")

    async def _load(self) -> None:
        try:
            self._keys = parse_jwks(await self._fetch())
            self._fetched_at = self._clock()
        except Exception as error:  # noqa: BLE001 - on any failure, the old keys stay in use
            log.warning("jwks_fetch_failed", error=error)
        finally:
            self._fetching = None
