"""Signing keys: Ed25519, named by their thumbprint, published as a JWKS."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MAX_KEYS: Final = 16
MAX_DOCUMENT_BYTES: Final = 64 * 1024


class KeyFormatError(ValueError):
    """An invalid key or key set. The message never contains the key."""


class Jwk(msgspec.Struct, frozen=True, omit_defaults=True):
    """One public key (RFC 8037). The platform ignores keys that are not Ed25519."""

    kty: str
    kid: str = ""
    crv: str = ""
    x: str = ""
    alg: str = ""
    use: str = ""


class Jwks(msgspec.Struct, frozen=True):
    """A published set of public keys (JWKS, RFC 7517)."""

    keys: list[Jwk]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private signing key, and the key ID (`kid`) of its public key."""

    private: Ed25519PrivateKey = field(repr=False)
    kid: str

    @classmethod
    def generate(cls) -> SigningKey:
        """Generate a random Ed25519 key."""
        return cls.of(Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, pem: str | bytes) -> SigningKey:
        """Read an unencrypted PKCS#8 PEM. Raises KeyFormatError if the PEM has no Ed25519 key."""
        raw = pem.encode() if isinstance(pem, str) else pem
        try:
            key = serialization.load_pem_private_key(raw, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise KeyFormatError("the signing key is not an unencrypted PKCS#8 PEM") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyFormatError("the signing key is not an Ed25519 key")
        return cls.of(key)

    @classmethod
    def of(cls, private: Ed25519PrivateKey) -> SigningKey:
        """Return a signing key whose key ID is the thumbprint of the public key (RFC 7638)."""
        return cls(private, _thumbprint(_public_x(private.public_key())))

    def pem(self) -> bytes:
        """Return the key as PKCS#8 PEM. The key's file must be readable by the owner only."""
        return self.private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    def jwk(self) -> Jwk:
        """Return the public key as a JWK."""
        x = _public_x(self.private.public_key())
        return Jwk(kty="OKP", kid=self.kid, crv="Ed25519", x=x, alg="EdDSA", use="sig")


def jwks_document(keys: Iterable[SigningKey]) -> bytes:
    """Return the JSON to publish: the public key of each of `keys`."""
    return msgspec.json.encode(Jwks([key.jwk() for key in keys]))


def parse_jwks(document: bytes) -> dict[str, Ed25519PublicKey]:
    """Return the Ed25519 keys of a JWKS by their `kid`, and skip keys of all other types.

    Raises:
        KeyFormatError: if the document is too big, is malformed, or has no usable key.
    """
    if len(document) > MAX_DOCUMENT_BYTES:
        raise KeyFormatError("the key set is too big")
    try:
        listed = msgspec.json.decode(document, type=Jwks).keys
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise KeyFormatError("the key set is malformed") from None
    usable = [key for key in listed if key.kty == "OKP" and key.crv == "Ed25519" and key.kid]
    if not usable or len(usable) > MAX_KEYS:
        raise KeyFormatError(
            f"the key set must have 1 to {MAX_KEYS} usable keys, not {len(usable)}"
        )
    return {key.kid: _public_key(key.x) for key in usable}


def _public_key(x: str) -> Ed25519PublicKey:
    try:
        raw = base64.urlsafe_b64decode(x + "=" * (-len(x) % 4))
        return Ed25519PublicKey.from_public_bytes(raw)
    except ValueError:
        raise KeyFormatError("a key in the set is malformed") from None


def _public_x(key: Ed25519PublicKey) -> str:
    return _base64url(key.public_bytes_raw())


def _thumbprint(x: str) -> str:
    return _base64url(
        hashlib.sha256(b'{"crv":"Ed25519","kty":"OKP","x":"%s"}' % x.encode()).digest()
    )


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
