"""The key of a cached result: the SHA-256 of the values from which the result is computed."""

from __future__ import annotations

import hashlib

import msgspec

_encode = msgspec.msgpack.Encoder(enc_hook=str).encode  # only paths need a conversion


def digest_of(*values: object) -> str:
    """Return the SHA-256 of the values as hexadecimal digits."""
    try:
        return digest(_encode(values))
    except UnicodeEncodeError:  # the file's name is not UTF-8
        return digest(repr(values).encode())


def digest(data: bytes) -> str:
    """Return the SHA-256 of bytes as hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
