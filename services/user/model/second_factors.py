"""What people send about their second factors."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from lib.resource.input import Input
from lib.texts import END

Code = Annotated[
    str,
    Meta(
        pattern=rf"^[0-9]{{6}}{END}",
        description="6 digits of the authenticator",
        extra={"message": "must be 6 digits"},
    ),
]
RecoveryCode = Annotated[
    str, Meta(min_length=1, max_length=64, description="one of the codes that are kept on paper")
]
Credential = Annotated[
    dict[str, Any], Meta(description="what the browser's `navigator.credentials` gave, as JSON")
]


class Shown(Input, frozen=True, kw_only=True):
    """A second factor that is shown: exactly one of the three."""

    code: Code | None = None
    recovery_code: RecoveryCode | None = None
    passkey: Credential | None = None


class FirstCode(Input, frozen=True, kw_only=True):
    """The first code of a new authenticator: it proves that its secret has arrived."""

    code: Code


class NewPasskey(Input, frozen=True, kw_only=True):
    """A passkey to be added, with the name its owner gives it."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    credential: Credential
