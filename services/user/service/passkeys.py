"""Passkeys (WebAuthn): keys that sign challenges for the platform's origin only."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import PublicKeyCredentialDescriptor

from lib.errors import AppError, FieldError, invalid
from services.user.store.second_factors import LockPasskeyRow

_NAME: Final = "Marketplace"


@dataclass(frozen=True, slots=True)
class Verified:
    """A new key: its ID, its public key and its signature counter."""

    id: bytes
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The relying party. Signatures for another origin are invalid."""

    origin: str

    @property
    def id(self) -> str:
        """Return the host that passkeys are bound to."""
        return urlsplit(self.origin).hostname or ""

    def creation(self, user_id: bytes, user_name: str, known: Iterable[bytes]) -> Options:
        """Return the browser options to create a key. The `known` keys are excluded."""
        options = webauthn.generate_registration_options(
            rp_id=self.id,
            rp_name=_NAME,
            user_id=user_id,
            user_name=user_name,
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        )
        return Options(options.challenge, json.loads(webauthn.options_to_json(options)))

    def request(self, known: Iterable[bytes]) -> Options:
        """Return the browser options to sign with one of the `known` keys."""
        options = webauthn.generate_authentication_options(
            rp_id=self.id,
            allow_credentials=[PublicKeyCredentialDescriptor(id=one) for one in known],
        )
        return Options(options.challenge, json.loads(webauthn.options_to_json(options)))

    def verify_new(self, credential: dict[str, Any], challenge: bytes) -> Verified:
        """Verify and return a new key. Raises AppError(VALIDATION_ERROR)."""
        try:
            made = webauthn.verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.id,
                expected_origin=self.origin,
            )
        except _BROKEN as error:
            raise _invalid("credential") from error
        return Verified(made.credential_id, made.credential_public_key, made.sign_count)

    def verify(self, credential: dict[str, Any], challenge: bytes, key: LockPasskeyRow) -> int:
        """Verify a signature and return its counter.

        A cloned key has an old counter and is refused.

        Raises:
            AppError: VALIDATION_ERROR if the signature or the counter is invalid.
        """
        try:
            signed = webauthn.verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.id,
                expected_origin=self.origin,
                credential_public_key=key.public_key,
                credential_current_sign_count=key.sign_count,
            )
        except _BROKEN as error:
            raise _invalid("passkey") from error
        return signed.new_sign_count


@dataclass(frozen=True, slots=True)
class Options:
    """Options for the browser, and the challenge in the options."""

    challenge: bytes
    public: dict[str, Any]


def origin_of(url: str) -> str:
    """Return the origin of a URL, without its path."""
    address = urlsplit(url)
    return f"{address.scheme}://{address.netloc}"


def id_of(credential: dict[str, Any]) -> bytes:
    """Return the ID of the passkey that signed. Raises AppError(VALIDATION_ERROR)."""
    try:
        return base64url_to_bytes(credential["id"])
    except _BROKEN as error:
        raise _invalid("passkey") from error


# The library's own, and what its parsers raise over what a stranger has made up.
_BROKEN: Final = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, IndexError)


def _invalid(field: str) -> AppError:
    return invalid(FieldError(field, "is not a valid response to the challenge"))
