"""Opaque single-use secrets, such as refresh tokens: the caller has the token, we its hash."""

from __future__ import annotations

import hashlib
import secrets


def new_token() -> tuple[str, bytes]:
    """Return a token of 256 random bits and the hash to store and look it up by."""
    token = secrets.token_urlsafe(32)
    return token, digest(token)


def digest(token: str) -> bytes:
    """Return the hash of a token; a plain hash suffices, since the token cannot be guessed."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
