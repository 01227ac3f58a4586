"""Responses stored under an Idempotency-Key. A repeated request gets the stored response."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec

from lib.db import Executor
from lib.errors import AppError, Code
from lib.ids import new_id
from lib.store import idempotency as store

_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
_POLL_SECONDS: Final = 0.05
# Rows of a statement: arrears of hours would take longer than a statement may.
_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Scope:
    """A key, its caller and its route. Each caller has separate keys for each route."""

    principal: str
    route: str
    key: str


@dataclass(frozen=True, slots=True)
class Lease:
    """The exclusive right to handle the request of a key, for a limited time."""

    scope: Scope
    token: UUID


class Answer(msgspec.Struct, frozen=True):
    """A stored response."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class IdempotencyPolicy:
    """Times in seconds."""

    lease_seconds: float = 30.0
    keep_seconds: float = 86_400.0
    # How long a repeated request waits for the answer of the first.
    wait_seconds: float = 2.0


class IdempotencyKeys:
    """Store responses in the service's own database, in the table `idempotency_key`.

    The transaction of the handler marks the request as done. If a process dies before the commit,
    its lease expires and a repeated request runs the handler again. If it dies between the commit
    and the storage of the response, the mark stays, and a repeated request gets CONFLICT. A route
    that must return its response even then has a unique key in its own table.
    """

    def __init__(
        self,
        db: Executor,
        policy: IdempotencyPolicy = IdempotencyPolicy(),
        *,
        secret: bytes = b"",
    ) -> None:
        """Create the store. Requests are hashed with `secret`, so a hash reveals no password."""
        self._db = db
        self._secret = secret
        self.policy = policy

    async def begin(self, scope: Scope, fingerprint: bytes) -> Lease | Answer:
        """Return a lease to handle the request, or the stored response.

        Raises:
            AppError: IDEMPOTENCY_KEY_REUSED if the key belongs to another request; CONFLICT if the
                first request is still in progress after `wait_seconds`, or if its process died
                before it stored the response.
        """
        fingerprint = hmac.digest(self._secret, b"idempotency" + fingerprint, "sha256")
        lease = Lease(scope, new_id())
        until = time.monotonic() + self.policy.wait_seconds
        # aiosqlc_loops: a repeated request waits for the response of the first one
        while not await self._claim(lease, fingerprint):
            # aiosqlc_loops: as above
            answer = await self._answer(scope, fingerprint)
            if answer is not None:
                return answer
            if time.monotonic() >= until:
                raise AppError(
                    Code.CONFLICT,
                    "the first request with this Idempotency-Key is still in progress",
                    headers={"Retry-After": "1"},
                )
            await asyncio.sleep(_POLL_SECONDS)
        return lease

    async def mark_done(self, lease: Lease, tx: Executor) -> None:
        """Record in the handler's transaction that the request is executed."""
        await store.mark_done(
            tx,
            principal=lease.scope.principal,
            route=lease.scope.route,
            request_key=lease.scope.key,
            lease=lease.token,
        )

    async def finish(self, lease: Lease, answer: Answer) -> None:
        """Store the response. If the lease was lost, do nothing."""
        await store.store_answer(
            self._db,
            http_status=answer.status,
            headers=msgspec.json.encode(answer.headers).decode(),
            body=answer.body,
            principal=lease.scope.principal,
            route=lease.scope.route,
            request_key=lease.scope.key,
            lease=lease.token,
        )

    async def release(self, lease: Lease) -> None:
        """Release the key without a response, so that the next request with it is handled."""
        await store.release_key(
            self._db,
            principal=lease.scope.principal,
            route=lease.scope.route,
            request_key=lease.scope.key,
            lease=lease.token,
        )

    async def forget_old(self) -> int:
        """Delete expired responses. Return how many."""
        forgotten = last = await store.forget_answers(self._db, at_most=_AT_ONCE)
        while last == _AT_ONCE:
            last = await store.forget_answers(self._db, at_most=_AT_ONCE)
            forgotten += last
        return forgotten

    async def _claim(self, lease: Lease, fingerprint: bytes) -> bool:
        claimed = await store.claim_key(
            self._db,
            principal=lease.scope.principal,
            route=lease.scope.route,
            request_key=lease.scope.key,
            fingerprint=fingerprint,
            lease=lease.token,
            lease_seconds=self.policy.lease_seconds,
            keep_seconds=self.policy.keep_seconds,
        )
        return claimed == lease.token

    async def _answer(self, scope: Scope, fingerprint: bytes) -> Answer | None:
        kept = await store.get_answer(
            self._db, principal=scope.principal, route=scope.route, request_key=scope.key
        )
        if kept is None:  # given back just now
            return None
        if kept.fingerprint != fingerprint:
            raise AppError(
                Code.IDEMPOTENCY_KEY_REUSED,
                "this Idempotency-Key was used for another request",
            )
        if kept.lost:
            raise AppError(
                Code.CONFLICT,
                "this request was executed, but its response was lost: check the result "
                "before you repeat it with another Idempotency-Key",
            )
        if kept.status is None or kept.headers is None or kept.body is None:
            return None
        headers = msgspec.json.decode(kept.headers, type=tuple[tuple[str, str], ...])
        return Answer(kept.status, headers, kept.body)


def parse_key(header: str) -> str:
    """Return the key of an `Idempotency-Key` header.

    Raises:
        AppError: BAD_REQUEST unless the key has 1 to 255 visible ASCII characters.
    """
    if not _KEY.fullmatch(header):
        raise AppError(Code.BAD_REQUEST, "Idempotency-Key must be 1 to 255 visible characters")
    return header


def fingerprint(*parts: bytes) -> bytes:
    """Return a hash of the parts, which also depends on the boundaries between them."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
