"""Request types for accounts, with the checks that a type alone cannot express."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Final

from msgspec import Meta

from lib.errors import FieldError, invalid
from lib.resource.input import Input
from lib.texts import END

_LOCAL: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"

Email = Annotated[
    str,
    Meta(
        examples=["ada@example.com"],
        max_length=254,
        pattern=rf"^{_LOCAL}(?:\.{_LOCAL})*@{_LABEL}(?:\.{_LABEL})+{END}",
        description="email address; case is ignored",
        extra={"message": "must be an email address such as name@example.com"},
    ),
]
Phone = Annotated[
    str,
    Meta(
        examples=["+4915112345678"],
        pattern=rf"^\+?[0-9]{{7,15}}{END}",
        description="7 to 15 digits, with an optional leading plus",
        extra={"message": "must be 7 to 15 digits, with an optional leading plus"},
    ),
]
Name = Annotated[
    str,
    Meta(
        examples=["Ada"],
        min_length=1,
        max_length=50,
        description="letters of any script, spaces, hyphens and apostrophes",
    ),
]
LastName = Annotated[Name, Meta(examples=["Lovelace"])]
NewPassword = Annotated[
    str,
    Meta(
        examples=["Lanterns-over-9-harbours"],
        pattern=rf"^[\x21-\x7E]{{8,128}}{END}",
        description="8 to 128 printable ASCII characters, no spaces",
        extra={"message": "must be 8 to 128 printable ASCII characters without spaces"},
    ),
]
NextPassword = Annotated[NewPassword, Meta(examples=["Harbours-under-8-lanterns"])]
# Any text may be tried; it only must not make us work for long.
Password = Annotated[
    str, Meta(examples=["Lanterns-over-9-harbours"], min_length=1, max_length=1000)
]
Token = Annotated[
    str,
    Meta(examples=["a-token-of-a-mail-0123456789abcdefghijklmno"], min_length=1, max_length=200),
]
RefreshToken = Annotated[Token, Meta(examples=["a-refresh-token-0123456789abcdefghijklmnopqr"])]
DeviceToken = Annotated[
    str,
    Meta(
        examples=["a-device-token-0123456789abcdefghijklmnopqr"],
        max_length=200,
        description="device token from an earlier login; for clients without cookies",
    ),
]
PersonalId = Annotated[
    str,
    Meta(
        examples=["12345678901"],
        pattern=rf"^[0-9]{{5,32}}{END}",
        description="5 to 32 digits",
        extra={"message": "must be 5 to 32 digits"},
    ),
]

_BETWEEN_LETTERS: Final = frozenset(" -'\u2019")  # the last one is the typographic apostrophe


class NewCustomer(Input, frozen=True, kw_only=True):
    """An account to register."""

    email: Email
    phone_number: Phone
    first_name: Name
    last_name: LastName
    password: NewPassword


class NewProvider(NewCustomer, frozen=True, kw_only=True):
    """A provider account to register."""

    personal_id_number: PersonalId


class ProviderApplication(Input, frozen=True, kw_only=True):
    """An application of a customer to become a provider."""

    personal_id_number: PersonalId


class Decision(Input, frozen=True, kw_only=True):
    """Decision on a provider application. The applicant sees `reason`."""

    approved: bool
    reason: (
        Annotated[str, Meta(min_length=1, max_length=500, examples=["the number is known to us"])]
        | None
    ) = None


class Login(Input, frozen=True, kw_only=True):
    """The credentials to log in with."""

    email: Annotated[str, Meta(min_length=1, max_length=254, examples=["ada@example.com"])]
    password: Password
    device_token: DeviceToken | None = None


class ServiceLogin(Input, frozen=True, kw_only=True):
    """The credentials of a service."""

    client_id: Annotated[str, Meta(min_length=1, max_length=100, examples=["order"])]
    client_secret: Annotated[
        str, Meta(min_length=1, max_length=200, examples=["the-secret-of-a-service"])
    ]
    # Some of its own; without them it gets all.
    roles: Annotated[list[str], Meta(max_length=10, examples=[["SERVICE"]])] | None = None
    permissions: Annotated[list[str], Meta(max_length=200, examples=[["users:read"]])] | None = None


class AddressOnly(Input, frozen=True, kw_only=True):
    """The address to send the email to."""

    email: Email


class ResetRequest(AddressOnly, frozen=True, kw_only=True):
    """The address to send the email to, with an optional device token from an earlier login."""

    device_token: DeviceToken | None = None


class TokenOnly(Input, frozen=True, kw_only=True):
    """The token from the link in an email."""

    token: Token


class Verification(TokenOnly, frozen=True, kw_only=True):
    """The token from the link in an email, and the account's password if you are not signed in."""

    password: Annotated[Password, Meta(extra_json_schema={"x-in-example": True})] | None = None


class PasswordReset(Input, frozen=True, kw_only=True):
    """The token from the link in an email, and the new password."""

    token: Token
    new_password: NextPassword


class PasswordChange(Input, frozen=True, kw_only=True):
    """The current password and the new password."""

    old_password: Password
    new_password: NextPassword


class RefreshRequest(Input, frozen=True, kw_only=True):
    """A refresh token, for clients without cookies."""

    refresh_token: RefreshToken | None = None


def tidy_name(text: str) -> str:
    """Return the stored form of a name: Unicode NFC, single spaces, no spaces at its ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def check_names(**names: str) -> dict[str, str]:
    """Return the names in stored form.

    Raises:
        AppError: VALIDATION_ERROR, which names every name that has other characters than letters,
            spaces, hyphens and apostrophes, or has no letter.
    """
    tidied = {field: tidy_name(name) for field, name in names.items()}
    wrong = [field for field, name in tidied.items() if not is_name(name)]
    if wrong:
        message = "must be letters, with spaces, hyphens or apostrophes between them"
        raise invalid(*(FieldError(field, message) for field in wrong))
    return tidied


def is_name(text: str) -> bool:
    """Return whether a normalized text has only letters, spaces, hyphens and apostrophes."""
    kinds = [unicodedata.category(character)[0] for character in text]
    allowed = all(
        kind in "LM" or character in _BETWEEN_LETTERS
        for kind, character in zip(kinds, text, strict=True)
    )
    return allowed and "L" in kinds
