"""Limit how often a client can guess passwords or codes, or can request emails.

The database stores the counters, so a restart, another replica or an unavailable cache gives no
additional attempts. A client cannot use up another client's attempts: a wide limit counts only the
attempts that the narrower limit admits. An attempt that is proved to come from the owner has a
separate limit, which strangers cannot use up.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lib import context
from lib.db import Executor
from lib.errors import AppError, Code
from lib.limits.client_address import limit_key
from services.user.store import attempts


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of `attempts` in a window of `seconds` that starts with the first attempt."""

    attempts: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits per account and client address, per account, and per client address.

    The first limit locks a guessing client out. The second limits guesses from many addresses at
    one account, and the third limits one address that tries many accounts.
    """

    pair: Limit
    account: Limit
    address: Limit

    def of(self, what: str, email: str, *, known_as: str | None = None) -> Mapping[bytes, Limit]:
        """Return the limits by the key of their counters, narrowest first.

        Args:
            what: the limited action.
            email: the email address, whether or not an account has it.
            known_as: the owner's device or account, if the attempt is proved to come from the
                owner.
        """
        if known_as is not None:
            return {key(f"{what}-known", known_as): self.pair}
        address = key(f"{what}-from", limit_key(context.client.get()))
        pair, account = counted_for(what, email)
        return {pair: self.pair, account: self.account, address: self.address}


def key(*parts: str) -> bytes:
    """Return the key of a counter: a hash that ignores case and hides the address."""
    return hashlib.sha256("\0".join(parts).lower().encode("utf-8", "surrogateescape")).digest()


def counted_for(what: str, email: str) -> tuple[bytes, bytes]:
    """Return the keys of an account's counters: for this client address, and for all addresses."""
    return key(what, email, limit_key(context.client.get())), key(what, email)


async def take(tx: Executor, limits: Mapping[bytes, Limit]) -> None:
    """Count one attempt for every key, narrowest first, before the attempt is made.

    The caller passes its transaction, which an error rolls back. So a refused attempt is not
    counted.

    Raises:
        AppError: RATE_LIMIT_EXCEEDED with `Retry-After` if one of the limits is exceeded; the error
            is the same whether or not the account exists.
    """
    for counted_by, limit in limits.items():
        # aiosqlc_loops: a refused attempt must not wait for, nor lock, the wider counters
        counted = await attempts.count_attempt(tx, key=counted_by, seconds=limit.seconds)
        if counted.attempts > limit.attempts:
            raise AppError(
                Code.RATE_LIMIT_EXCEEDED,
                "too many attempts, try again later",
                headers={"Retry-After": str(max(1, math.ceil(counted.seconds_left)))},
            )


async def reset_after_success(tx: Executor, limits: Mapping[bytes, Limit]) -> None:
    """Reset the counters of an account after a success.

    From the count of the client address, only the successful attempt is subtracted, because the
    address may also try other accounts.
    """
    await clear(tx, list(limits)[:2])
    for address in list(limits)[2:]:
        await attempts.take_attempt_back(tx, key=address)


async def clear(tx: Executor, keys: Iterable[bytes]) -> None:
    """Reset counters. The keys must have the order of `take`: another order could deadlock."""
    await attempts.forget_attempts(tx, keys=list(keys))
