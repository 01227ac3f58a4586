# Generated from sql/shared/idempotency.sql by `aiosqlc generate -f sql/shared/sqlc.yaml`. Do not edit.
"""The queries of idempotency.sql."""

from typing import Final
from uuid import UUID

import msgspec

from lib.db import Executor

CLAIM_KEY: Final = """\
INSERT INTO idempotency_key (principal, route, request_key, fingerprint, lease, leased_until, expires_at)
VALUES (
    $1, $2, $3, $4, $5,
    now() + make_interval(secs => $6::double precision),
    now() + make_interval(secs => $7::double precision)
)
ON CONFLICT (principal, route, request_key) DO UPDATE SET
    fingerprint = excluded.fingerprint,
    lease = excluded.lease,
    leased_until = excluded.leased_until,
    expires_at = excluded.expires_at,
    status = NULL, headers = NULL, body = NULL
WHERE
    idempotency_key.expires_at < now()
    OR (
        idempotency_key.status IS NULL
        AND idempotency_key.leased_until < now()
        AND idempotency_key.fingerprint = excluded.fingerprint
    )
RETURNING lease
"""


async def claim_key(
    db: Executor,
    *,
    principal: str,
    route: str,
    request_key: str,
    fingerprint: bytes,
    lease: UUID,
    lease_seconds: float,
    keep_seconds: float,
) -> UUID | None:
    """Answers to be given again.
    The lease where the key is now ours: it is new, or its answer is too old, or its owner is gone.
    """
    value: UUID | None = await db.fetchval(
        CLAIM_KEY, principal, route, request_key, fingerprint, lease, lease_seconds, keep_seconds
    )
    return value


GET_ANSWER: Final = """\
SELECT fingerprint, status, headers, body
FROM idempotency_key
WHERE principal = $1 AND route = $2 AND request_key = $3
"""


class GetAnswerRow(msgspec.Struct, frozen=True, gc=False):
    fingerprint: bytes
    status: int | None
    headers: str | None
    body: bytes | None


async def get_answer(
    db: Executor, *, principal: str, route: str, request_key: str
) -> GetAnswerRow | None:
    row = await db.fetchrow(GET_ANSWER, principal, route, request_key)
    return None if row is None else GetAnswerRow(*row)


STORE_ANSWER: Final = """\
UPDATE idempotency_key
SET status = $1::integer, headers = $2::text, body = $3::bytea
WHERE principal = $4 AND route = $5 AND request_key = $6 AND lease = $7 AND status IS NULL
"""


async def store_answer(
    db: Executor,
    *,
    http_status: int | None,
    headers: str | None,
    body: bytes | None,
    principal: str,
    route: str,
    request_key: str,
    lease: UUID,
) -> int:
    status = await db.execute(
        STORE_ANSWER, http_status, headers, body, principal, route, request_key, lease
    )
    return int(status.rpartition(" ")[2])


RELEASE_KEY: Final = """\
DELETE FROM idempotency_key
WHERE principal = $1 AND route = $2 AND request_key = $3 AND lease = $4 AND status IS NULL
"""


async def release_key(
    db: Executor, *, principal: str, route: str, request_key: str, lease: UUID
) -> int:
    status = await db.execute(RELEASE_KEY, principal, route, request_key, lease)
    return int(status.rpartition(" ")[2])


FORGET_ANSWERS: Final = "DELETE FROM idempotency_key WHERE expires_at < now()"


async def forget_answers(db: Executor) -> int:
    status = await db.execute(FORGET_ANSWERS)
    return int(status.rpartition(" ")[2])
