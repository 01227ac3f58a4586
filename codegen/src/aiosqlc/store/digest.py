"""Hashes of frozen values, which compare faster than large values."""

from __future__ import annotations

import hashlib

import msgspec

_encode = msgspec.msgpack.Encoder(enc_hook=str).encode  # only paths are not known to it


def digest_of(*values: object) -> str:
    """Return the SHA-256 of the values as hexadecimal digits."""
    return hashlib.sha256(_encode(values)).hexdigest()
