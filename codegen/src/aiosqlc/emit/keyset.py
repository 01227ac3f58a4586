"""The source of `keyset.py`, which is written beside functions that page by sort keys."""

KEYSET = '''\
"""Pages of a list that begin behind or before a row, and cursors that name the row."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

T = TypeVar("T")


class KeysetCursorError(ValueError):
    """A cursor that is not valid here: changed, or from another list or order."""


@dataclass(frozen=True, slots=True)
class KeysetCursor:
    """A place in a list, beside the row with these sort keys.

    Without keys it is the beginning of the list `page_of`, or `backward` its end.
    """

    page_of: str
    keys: tuple[Any, ...] = ()
    backward: bool = False

    def signed(self, secret: bytes) -> str:
        """Return a text for clients that nobody can change without the secret."""
        content = [self.page_of, self.backward, [_written(key) for key in self.keys]]
        text = json.dumps(content, separators=(",", ":")).encode()
        return _text(_signature(text, secret) + text)

    @classmethod
    def read(cls, text: str, secret: bytes) -> "KeysetCursor":
        """Return the cursor of a text. Raises `KeysetCursorError` if the text was changed."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise KeysetCursorError("this is not a cursor") from None
        signature, content = raw[:_SIGNATURE], raw[_SIGNATURE:]
        if _text(raw) != text or not hmac.compare_digest(signature, _signature(content, secret)):
            raise KeysetCursorError("this is not a cursor")
        page_of, backward, keys = json.loads(content)
        return cls(page_of, tuple(_read(key) for key in keys), backward)


@dataclass(frozen=True, slots=True)
class KeysetPage(Generic[T]):
    """Some rows of a list, and where the pages beside them begin; None if there is none."""

    rows: list[T]
    next: KeysetCursor | None
    previous: KeysetCursor | None


@dataclass(frozen=True, slots=True)
class KeysetList:
    """A list in one order, and the types of its sort keys; an empty type is not checked.

    `digest` is another one after a change of the sort keys, so that older cursors are refused.
    """

    name: str
    digest: str
    types: tuple[str, ...]

    @property
    def label(self) -> str:
        """Return what a cursor with sort keys is of."""
        return f"{self.name} {self.digest}"


def keyset_start(
    cursor: KeysetCursor | None, page_of: KeysetList, page_size: int
) -> tuple[tuple[Any, ...], bool, bool]:
    """Return the sort keys of a cursor, whether there are any, and whether to go backward."""
    if page_size < 1:
        raise ValueError("page_size must be at least 1")
    if cursor is None:
        return (None,) * len(page_of.types), False, False
    if cursor.keys:
        valid = cursor.page_of == page_of.label and _have_types(cursor.keys, page_of.types)
    else:
        name = page_of.name.partition(" ")[0]  # without the order
        valid = cursor.page_of in (name, page_of.name, page_of.label)
    if not valid:
        raise KeysetCursorError(f"this cursor is of `{cursor.page_of}`, not of `{page_of.label}`")
    return cursor.keys or (None,) * len(page_of.types), bool(cursor.keys), cursor.backward


def keyset_rows(
    rows: Sequence[Iterable[Any]],
    page_size: int,
    cursor: KeysetCursor | None,
    page_of: KeysetList,
) -> tuple[list[tuple[Any, ...]], KeysetCursor | None, KeysetCursor | None]:
    """Return the rows of a page without their sort keys, and the cursors behind and before."""
    label, keys = page_of.label, len(page_of.types)
    values = [tuple(row) for row in rows]
    more = len(values) > page_size
    values = values[:page_size]
    backward = cursor is not None and cursor.backward
    inside = cursor is not None and bool(cursor.keys)
    if backward:
        values.reverse()
    first = KeysetCursor(label, values[0][-keys:], backward=True) if values else None
    last = KeysetCursor(label, values[-1][-keys:]) if values else None
    if not values and inside:  # the rows on the other side begin at its end
        first, last = KeysetCursor(label, backward=True), KeysetCursor(label)
    following = last if (inside if backward else more) else None
    previous = first if (more if backward else inside) else None
    return [row[:-keys] for row in values], following, previous


_SIGNATURE = 16


def _signature(content: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, content, hashlib.sha256)[:_SIGNATURE]


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _have_types(keys: Sequence[Any], types: Sequence[str]) -> bool:
    if len(keys) != len(types):
        return False
    pairs = zip(keys, types, strict=True)
    return all(not kind or _type_of(key).__name__ in kind.split(" | ") for key, kind in pairs)


def _type_of(value: Any) -> type[Any]:
    own: type[Any] = value.__class__
    return next((kind for kind in _TYPES if isinstance(value, kind)), own)


def _written(value: Any) -> Any:
    kind = _type_of(value)
    if kind in _PLAIN:
        return value
    if kind is timedelta:
        return ["timedelta", value.days, value.seconds, value.microseconds]
    if kind in _WRITTEN:
        return [kind.__name__, _WRITTEN[kind](value)]
    raise TypeError(f"a cursor cannot hold a {kind.__name__}")


def _read(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    kind, *content = cast("Sequence[Any]", value)
    return _READ[kind](*content)


_WRITTEN: dict[type, Any] = {
    datetime: datetime.isoformat,
    date: date.isoformat,
    time: time.isoformat,
    Decimal: str,
    float: repr,
    UUID: str,
    bytes: bytes.hex,
}
_PLAIN: tuple[type, ...] = (type(None), bool, int, str)
_TYPES = (*_PLAIN, timedelta, *_WRITTEN)
_READ: dict[str, Any] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timedelta": timedelta,
    "Decimal": Decimal,
    "float": float,
    "UUID": UUID,
    "bytes": bytes.fromhex,
}
'''
