"""Opaque single-use secrets, such as refresh tokens.

The caller has the token; the server stores only the hash of the token.
"""

from __future__ import annotations

import hashlib
import secrets


def new_token() -> tuple[str, bytes]:
    """Return a token of 256 random bits, and its hash for storage and look-up."""
    token = secrets.token_urlsafe(32)
    return token, digest(token)


def digest(token: str) -> bytes:
    """Return the hash of a token. A plain hash is enough, because the token cannot be guessed."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
