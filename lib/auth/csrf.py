"""CSRF tokens: pages send the token in a header, and an HMAC binds the token to the session."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

COOKIE: Final = "__Host-csrf_token"
HEADER: Final = "X-CSRF-Token"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def issue(secret: bytes, session: str) -> str:
    """Return a new token for `session`: random bytes and an HMAC over them and the session."""
    salt = secrets.token_urlsafe(16)
    return f"{salt}.{_mac(secret, session, salt)}"


def is_valid(secret: bytes, session: str, *, cookie: str | None, header: str | None) -> bool:
    """Return whether the header equals the cookie and the token belongs to the session."""
    # `compare_digest` takes text only if it is ASCII, as ours is.
    if not cookie or not header or not (cookie.isascii() and header.isascii()):
        return False
    salt, _, mac = header.partition(".")
    same = hmac.compare_digest(cookie, header)
    return hmac.compare_digest(mac, _mac(secret, session, salt)) and same


def _mac(secret: bytes, session: str, salt: str) -> str:
    return hmac.new(secret, f"{session}\0{salt}".encode(), hashlib.sha256).hexdigest()
