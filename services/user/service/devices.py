"""Known devices of an account, identified by a signed token.

A device token alone gives no access. Attempts with a device token are counted separately from other
attempts, so that strangers cannot lock the owner out by guessing. A thief of a token has the same
small number of guesses.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from lib.clock import Clock, utc_now

COOKIE: Final = "__Host-device_token"


@dataclass(frozen=True, slots=True)
class Devices:
    """Issue and verify device tokens of the form `device.seconds since the epoch.signature`."""

    key: bytes = field(repr=False)
    ttl: timedelta
    clock: Clock = utc_now

    def issue(self, account_id: UUID, device: str | None = None) -> str:
        """Return a token for a device. If `device` is None, create a new device ID."""
        device = device or secrets.token_hex(16)
        issued = str(int(self.clock().timestamp()))
        return f"{device}.{issued}.{self._sign(account_id, device, issued)}"

    def known(self, token: str | None, account_id: UUID) -> str | None:
        """Return the device ID if the token is valid, unexpired and for this account, else None."""
        device, _, rest = (token or "").partition(".")
        issued, _, signature = rest.partition(".")
        expected = self._sign(account_id, device, issued)
        # Only what we have signed is read any further.
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
            return None
        age = self.clock().timestamp() - int(issued)
        return device if age < self.ttl.total_seconds() else None

    def _sign(self, account_id: UUID, device: str, issued: str) -> str:
        said = "\0".join(("device", str(account_id), device, issued))
        return hmac.new(self.key, said.encode("utf-8", "replace"), hashlib.sha256).hexdigest()
