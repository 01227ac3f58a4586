"""Hash passwords with argon2id in threads, a limited number at a time."""

from __future__ import annotations

import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from services.user.threads import Threads

# What OWASP recommends; about 50 ms and 46 MiB a hash. The hash carries its parameters, so they
# may be raised at any time.
MEMORY_KIB: Final = 47_104
_PASSES: Final = 1
_LANES: Final = 1
_WAIT_SECONDS: Final = 5.0
_QUEUE: Final = 64


class Passwords(Threads):
    """Hash and verify passwords in threads, in parallel, because argon2 releases Python's GIL.

    If more than `threads` hashes are in progress, callers wait. If 64 callers wait, the next one
    gets SERVICE_UNAVAILABLE, so that many logins cannot use up the memory of the machine.
    """

    def __init__(self, *, threads: int, memory_kib: int = MEMORY_KIB) -> None:
        super().__init__(
            "the password check", limit=threads, queue=_QUEUE, wait_seconds=_WAIT_SECONDS
        )
        self._hasher = PasswordHasher(
            time_cost=_PASSES,
            memory_cost=memory_kib,
            parallelism=_LANES,
            hash_len=32,
            salt_len=16,
            type=Type.ID,
        )
        self._nobodys = self._hasher.hash(secrets.token_urlsafe(32))

    async def hash(self, password: str) -> str:
        """Return the hash of the password as a PHC string, which is stored."""
        return await self.run(lambda: self._hasher.hash(password))

    async def verify(self, password: str, stored: str | None) -> bool:
        """Return whether the password is correct.

        Without a stored hash, or if the stored hash is `-`, the method returns False after the same
        time.
        """
        return await self.run(lambda: self._verify(password, stored))

    def is_outdated(self, stored: str) -> bool:
        """Return whether the parameters of the hash differ from the current parameters."""
        return self._hasher.check_needs_rehash(stored)

    def _verify(self, password: str, stored: str | None) -> bool:
        try:
            self._hasher.verify(stored or self._nobodys, password)
        except VerificationError:
            return False
        except InvalidHashError:  # `-`: no password is set yet
            return self._verify(password, None)
        return stored is not None
