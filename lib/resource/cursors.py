"""Cursors of lists: signed texts that lead to the pages before and after a page."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Protocol

import msgspec

from lib.config import DEVELOPMENT_ONLY
from lib.errors import FieldError, invalid

# A sort key of 255 characters may need 12 bytes for each, and base64 four thirds of that.
MAX_LENGTH: Final = 5_000
CURSOR_EXAMPLE: Final = "qGy0Qv3nS1Wc2x5yT7u8kFsiTGlzdCIsZmFsc2UsWzQyXV0"


class Cursor(Protocol):
    """A cursor of a generated `:page` function."""

    def signed(self, secret: bytes) -> str:
        """Return the cursor as a text that only holders of the secret can write."""


class Keyset(Protocol):
    """The generated module `keyset` of a package of queries."""

    @property
    def KeysetCursor(self) -> Any:  # noqa: N802 - the generated module's name
        """Return the class of cursors."""

    @property
    def KeysetCursorError(self) -> type[ValueError]:  # noqa: N802 - the generated module's name
        """Return the class of errors for cursors that are not valid."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The cursors of the next and the previous page; None if there is no such page."""

    next: str | None
    previous: str | None


# All services share the secret (`AUTH_CSRF_SECRET`), so one process has one key.
_keys: Final = {"cursors": DEVELOPMENT_ONLY.encode()}


def sign_cursors_with(secret: bytes) -> None:
    """Set the secret of cursors, which must be the same in every instance of a service."""
    _keys["cursors"] = hmac.digest(secret, b"cursors of lists", sha256)


def key_of(of: str, sort: str | None, filters: Mapping[str, Any]) -> bytes:
    """Return the key for the cursors of one list with one order and one set of filters.

    So the signature of a cursor is not valid for another list, order or filter.
    """
    content = msgspec.json.encode([of, sort, sorted(filters.items())], enc_hook=str)
    return hmac.digest(_keys["cursors"], content, sha256)


def read(text: str, keyset: Keyset, key: bytes) -> Any:
    """Parse a cursor. An empty text gives None, which means the first page.

    Raises:
        AppError: VALIDATION_ERROR if the text was changed or belongs to another list.
    """
    if not text:
        return None
    try:
        return keyset.KeysetCursor.read(text, key)
    except keyset.KeysetCursorError:
        raise not_valid() from None


def not_valid() -> Exception:
    """Return the error for a cursor that does not belong to the requested list."""
    return invalid(
        FieldError("cursor", "is not a cursor of this list with this order and these filters")
    )
