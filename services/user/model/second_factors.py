"""Request types for second factors."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from lib.resource.input import Input
from lib.texts import END

Code = Annotated[
    str,
    Meta(
        examples=["123456"],
        pattern=rf"^[0-9]{{6}}{END}",
        description="6-digit code from the authenticator",
        extra={"message": "must be 6 digits"},
    ),
]
RecoveryCode = Annotated[
    str,
    Meta(
        examples=["k7wq-2m9x-p4td"],
        min_length=1,
        max_length=64,
        description="an unused recovery code",
    ),
]
Credential = Annotated[
    dict[str, Any],
    Meta(
        examples=[{"id": "AQIDBA", "type": "public-key", "response": {}}],
        description="the credential that the browser's `navigator.credentials` returned, as JSON",
    ),
]


class Shown(Input, frozen=True, kw_only=True):
    """A second factor to verify. Exactly one of the three fields is required."""

    code: Code | None = None
    recovery_code: RecoveryCode | None = None
    passkey: Credential | None = None


class FirstCode(Input, frozen=True, kw_only=True):
    """The first code of a new authenticator. The code completes the setup."""

    code: Code


class NewPasskey(Input, frozen=True, kw_only=True):
    """A passkey to add, and its name."""

    name: Annotated[str, Meta(min_length=1, max_length=100, examples=["My phone"])]
    credential: Credential
