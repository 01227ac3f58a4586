"""Personal ID numbers, encrypted with named keys so that keys can be replaced."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_SHOWN: Final = 2


class UnreadableError(Exception):
    """A stored value that cannot be decrypted: damaged, of another account, or without a key."""


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A stored value: nonce and ciphertext together, and the name of the key."""

    ciphertext: bytes
    key_id: str


class PersonalIds:
    """Encrypt with AES-256-GCM.

    The account ID is authenticated, so a value can be decrypted only for its account.
    """

    def __init__(self, keys: dict[str, bytes]) -> None:
        """Create the cipher from keys by name. The first key encrypts, all keys decrypt.

        See `parse_keys`.
        """
        self._ciphers = {name: AESGCM(key) for name, key in keys.items()}
        self._current = next(iter(keys))
        # A separate key for fingerprints: a fingerprint must reveal nothing about the encryption.
        self._printing = {
            name: hmac.digest(key, b"personal-id fingerprint", "sha256")
            for name, key in keys.items()
        }

    def encrypt(self, number: str, account_id: UUID) -> Encrypted:
        """Return the encrypted number to store."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, number.encode(), account_id.bytes)
        return Encrypted(nonce + sealed, self._current)

    def fingerprints(self, number: str) -> list[bytes]:
        """Return the fingerprints that identify a number, one per key, newest key first.

        A keyed hash is needed because there are so few numbers that a plain hash could be reversed.
        """
        return [hmac.digest(key, number.encode(), "sha256") for key in self._printing.values()]

    def decrypt(self, ciphertext: bytes, key_id: str, account_id: UUID) -> str:
        """Return the number.

        Raises:
            UnreadableError: if the key is unknown or the value was changed.
        """
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise UnreadableError(f"there is no key {key_id}")
        nonce, sealed = ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:]
        try:
            return cipher.decrypt(nonce, sealed, account_id.bytes).decode()
        except (InvalidTag, ValueError):
            raise UnreadableError("the stored value is damaged") from None


def preview(number: str) -> str:
    """Return the last two digits, so that the owner recognises the number."""
    return number[-_SHOWN:]


def parse_keys(text: str) -> dict[str, bytes]:
    """Parse `2026:<base64>,2025:<base64>` into keys by name, in this order.

    Raises:
        ValueError: if an entry is invalid; the message names the entry but never contains a key.
    """
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(filter(None, (part.strip() for part in text.split(","))), 1):
        name, separator, encoded = entry.partition(":")
        if not separator or not name or name in keys:
            raise ValueError(f"entry {number} must be name:key, with a name that is not repeated")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            raise ValueError(f"the key {name} is not base64") from None
        if len(key) != _KEY_BYTES:
            raise ValueError(f"the key {name} has {len(key)} bytes, not {_KEY_BYTES}")
        keys[name] = key
    if not keys:
        raise ValueError("there must be at least one key")
    return keys
