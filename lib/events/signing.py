"""Sign events, and verify that each event comes from the producer of its topic.

Any process with access to Redis can write an entry, but only the producer of a topic has the key to
sign it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import Field, SecretStr, ValidationInfo, field_validator

from lib.clock import utc_now
from lib.config import Settings, in_production
from lib.events.event import Event
from lib.events.maintenance import KEEP, REMEMBER

FIELD: Final = "signature"
# As long as the inbox remembers what it has handled: an older event could be played to us again.
MOST_AGE: Final = REMEMBER
_KEY_BYTES: Final = 32


class UntrustedEventError(ValueError):
    """An event has no valid signature of its producer. The message is the reason."""


class ProducerSettings(Settings):
    """Settings: the key with which a service signs its events."""

    # The Ed25519 key that signs the service's events: 32 random bytes in base64. If it is empty,
    # events are not signed.
    events_signing_key: SecretStr = Field(
        default=SecretStr(""), validate_default=True, validation_alias="EVENTS_SIGNING_KEY"
    )

    @field_validator("events_signing_key")
    @classmethod
    def _is_a_key(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if value.get_secret_value():
            _bytes(value.get_secret_value())
        elif in_production(info):
            raise ValueError("is not set")
        return value

    def event_signer(self) -> EventSigner | None:
        """Return the signer of published events, or None if there is no key."""
        text = self.events_signing_key.get_secret_value()
        return EventSigner.of(text) if text else None


class ConsumerSettings(Settings):
    """Settings: the public keys of trusted producers of events."""

    # Public keys of trusted event producers: `order:<public key in base64>,user:…`. A producer
    # that changes its key has two entries. If there are no keys, all events are trusted.
    events_public_keys: str = Field(
        default="", validate_default=True, validation_alias="EVENTS_PUBLIC_KEYS"
    )
    # The time since which all producers sign their events. For a week after this time, older
    # events may be unsigned.
    events_signed_since: datetime | None = Field(
        default=None, validation_alias="EVENTS_SIGNED_SINCE"
    )

    @field_validator("events_public_keys")
    @classmethod
    def _are_keys(cls, value: str, info: ValidationInfo) -> str:
        if not parse_public_keys(value) and in_production(info):
            raise ValueError("is not set")
        return value

    @field_validator("events_signed_since")
    @classmethod
    def _has_a_zone(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value

    def event_beliefs(self, producers: Mapping[str, str]) -> TrustedProducers | None:
        """Return the trusted producers by topic, or None if there are no keys."""
        keys = parse_public_keys(self.events_public_keys)
        return TrustedProducers(keys, producers, self.events_signed_since) if keys else None


@dataclass(frozen=True, slots=True)
class EventSigner:
    """A producer's private key."""

    private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def of(cls, text: str) -> EventSigner:
        """Read a key. Raises ValueError if the key is invalid."""
        return cls(Ed25519PrivateKey.from_private_bytes(_bytes(text)))

    @property
    def public(self) -> str:
        """Return the public key for consumers."""
        raw = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.b64encode(raw).decode()

    def sign(self, event: Event) -> str:
        """Return the signature over all fields of an event."""
        return base64.b64encode(self.private.sign(_signed(event))).decode()


@dataclass(frozen=True, slots=True)
class TrustedProducers:
    """The producer of each topic, and the public keys of each producer."""

    keys: Mapping[str, tuple[Ed25519PublicKey, ...]]
    producers: Mapping[str, str]
    signed_since: datetime | None = None

    def check(self, topic: str, entry_id: str, fields: Mapping[bytes, bytes], event: Event) -> None:
        """Raise UntrustedEventError unless the producer of the topic has signed the event.

        The IDs of Redis ascend and contain the time, so an older entry cannot be added without
        deleting and recreating the stream. So unsigned events from before `signed_since` are
        accepted, but only as long as streams keep entries.
        """
        producer = self.producers.get(topic, "nobody")
        signature = fields.get(FIELD.encode())
        if signature is None:
            if self.signed_since is not None and _is_left_over(entry_id, self.signed_since):
                return
            raise UntrustedEventError(f"not signed by {producer}")
        if event.topic != topic:
            raise UntrustedEventError(f"signed for another topic: {event.topic}")
        if not any(_verifies(key, signature, event) for key in self.keys.get(producer, ())):
            raise UntrustedEventError(f"not signed by {producer}, or changed after signing")
        if utc_now() - event.created_at > MOST_AGE:
            raise UntrustedEventError(f"signed more than {MOST_AGE.days} days ago")


def parse_public_keys(text: str) -> Mapping[str, tuple[Ed25519PublicKey, ...]]:
    """Parse `producer:key,…`. Raises ValueError if the text is invalid."""
    found: dict[str, tuple[Ed25519PublicKey, ...]] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        producer, colon, key = part.partition(":")
        if not colon or not producer:
            raise ValueError("must be producer:key pairs, separated by commas")
        public = Ed25519PublicKey.from_public_bytes(_bytes(key))
        found[producer] = (*found.get(producer, ()), public)
    return found


def _bytes(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _KEY_BYTES:
        raise ValueError(f"must be {_KEY_BYTES} bytes in base64")
    return raw


def _signed(event: Event) -> bytes:
    """Return the signed bytes: every field, in an unambiguous encoding."""
    return b"event 1\n" + msgspec.json.encode(list(event.fields().values()))


def _verifies(key: Ed25519PublicKey, signature: bytes, event: Event) -> bool:
    try:
        key.verify(base64.b64decode(signature, validate=True), _signed(event))
    except (InvalidSignature, binascii.Error):
        return False
    return True


def _is_left_over(entry_id: str, since: datetime) -> bool:
    return _arrived(entry_id) < since and utc_now() - since < KEEP


def _arrived(entry_id: str) -> datetime:
    return datetime.fromtimestamp(int(entry_id.partition("-")[0]) / 1000, UTC)
