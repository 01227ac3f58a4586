"""Request types for identity providers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from lib.resource.input import Input
from lib.texts import END
from services.user.model.account import DeviceToken

ReturnTo = Annotated[
    str,
    Meta(
        examples=["/orders"],
        max_length=500,
        # No second slash and no backslash: a browser would take what follows for a host.
        pattern=rf"^/(?:[!-.0-\[\]-~][!-\[\]-~]*)?{END}",
        description="path on this platform to return to, such as `/orders`",
        extra={"message": "must be a path that begins with one slash"},
    ),
]
State = Annotated[
    str,
    Meta(examples=["a-state-0123456789abcdefghijklmnopqrstuvwxyz"], min_length=1, max_length=200),
]
ProviderCode = Annotated[
    str, Meta(examples=["a-code-of-the-provider"], min_length=1, max_length=4000)
]


class IdentityRequest(Input, frozen=True, kw_only=True):
    """The path to return to after the sign-in."""

    return_to: ReturnTo = "/"


class IdentityResponse(Input, frozen=True, kw_only=True):
    """The query parameters with which the identity provider redirected the browser to us."""

    code: ProviderCode
    state: State
    iss: Annotated[str, Meta(max_length=500, examples=["https://accounts.example.com"])] | None = (
        None
    )


class IdentitySignIn(IdentityResponse, frozen=True, kw_only=True):
    """The query parameters with which the identity provider redirected the browser to us.

    `device_token` comes from an earlier login, and can be omitted or null.
    """

    device_token: DeviceToken | None = None
